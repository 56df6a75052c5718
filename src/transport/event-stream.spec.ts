import { EventStreamCodec, Int64 } from '@smithy/core/event-streams';
import { crc32 } from 'node:zlib';
import { EventStreamDecoder, type EventStreamMessage } from './event-stream.js';

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
);

type OracleHeaders = Parameters<typeof codec.encode>[0]['headers'];

function frame(headers: OracleHeaders, body: string): Buffer {
  return Buffer.from(codec.encode({ headers, body: Buffer.from(body) }));
}

const text = (value: string) => ({ type: 'string' as const, value });

const EVERY_TYPE: OracleHeaders = {
  yes: { type: 'boolean', value: true },
  no: { type: 'boolean', value: false },
  byte: { type: 'byte', value: -7 },
  short: { type: 'short', value: -300 },
  integer: { type: 'integer', value: 70_000 },
  long: { type: 'long', value: Int64.fromNumber(-5_000_000_000) },
  binary: { type: 'binary', value: Uint8Array.of(1, 2, 3) },
  ':event-type': text('contentBlockDelta'),
  when: { type: 'timestamp', value: new Date(1_700_000_000_000) },
  uuid: { type: 'uuid', value: '01234567-89ab-cdef-0123-456789abcdef' },
};

const STREAM = Buffer.concat([
  frame({ ':event-type': text('messageStart'), ':message-type': text('event') }, '{"role":"assistant"}'),
  frame({ ':event-type': text('contentBlockDelta') }, '{"delta":{"text":"héé"}}'),
  frame({ ':event-type': text('contentBlockDelta') }, '{"delta":{"text":"two"}}'),
  frame({}, ''),
  frame(EVERY_TYPE, 'x'.repeat(70_000)),
]);

/** What the decoder said, as values that stay when the bytes go. */
function kept(messages: readonly EventStreamMessage[]) {
  return messages.map(({ headers, payload }) => ({ headers: { ...headers }, payload: payload.toString('utf8') }));
}

function broken(bytes: Buffer): unknown {
  const decoder = new EventStreamDecoder();
  const messages = decoder.push(bytes);
  return messages.length === 0 ? decoder.failure?.code : messages;
}

/** A frame written by hand, so that it may lie; both checksums are right for what it says. */
function rawFrame({
  total,
  headers = Buffer.alloc(0),
  headersLength = headers.length,
  body = Buffer.alloc(0),
}: RawFrame) {
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(total ?? 16 + headers.length + body.length, 0);
  prelude.writeUInt32BE(headersLength, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const message = Buffer.concat([prelude, headers, body]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(message));
  return Buffer.concat([message, checksum]);
}

interface RawFrame {
  readonly total?: number;
  readonly headers?: Buffer;
  readonly headersLength?: number;
  readonly body?: Buffer;
}

describe('EventStreamDecoder', () => {
  it('reads what the codec of the SDK wrote, with every type of header', () => {
    const [message] = new EventStreamDecoder().push(frame(EVERY_TYPE, '{"a":1}'));
    expect(message?.headers).toEqual({
      yes: true,
      no: false,
      byte: -7,
      short: -300,
      integer: 70_000,
      long: -5_000_000_000n,
      binary: Buffer.from([1, 2, 3]),
      ':event-type': 'contentBlockDelta',
      when: new Date(1_700_000_000_000),
      uuid: '01234567-89ab-cdef-0123-456789abcdef',
    });
    expect(message?.payload.toString()).toBe('{"a":1}');
  });

  it.each([1, 2, 3, 5, 11, 13, 64, 997, 65_536])('gives the same messages when bytes come %d at a time', (size) => {
    const whole = kept(new EventStreamDecoder().push(STREAM));
    const decoder = new EventStreamDecoder();
    const pieces = [];
    for (let at = 0; at < STREAM.length; at += size) pieces.push(...kept(decoder.push(STREAM.subarray(at, at + size))));
    expect(pieces).toEqual(whole);
    expect(whole).toHaveLength(5);
    expect(decoder.end()).toBe(false);
  });

  it('shares the headers of equal frames and not those of others', () => {
    const [start, first, second] = new EventStreamDecoder().push(STREAM);
    expect(second?.headers).toBe(first?.headers);
    expect(start?.headers).not.toBe(first?.headers);
  });

  it('tells that an incomplete frame is left at the end', () => {
    const decoder = new EventStreamDecoder();
    decoder.push(STREAM.subarray(0, STREAM.length - 1));
    expect(decoder.end()).toBe(true);
  });

  it('refuses every single flipped bit', () => {
    const good = frame({ ':event-type': text('messageStop') }, '{"stopReason":"end_turn"}');
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(broken(bad)).toBe('provider_stream_broken');
    }
  });

  it.each([
    ['a length of zero', rawFrame({ total: 0 })],
    ['a length of 2^31', rawFrame({ total: 2 ** 31 })],
    ['a length above 16 MiB', rawFrame({ total: 16 * 1024 * 1024 + 1 })],
    ['headers longer than the frame', rawFrame({ headersLength: 1 })],
    ['a header of an unknown type', rawFrame({ headers: Buffer.from([1, 97, 10]) })],
    ['a header name cut short', rawFrame({ headers: Buffer.from([9, 97]) })],
    ['a header value cut short', rawFrame({ headers: Buffer.from([1, 97, 7, 0, 9, 97]) })],
    ['a UUID cut short', rawFrame({ headers: Buffer.from([1, 97, 9, 1]) })],
  ])('refuses %s', (_what, bytes) => {
    expect(broken(bytes)).toBe('provider_stream_broken');
  });

  it('hands out what was whole before a broken frame, and nothing after it', () => {
    const decoder = new EventStreamDecoder();
    const good = frame({ ':event-type': text('messageStart') }, '{}');
    expect(decoder.push(Buffer.concat([good, rawFrame({ total: 0 }), good]))).toHaveLength(1);
    expect(decoder.failure?.code).toBe('provider_stream_broken');
    expect(decoder.push(good)).toEqual([]);
  });

  it('refuses a bad prelude before the frame is whole', () => {
    expect(broken(rawFrame({ total: 2 ** 31 }).subarray(0, 12))).toBe('provider_stream_broken');
  });
});
