import { GatewayError } from '../contract/errors.js';

/** One block of an event stream, up to and including its blank line. */
export interface SseEvent {
  /** The `event` field; absent = none. */
  readonly event: string | undefined;
  /** The `data` lines joined by newlines; '' for comments and blank lines. */
  readonly data: string;
  /** The exact bytes; the raws of all events, one after the other, are the stream. */
  readonly raw: Buffer;
}

const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;
const NONE = -1;

/**
 * Splits a server-sent event stream as bytes: line ends of LF, CR and CRLF, cut anywhere. No byte is scanned twice
 * for events inside one chunk; an event that spans chunks is put together once, when it is complete.
 */
export class SseSplitter {
  /** Bytes of the open event that came in earlier chunks. */
  private parts: Buffer[] = [];
  private partBytes = 0;
  private isAtLineStart = true;
  /** The last byte was a CR, so that an LF now belongs to it. */
  private isAfterCr = false;
  private isFirst = true;

  /** @param maxEventBytes longest event, its blank line included. */
  constructor(private readonly maxEventBytes: number) {}

  /** Events completed by these bytes. Throws `provider_stream_broken` when one is longer than allowed. */
  push(chunk: Buffer): SseEvent[] {
    const events: SseEvent[] = [];
    const length = chunk.length;
    if (length === 0) return events;
    let start = 0;
    let position = 0;
    if (this.isAfterCr && chunk[0] === LF) {
      position = 1;
      if (this.partBytes === 0) {
        events.push({ event: undefined, data: '', raw: chunk.subarray(0, 1) });
        start = 1;
      }
    }
    this.isAfterCr = false;
    let nextCr = NONE;
    let isCrKnown = false;
    let lines = 0;
    let lineEnd = 0;
    while (position < length) {
      const byte = chunk[position];
      if (this.isAtLineStart && (byte === LF || byte === CR)) {
        position = this.afterTerminator(chunk, position);
        events.push(this.complete(chunk, { start, end: position, line: lines === 1 ? lineEnd : NONE }));
        start = position;
        lines = 0;
        continue;
      }
      if (!isCrKnown || (nextCr !== NONE && nextCr < position)) {
        nextCr = chunk.indexOf(CR, position);
        isCrKnown = true;
      }
      const lf = chunk.indexOf(LF, position);
      const end = nextCr !== NONE && (lf === NONE || nextCr < lf) ? nextCr : lf;
      if (end === NONE) {
        this.isAtLineStart = false;
        break;
      }
      this.isAtLineStart = true;
      lines += 1;
      lineEnd = end;
      position = this.afterTerminator(chunk, end);
    }
    this.keep(chunk, start);
    return events;
  }

  /** True when bytes of an incomplete event are left: the stream was cut. */
  end(): boolean {
    return this.partBytes > 0;
  }

  private afterTerminator(chunk: Buffer, at: number): number {
    if (chunk[at] === LF) return at + 1;
    if (at + 1 === chunk.length) {
      this.isAfterCr = true;
      return at + 1;
    }
    return chunk[at + 1] === LF ? at + 2 : at + 1;
  }

  private keep(chunk: Buffer, start: number): void {
    if (start === chunk.length) return;
    this.partBytes += chunk.length - start;
    if (this.partBytes > this.maxEventBytes) throw tooLong();
    this.parts.push(start === 0 ? chunk : chunk.subarray(start));
  }

  private complete(chunk: Buffer, block: { start: number; end: number; line: number }): SseEvent {
    const { start, end, line } = block;
    if (this.partBytes + end - start > this.maxEventBytes) throw tooLong();
    if (this.partBytes === 0 && !this.isFirst) {
      const raw = chunk.subarray(start, end);
      if (line !== NONE && isData(chunk, start)) {
        const from = start + (chunk[start + 5] === SPACE ? 6 : 5);
        return { event: undefined, data: chunk.toString('utf8', from, line), raw };
      }
      return parseBlock(raw, 0);
    }
    this.parts.push(chunk.subarray(start, end));
    const raw = Buffer.concat(this.parts);
    this.parts = [];
    this.partBytes = 0;
    const from = this.isFirst && raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 3 : 0;
    this.isFirst = false;
    return parseBlock(raw, from);
  }
}

/** True for `data:` at a position. */
function isData(bytes: Buffer, at: number): boolean {
  return (
    bytes[at] === 100 &&
    bytes[at + 1] === 97 &&
    bytes[at + 2] === 116 &&
    bytes[at + 3] === 97 &&
    bytes[at + 4] === COLON
  );
}

/** Reads the fields of a whole block: `data` and `event`; everything else is ignored. */
function parseBlock(raw: Buffer, from: number): SseEvent {
  let event: string | undefined;
  let data: string | undefined;
  let start = from;
  for (let at = from; at < raw.length; at += 1) {
    const byte = raw[at];
    if (byte !== LF && byte !== CR) continue;
    const line = raw.toString('utf8', start, at);
    start = at + 1;
    const colon = line.indexOf(':');
    const name = colon === NONE ? line : line.slice(0, colon);
    if (name !== 'data' && name !== 'event') continue;
    const value = colon === NONE ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'event') event = value;
    else data = data === undefined ? value : `${data}\n${value}`;
  }
  return { event: event === '' ? undefined : event, data: data ?? '', raw };
}

function tooLong(): GatewayError {
  return new GatewayError('provider_stream_broken', { message: 'The provider sent an event longer than allowed.' });
}
