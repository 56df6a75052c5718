import type { ByteSink, ByteSource } from '../contract/byte-source.js';
import type { GatewayError } from '../contract/errors.js';
import type { AttemptContext } from '../contract/provider.js';
import type { DeadlineWheel } from './deadline-wheel.js';
import { Exchange } from './exchange.js';
import type { OpenResponse, UpstreamHeaders } from './upstream.js';

/** Bytes held for a sink that has not started or has paused, before the socket is paused too. */
const HOLD_BYTES = 65_536;

export interface StreamExchangeOptions {
  readonly context: AttemptContext;
  readonly wheel: DeadlineWheel;
  readonly resolve: (response: OpenResponse) => void;
  readonly reject: (error: GatewayError) => void;
}

/**
 * An exchange whose body is pushed on as it arrives. A chunk costs one call and one assignment. Silence counts only
 * while we are reading: a paused or not yet started source is bounded by the total time alone.
 */
export class StreamExchange extends Exchange implements ByteSource {
  private sink: ByteSink | undefined;
  private held: Buffer[] = [];
  private heldBytes = 0;
  /** The sink asked for a pause. */
  private isPaused = false;
  /** What ended the body, while held bytes still wait to be delivered before it. */
  private ending: { readonly error?: GatewayError } | undefined;

  constructor(private readonly options: StreamExchangeOptions) {
    super(options.context, options.wheel);
  }

  /** Delivers what has arrived already before it returns. */
  start(sink: ByteSink): void {
    if (this.sink !== undefined) throw new Error('a source can be started only once');
    this.sink = sink;
    this.deliverHeld();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.deliverHeld();
  }

  destroy(): void {
    this.sink = SILENT;
    this.held = [];
    this.ending = undefined;
    this.close();
  }

  protected headersTimeoutMs(): number {
    return this.context.timeouts.firstContentMs;
  }

  protected headersArrived(status: number, headers: UpstreamHeaders): void {
    this.expectMore();
    this.options.resolve({ status, headers, source: this });
  }

  protected dataArrived(chunk: Buffer): void {
    if (this.sink === undefined || this.isPaused) {
      this.hold(chunk);
      return;
    }
    const wantsMore = this.sink.data(chunk);
    if (this.isOver) return;
    if (wantsMore) return this.expectMore();
    this.isPaused = true;
    this.pauseSocket();
  }

  protected bodyEnded(): void {
    this.ending = {};
    if (this.sink !== undefined && !this.isPaused) this.deliverEnding();
  }

  protected failed(error: GatewayError): void {
    if (this.phase !== 'body') {
      this.options.reject(error);
      return;
    }
    this.ending = { error };
    if (this.sink === undefined) return;
    // What arrived before the break goes first, pause or not: it is at most what the socket held.
    for (const chunk of this.held) this.sink.data(chunk);
    this.held = [];
    this.deliverEnding();
  }

  private hold(chunk: Buffer): void {
    this.held.push(chunk);
    this.heldBytes += chunk.length;
    if (this.heldBytes >= HOLD_BYTES) this.pauseSocket();
  }

  private pauseSocket(): void {
    this.dueMs = this.totalDueMs;
    this.controller?.pause();
  }

  private expectMore(): void {
    this.dueMs = Math.min(this.wheel.nowMs + this.context.timeouts.idleMs, this.totalDueMs);
  }

  private deliverHeld(): void {
    const { sink } = this;
    if (sink === undefined) return;
    while (this.held.length > 0) {
      const chunk = this.held.shift();
      if (chunk === undefined) break;
      this.heldBytes -= chunk.length;
      if (sink.data(chunk)) continue;
      this.isPaused = true;
      if (!this.isOver) this.pauseSocket();
      return;
    }
    if (this.ending !== undefined) this.deliverEnding();
    else if (!this.isOver) {
      this.expectMore();
      this.controller?.resume();
    }
  }

  private deliverEnding(): void {
    const { sink, ending } = this;
    this.ending = undefined;
    if (sink === undefined || ending === undefined) return;
    if (ending.error === undefined) sink.end();
    else sink.error(ending.error);
  }
}

const SILENT: ByteSink = { data: () => true, end: () => undefined, error: () => undefined };
