import type { ServerResponse } from 'node:http';
import type { TollgateConfig } from '../../config/config.schema.js';
import type { LiveRequest } from '../request/live-request.js';
import type { StreamTicker, Ticking } from './stream-ticker.js';

const PING = ': ping\n\n';

/** Longest body that is sent in one write with its head; a longer one is not copied. */
const MAX_JOINED_BYTES = 16_384;

/** Longest piece of a whole answer that is handed over at once; a longer answer leaves as its client takes it. */
const PIECE_BYTES = 65_536;

/** Bounds of a stream towards the client. */
export type StreamSettings = TollgateConfig['stream'];

/** Headers every stream carries besides its content type. */
const STREAM_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/**
 * The only writer of an answer's bytes. It owns the status line, the heartbeat, backpressure, the stalled client and
 * the in-band error. Bytes are whole events, so a heartbeat can never fall inside one.
 */
export class ResponseWriter implements Ticking {
  /** Called when the client takes bytes again after `write` returned false. */
  onDrain: (() => void) | undefined;
  private lastWriteMs = Date.now();
  private blockedSinceMs: number | undefined;
  private isTicking = false;
  private contentType = '';
  private earlyHeaders: () => Readonly<Record<string, string>> = () => ({});

  constructor(
    private readonly response: ServerResponse,
    private readonly live: LiveRequest,
    private readonly settings: StreamSettings,
    private readonly ticker: StreamTicker,
  ) {}

  /** True when the status line has left: from then on an error can only be told in-band. */
  get begun(): boolean {
    return this.response.headersSent;
  }

  /** A whole answer. */
  whole(body: Buffer | string, headers: Readonly<Record<string, string>>): void {
    if (this.response.destroyed) return;
    const length = Buffer.byteLength(body);
    this.response.writeHead(200, {
      ...headers,
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'content-length': length,
    });
    if (length > PIECE_BYTES) return this.inPieces(Buffer.from(body));
    this.live.record.bytesOut += length;
    // Head and body leave in one write where both are text; latin1 keeps the bytes of a buffer as they are.
    if (typeof body === 'string' || length > MAX_JOINED_BYTES) this.response.end(body);
    else this.response.end(body.toString('latin1'), 'latin1');
    this.untilTaken();
  }

  /**
   * Watches over a stream that may begin later: after `holdMs` the status leaves without waiting for content, with the
   * headers given here.
   */
  watch(contentType: string, earlyHeaders: () => Readonly<Record<string, string>>): void {
    this.contentType = contentType;
    this.earlyHeaders = earlyHeaders;
    this.startTicking();
  }

  /** Sends the status line and headers of a stream; harmless when repeated. */
  begin(headers: Readonly<Record<string, string>> = {}): void {
    if (this.begun || this.response.destroyed) return;
    this.response.writeHead(200, { ...headers, ...STREAM_HEADERS, 'content-type': this.contentType });
    this.response.socket?.setNoDelay(true);
    this.response.flushHeaders();
    this.response.on('drain', this.drained);
  }

  /** Writes whole events. Returns false when the client is slow: write again after `onDrain`. */
  write(bytes: Buffer | string): boolean {
    if (this.response.writableEnded || this.response.destroyed) return true;
    const now = Date.now();
    this.lastWriteMs = now;
    this.live.record.bytesOut += typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
    const hasRoom = this.response.write(bytes);
    // Node tells of a drain only where it saw no room, so that a bound below its own is no bound.
    if (hasRoom || this.response.writableLength < this.settings.maxBufferedBytes) return true;
    this.blockedSinceMs ??= now;
    return false;
  }

  /** Ends the answer. */
  end(): void {
    if (this.response.writableEnded) return;
    if (!this.response.destroyed) this.response.end();
    this.untilTaken();
  }

  /** Tells a failure inside a stream that has begun, and ends it: no terminal mark follows. */
  fail(event: string): void {
    this.write(event);
    this.end();
  }

  tick(nowMs: number): void {
    if (this.blockedSinceMs !== undefined) {
      if (nowMs - this.blockedSinceMs > this.settings.stallMs) this.response.destroy();
      return;
    }
    if (!this.begun) {
      if (nowMs - this.live.record.startedAtMs < this.settings.holdMs) return;
      this.begin(this.earlyHeaders());
      this.write(PING);
    } else if (nowMs - this.lastWriteMs >= this.settings.heartbeatMs) {
      this.write(PING);
    }
  }

  private readonly drained = (): void => {
    this.blockedSinceMs = undefined;
    this.onDrain?.();
  };

  private inPieces(body: Buffer): void {
    let from = 0;
    const goOn = (): void => {
      while (from < body.length) {
        const start = from;
        from += PIECE_BYTES;
        if (!this.write(body.subarray(start, from))) return;
      }
      this.end();
    };
    this.startTicking();
    this.response.on('drain', this.drained);
    this.onDrain = goOn;
    goOn();
  }

  /** A client may stall on the end of an answer as well as on its middle. */
  private untilTaken(): void {
    if (this.response.destroyed || this.response.writableLength === 0) return this.unwatch();
    this.blockedSinceMs ??= Date.now();
    this.startTicking();
  }

  private startTicking(): void {
    if (this.isTicking || this.response.destroyed) return;
    this.isTicking = true;
    this.ticker.add(this);
    this.response.once('close', () => this.unwatch());
  }

  private unwatch(): void {
    if (!this.isTicking) return;
    this.isTicking = false;
    this.ticker.remove(this);
  }
}
