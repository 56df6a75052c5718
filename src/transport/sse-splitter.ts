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
const SPACE = 32;
const NONE = -1;

/** An event inside one chunk; its bytes are cut out only when asked for. */
class ChunkEvent implements SseEvent {
  readonly event = undefined;

  constructor(
    readonly data: string,
    private readonly chunk: Buffer,
    private readonly start: number,
    private readonly stop: number,
  ) {}

  get raw(): Buffer {
    const { chunk, start, stop } = this;
    return start === 0 && stop === chunk.length ? chunk : chunk.subarray(start, stop);
  }
}

/**
 * Splits a server-sent event stream: line ends of LF, CR and CRLF, cut anywhere, inside a character too. A chunk is
 * decoded once; where every byte became one character, as in ASCII, or one event fills it, the events' data are slices
 * of that text, else each event is decoded from its own bytes. An event that spans chunks is put together once, when it is complete.
 */
export class SseSplitter {
  /** Bytes of the open event that came in earlier chunks. */
  private parts: Buffer[] = [];
  private partBytes = 0;
  private isAtLineStart = true;
  /** The last byte was a CR, so that an LF now belongs to it. */
  private isAfterCr = false;
  private isFirst = true;
  /** The present chunk, one character a byte. */
  private text = '';
  /** The present chunk has one character a byte when it is decoded. */
  private isExact = false;

  /** @param maxEventBytes longest event, its blank line included. */
  constructor(private readonly maxEventBytes: number) {}

  /** Events completed by these bytes. Throws `provider_stream_broken` when one is longer than allowed. */
  push(chunk: Buffer): SseEvent[] {
    const events: SseEvent[] = [];
    if (chunk.length === 0) return events;
    const text = chunk.toString('utf8');
    // UTF-8 never makes more characters than bytes, so equal lengths mean one character for each byte.
    this.isExact = text.length === chunk.length;
    const start = this.isPlain(text) ? this.takePlain(chunk, text, events) : 0;
    if (start === text.length) return events;
    this.text = this.isExact ? text : chunk.toString('latin1');
    this.split(chunk, start, events);
    return events;
  }

  /** True when bytes of an incomplete event are left: the stream was cut. */
  end(): boolean {
    return this.partBytes > 0;
  }

  /** True when the chunk begins a block and has no CR: what providers send nearly always. */
  private isPlain(text: string): boolean {
    return this.partBytes === 0 && !this.isAfterCr && !this.isFirst && !text.includes('\r');
  }

  /** Takes events of a single data line off the front; returns where the rest begins. */
  private takePlain(chunk: Buffer, text: string, events: SseEvent[]): number {
    let start = 0;
    while (start < text.length) {
      const end = text.indexOf('\n', start);
      if (end === NONE || text.charCodeAt(end + 1) !== LF || !text.startsWith('data:', start)) break;
      const stop = end + 2;
      const isAll = start === 0 && stop === text.length;
      // Without a character for each byte only an event that fills the chunk has known bounds.
      if (!this.isExact && !isAll) break;
      if ((isAll ? chunk.length : stop - start) > this.maxEventBytes) throw tooLong();
      const from = start + (text.charCodeAt(start + 5) === SPACE ? 6 : 5);
      events.push(new ChunkEvent(text.slice(from, end), chunk, start, isAll ? chunk.length : stop));
      start = stop;
    }
    return start;
  }

  private split(chunk: Buffer, from: number, events: SseEvent[]): void {
    const { text } = this;
    let start = this.skipLineFeed(chunk, events) || from;
    let position = this.isAfterCr && text.charCodeAt(0) === LF ? 1 : start;
    this.isAfterCr = false;
    let nextCr = text.indexOf('\r', position);
    // Where the only line of the block ends; NONE = it has none yet, or several.
    let lineEnd = NONE;
    let lines = 0;
    while (position < text.length) {
      const nextLf = text.indexOf('\n', position);
      if (nextCr !== NONE && nextCr < position) nextCr = text.indexOf('\r', position);
      const end = nextCr !== NONE && (nextLf === NONE || nextCr < nextLf) ? nextCr : nextLf;
      const isBlank = end === position && this.isAtLineStart;
      this.isAtLineStart = end !== NONE;
      if (end === NONE) break;
      position = this.afterLineEnd(end);
      lines = isBlank ? 0 : lines + 1;
      if (!isBlank) lineEnd = lines === 1 ? end : NONE;
      if (!isBlank) continue;
      events.push(this.complete(chunk, { start, stop: position, lineEnd }));
      start = position;
      lineEnd = NONE;
    }
    this.keep(chunk, start);
  }

  /** The rest of a CRLF whose CR ended both the last chunk and an event is an event of its own, without data. */
  private skipLineFeed(chunk: Buffer, events: SseEvent[]): number {
    if (!this.isAfterCr || this.partBytes > 0 || chunk[0] !== LF) return 0;
    events.push(new ChunkEvent('', chunk, 0, 1));
    return 1;
  }

  private afterLineEnd(end: number): number {
    const { text } = this;
    if (text.charCodeAt(end) === LF) return end + 1;
    if (end + 1 === text.length) this.isAfterCr = true;
    return text.charCodeAt(end + 1) === LF ? end + 2 : end + 1;
  }

  private keep(chunk: Buffer, start: number): void {
    this.text = '';
    if (start === chunk.length) return;
    this.partBytes += chunk.length - start;
    if (this.partBytes > this.maxEventBytes) throw tooLong();
    this.parts.push(start === 0 ? chunk : chunk.subarray(start));
  }

  private complete(chunk: Buffer, block: { start: number; stop: number; lineEnd: number }): SseEvent {
    const { start, stop, lineEnd } = block;
    if (this.partBytes + stop - start > this.maxEventBytes) throw tooLong();
    if (this.partBytes > 0 || this.isFirst) return this.assemble(chunk.subarray(start, stop));
    const { text } = this;
    if (lineEnd === NONE || !text.startsWith('data:', start)) return parseBlock(chunk.subarray(start, stop), 0);
    const from = start + (text.charCodeAt(start + 5) === SPACE ? 6 : 5);
    const data = this.isExact ? text.slice(from, lineEnd) : chunk.toString('utf8', from, lineEnd);
    return new ChunkEvent(data, chunk, start, stop);
  }

  private assemble(last: Buffer): SseEvent {
    const raw = this.parts.length === 0 ? last : Buffer.concat([...this.parts, last]);
    this.parts = [];
    this.partBytes = 0;
    const hasMark = this.isFirst && raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf;
    this.isFirst = false;
    return parseBlock(raw, hasMark ? 3 : 0);
  }
}

/** Reads the fields of a whole block: `data` and `event`; everything else is ignored. */
function parseBlock(raw: Buffer, from: number): SseEvent {
  let event: string | undefined;
  let data: string | undefined;
  for (const line of raw.toString('utf8', from).split(/\r\n|\r|\n/)) {
    const colon = line.indexOf(':');
    const name = colon === NONE ? line : line.slice(0, colon);
    if (name !== 'data' && name !== 'event') continue;
    const value = colon === NONE ? '' : line.slice(line.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1);
    if (name === 'event') event = value;
    else data = data === undefined ? value : `${data}\n${value}`;
  }
  return { event: event === '' ? undefined : event, data: data ?? '', raw };
}

function tooLong(): GatewayError {
  return new GatewayError('provider_stream_broken', { message: 'The provider sent an event longer than allowed.' });
}
