import { crc32 } from 'node:zlib';
import { GatewayError, toGatewayError } from '../contract/errors.js';

/** Value of a frame header; integers of 64 bits are bigint, a UUID is its usual text. */
export type EventStreamHeader = string | number | bigint | boolean | Buffer | Date;

export interface EventStreamMessage {
  /** By name as sent (`:event-type`). Frozen: frames with equal headers share one object. */
  readonly headers: Readonly<Record<string, EventStreamHeader | undefined>>;
  /** A view into the received bytes; read it before the next push. */
  readonly payload: Buffer;
}

/** Longest frame accepted, in bytes; AWS's own bound. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
const PRELUDE_BYTES = 12;
/** Total length, headers length, prelude CRC, message CRC. */
const OVERHEAD_BYTES = 16;
const EMPTY = Buffer.alloc(0);

/**
 * Cuts AWS event-stream bytes (`application/vnd.amazon.eventstream`) into messages; both checksums of every frame are
 * checked before anything of it is handed out. It does not know what the events mean.
 *
 * It never throws: what was whole before bytes that are no valid frame is handed out, then `failure` is set, and
 * whatever is pushed later is dropped.
 */
export class EventStreamDecoder {
  /** Bytes of the frame that is not whole yet, in order. */
  private parts: Buffer[] = [];
  private pendingBytes = 0;
  /** Bytes needed before it is worth looking again. */
  private neededBytes = PRELUDE_BYTES;
  private broken: GatewayError | undefined;
  private headerBytes: Buffer = EMPTY;
  private headers: EventStreamMessage['headers'] = Object.freeze({});

  /** `provider_stream_broken` when the bytes were no valid frames; absent = they are fine so far. */
  get failure(): GatewayError | undefined {
    return this.broken;
  }

  /** The messages that are whole with this chunk, in order. */
  push(chunk: Buffer): EventStreamMessage[] {
    const messages: EventStreamMessage[] = [];
    if (this.broken !== undefined) return messages;
    try {
      this.read(chunk, messages);
    } catch (error) {
      this.broken = toGatewayError(error);
    }
    return messages;
  }

  /** Tells the end of the bytes; true = an incomplete frame is left. */
  end(): boolean {
    return this.pendingBytes > 0;
  }

  private read(chunk: Buffer, messages: EventStreamMessage[]): void {
    this.pendingBytes += chunk.length;
    if (this.pendingBytes < this.neededBytes) {
      this.parts.push(chunk);
      return;
    }
    const bytes = this.parts.length === 0 ? chunk : Buffer.concat([...this.parts, chunk], this.pendingBytes);
    let position = 0;
    this.neededBytes = PRELUDE_BYTES;
    while (bytes.length - position >= PRELUDE_BYTES) {
      const frameBytes = readPrelude(bytes, position);
      if (bytes.length - position < frameBytes) {
        this.neededBytes = frameBytes;
        break;
      }
      messages.push(this.message(bytes, position, frameBytes));
      position += frameBytes;
    }
    this.pendingBytes = bytes.length - position;
    this.parts = this.pendingBytes === 0 ? [] : [bytes.subarray(position)];
  }

  private message(bytes: Buffer, start: number, frameBytes: number): EventStreamMessage {
    const end = start + frameBytes - 4;
    if (crc32(bytes.subarray(start, end)) !== bytes.readUInt32BE(end)) throw broken('a frame has a wrong checksum');
    const headersStart = start + PRELUDE_BYTES;
    const payloadStart = headersStart + bytes.readUInt32BE(start + 4);
    return { headers: this.readHeaders(bytes, headersStart, payloadStart), payload: bytes.subarray(payloadStart, end) };
  }

  /** Most frames of a stream have the very headers of the frame before: those are not read again. */
  private readHeaders(bytes: Buffer, start: number, end: number): EventStreamMessage['headers'] {
    const last = this.headerBytes;
    if (last.length !== end - start || bytes.compare(last, 0, last.length, start, end) !== 0) {
      this.headerBytes = Buffer.from(bytes.subarray(start, end));
      this.headers = Object.freeze(parseHeaders(this.headerBytes));
    }
    return this.headers;
  }
}

function broken(detail: string): GatewayError {
  return new GatewayError('provider_stream_broken', { cause: new Error(`event stream: ${detail}`) });
}

/** Length of the frame that begins at `start`. */
function readPrelude(bytes: Buffer, start: number): number {
  if (crc32(bytes.subarray(start, start + 8)) !== bytes.readUInt32BE(start + 8)) {
    throw broken('a prelude has a wrong checksum');
  }
  const frameBytes = bytes.readUInt32BE(start);
  if (frameBytes > MAX_FRAME_BYTES) throw broken('a frame is larger than 16 MiB');
  if (frameBytes < OVERHEAD_BYTES + bytes.readUInt32BE(start + 4)) throw broken('the lengths of a frame disagree');
  return frameBytes;
}

/** A header value and where the next header begins. */
type Read = readonly [value: EventStreamHeader, next: number];

/** By type tag. */
const READERS: readonly ((bytes: Buffer, at: number) => Read)[] = [
  (_bytes, at) => [true, at],
  (_bytes, at) => [false, at],
  (bytes, at) => [bytes.readInt8(at), at + 1],
  (bytes, at) => [bytes.readInt16BE(at), at + 2],
  (bytes, at) => [bytes.readInt32BE(at), at + 4],
  (bytes, at) => [bytes.readBigInt64BE(at), at + 8],
  (bytes, at) => [sized(bytes, at), at + 2 + bytes.readUInt16BE(at)],
  (bytes, at) => [sized(bytes, at).toString('utf8'), at + 2 + bytes.readUInt16BE(at)],
  (bytes, at) => [new Date(Number(bytes.readBigInt64BE(at))), at + 8],
  (bytes, at) => [uuid(bytes.subarray(at, at + 16)), at + 16],
];

function sized(bytes: Buffer, at: number): Buffer {
  const start = at + 2;
  return bytes.subarray(start, start + bytes.readUInt16BE(at));
}

function uuid(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function parseHeaders(bytes: Buffer): Record<string, EventStreamHeader> {
  const headers: Record<string, EventStreamHeader> = {};
  let at = 0;
  try {
    while (at < bytes.length) {
      const nameEnd = at + 1 + bytes.readUInt8(at);
      const name = bytes.toString('utf8', at + 1, nameEnd);
      const read = READERS[bytes.readUInt8(nameEnd)];
      if (read === undefined) throw broken('a header has an unknown type');
      [headers[name], at] = read(bytes, nameEnd + 1);
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw broken('a header is cut short');
  }
  if (at !== bytes.length) throw broken('a header is cut short');
  return headers;
}
