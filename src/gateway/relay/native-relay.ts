import type { ByteSink, ByteSource } from '../../contract/byte-source.js';
import { GatewayError, toGatewayError } from '../../contract/errors.js';
import { NATIVE_EVENT, type NativeTap } from '../../contract/provider.js';
import { SseSplitter, type SseEvent } from '../../transport/sse-splitter.js';
import { brokenStream, Relay, type RelayOptions, type RelayProgress } from './relay.js';

/** What a native stream is made of. */
export interface NativeRelayOptions extends RelayOptions {
  readonly source: ByteSource;
  readonly tap: NativeTap;
  readonly maxEventBytes: number;
  /** False = events that hold nothing but usage are left out. */
  readonly includeUsage: boolean;
  /** The dialect's terminal mark, for a whole stream that came without one. */
  readonly terminal: string;
}

/** Passes a provider's own events on, byte for byte, while its tap reads them. */
export class NativeRelay extends Relay implements ByteSink {
  private readonly splitter: SseSplitter;
  private malformedEvents = 0;

  constructor(private readonly native: NativeRelayOptions) {
    super(native);
    this.splitter = new SseSplitter(native.maxEventBytes);
  }

  start(): void {
    if (this.isOver) return;
    this.native.source.start(this);
  }

  /** Never throws: a defect of ours fails this stream, not the process. */
  data(chunk: Buffer): boolean {
    if (this.isOver) return true;
    try {
      const events = this.splitter.push(chunk);
      return events.length === 0 ? true : this.pass(events);
    } catch (thrown) {
      this.fail(toGatewayError(thrown));
      return true;
    }
  }

  end(): void {
    if (this.isOver) return;
    const { tap, terminal } = this.native;
    if (this.splitter.end() || !tap.isComplete()) return this.fail(tap.failure() ?? brokenStream());
    try {
      this.emit(terminal, false);
      this.complete();
    } catch (thrown) {
      this.fail(toGatewayError(thrown));
    }
  }

  error(error: GatewayError): void {
    this.fail(error);
  }

  protected progress(): RelayProgress {
    const { tap } = this.native;
    const malformedEvents = this.malformedEvents || undefined;
    return { usage: tap.usage(), generatedBytes: tap.generatedBytes(), malformedEvents };
  }

  protected destroySource(): void {
    this.native.source.destroy();
  }

  protected resumeSource(): void {
    this.native.source.resume();
  }

  /** Events that arrived together leave together. */
  private pass(events: readonly SseEvent[]): boolean {
    const { tap, includeUsage } = this.native;
    const passed: Buffer[] = [];
    let hasContent = false;
    let isTerminal = false;
    let hasFailed = false;
    for (const event of events) {
      const bits = event.data === '' ? NATIVE_EVENT.none : tap.event(event.data);
      hasFailed = (bits & NATIVE_EVENT.error) !== 0;
      if (hasFailed) break;
      if ((bits & NATIVE_EVENT.content) !== 0) hasContent = true;
      if ((bits & NATIVE_EVENT.malformed) !== 0) this.malformedEvents += 1;
      if ((bits & NATIVE_EVENT.usageOnly) !== 0 && !includeUsage) continue;
      passed.push(event.raw);
      isTerminal = (bits & NATIVE_EVENT.terminal) !== 0;
      if (isTerminal) break;
    }
    let ready = true;
    for (const run of inRuns(passed)) ready = this.emit(run, hasContent);
    if (hasFailed) this.fail(tap.failure() ?? new GatewayError('provider_error'));
    else if (isTerminal) this.complete();
    return ready;
  }
}

/** Parts in different places of memory that are shorter in all are copied into one, to leave in one write. */
const COPIED_BYTES = 4_096;

/**
 * The parts as few pieces without copying: those that lie side by side in memory, as the events of one chunk do, are one
 * view of it. A copy would hold a chunk twice for as long as a slow client waits.
 */
function inRuns(parts: readonly Buffer[]): Buffer[] {
  const runs: Buffer[] = [];
  let first: Buffer | undefined;
  let end = 0;
  let total = 0;
  const close = (): void => {
    if (first !== undefined) runs.push(Buffer.from(first.buffer, first.byteOffset, end - first.byteOffset));
  };
  for (const part of parts) {
    if (first === undefined || part.buffer !== first.buffer || part.byteOffset !== end) {
      close();
      first = part;
      end = part.byteOffset;
    }
    end += part.length;
    total += part.length;
  }
  close();
  return runs.length > 1 && total <= COPIED_BYTES ? [Buffer.concat(runs, total)] : runs;
}
