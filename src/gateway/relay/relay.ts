import { GatewayError } from '../../contract/errors.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import type { ResponseWriter } from './response-writer.js';

/** Most bytes kept back before the first content. */
const MAX_HELD_BYTES = 1_048_576;

/** Whole, broken by the provider, or given up by our side, and why. */
type Ending = { readonly how: 'complete' } | { readonly how: 'failed' | 'abandoned'; readonly error: GatewayError };

/** What has gone by. */
export interface RelayProgress {
  /** The last usage the provider told; absent = none. */
  readonly usage?: MeasuredUsage | undefined;
  /** UTF-8 bytes generated so far, for an estimate where usage is missing. */
  readonly generatedBytes: number;
  /** Events passed on that could not be understood; absent = none. */
  readonly malformedEvents?: number | undefined;
}

/** How a relayed stream ended, and what is to be charged for it. */
export type RelayEnd = Ending & RelayProgress;

/** What a relay needs of its surroundings. */
export interface RelayOptions {
  readonly writer: Pick<ResponseWriter, 'write' | 'end' | 'fail' | 'onDrain'>;
  /** Called once, when the first content has come: for a client that is still there the answer has to begin. */
  readonly onCommit: () => void;
  /** An error as an in-band event of the caller's dialect. */
  readonly streamError: (error: GatewayError) => string;
}

/**
 * Carries one upstream stream to the writer. Until the first content everything is held back, so that a failure can
 * still become another attempt; `committed` rejects then. After it, `ended` tells how it went and never rejects.
 */
export abstract class Relay {
  readonly committed: Promise<void>;
  readonly ended: Promise<RelayEnd>;
  private readonly settleCommit: { resolve: () => void; reject: (error: GatewayError) => void };
  private readonly settleEnd: (end: RelayEnd) => void;
  private held: (Buffer | string)[] = [];
  private heldBytes = 0;
  private isCommitted = false;
  private isDetached = false;
  protected isOver = false;

  constructor(protected readonly options: RelayOptions) {
    const commit = Promise.withResolvers<void>();
    const end = Promise.withResolvers<RelayEnd>();
    this.committed = commit.promise;
    this.settleCommit = commit;
    this.ended = end.promise;
    this.settleEnd = end.resolve;
  }

  protected abstract progress(): RelayProgress;
  /** Closes the upstream at once. */
  protected abstract destroySource(): void;
  protected abstract resumeSource(): void;

  /** True from the first content on. */
  get hasCommitted(): boolean {
    return this.isCommitted;
  }

  /** The client is gone but the provider bills on: read to the end, write nothing. */
  detach(): void {
    this.isDetached = true;
    this.resumeSource();
  }

  /** Closes the upstream; before commit `committed` rejects with the error. */
  abandon(error: GatewayError): void {
    if (this.isOver) return;
    this.destroySource();
    this.finish({ how: 'abandoned', error });
  }

  /** Hands whole events to the client, or holds them back; returns false when the source should pause. */
  protected emit(bytes: Buffer | string, hasContent: boolean): boolean {
    if (this.isCommitted) return this.isDetached || this.options.writer.write(bytes);
    if (!this.isDetached) this.hold(bytes);
    if (hasContent) return this.commit();
    if (this.heldBytes > MAX_HELD_BYTES) this.fail(brokenStream());
    return true;
  }

  /** Everything arrived: the answer is whole. */
  protected complete(): void {
    if (this.isOver) return;
    if (!this.isCommitted) this.commit();
    if (!this.isDetached) this.options.writer.end();
    this.finish({ how: 'complete' });
  }

  /** The upstream failed: another attempt before commit, an in-band error after. */
  protected fail(error: GatewayError): void {
    if (this.isOver) return;
    this.destroySource();
    if (this.isCommitted && !this.isDetached) this.options.writer.fail(this.options.streamError(error));
    this.finish({ how: 'failed', error });
  }

  private hold(bytes: Buffer | string): void {
    this.held.push(bytes);
    this.heldBytes += Buffer.byteLength(bytes);
  }

  private commit(): boolean {
    this.options.onCommit();
    this.isCommitted = true;
    const ready = this.isDetached || this.writeHeld();
    this.settleCommit.resolve();
    return ready;
  }

  private writeHeld(): boolean {
    const { writer } = this.options;
    writer.onDrain = () => this.resumeSource();
    let ready = true;
    for (const bytes of this.held) ready = writer.write(bytes);
    this.held = [];
    return ready;
  }

  private finish(end: Ending): void {
    this.isOver = true;
    this.held = [];
    const progress = this.progress();
    if (!this.isCommitted && end.how !== 'complete') this.settleCommit.reject(end.error);
    this.settleEnd({ ...end, ...progress });
  }
}

/** The failure of a stream that broke off, or cannot be relayed. */
export function brokenStream(): GatewayError {
  return new GatewayError('provider_stream_broken');
}
