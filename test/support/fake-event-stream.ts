import { crc32 } from 'node:zlib';

/** One frame of `application/vnd.amazon.eventstream` with string headers and right checksums. */
export function frame(headers: Readonly<Record<string, string>>, payload: Buffer): Buffer {
  const encoded = Buffer.concat(Object.entries(headers).map(([name, value]) => header(name, value)));
  const total = 16 + encoded.length + payload.length;
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(total, 0);
  prelude.writeUInt32BE(encoded.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const message = Buffer.concat([prelude, encoded, payload]);
  return Buffer.concat([message, uint32(crc32(message))]);
}

/** An event as Bedrock sends it. */
export function eventFrame(type: string, payload: unknown): Buffer {
  const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
  return frame(headers, Buffer.from(JSON.stringify(payload)));
}

/** A modelled failure after the status was sent, such as `throttlingException`. */
export function exceptionFrame(type: string, message: string): Buffer {
  const headers = { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' };
  return frame(headers, Buffer.from(JSON.stringify({ message })));
}

/** A failure outside the model of the service. */
export function errorFrame(code: string, message: string): Buffer {
  return frame({ ':message-type': 'error', ':error-code': code, ':error-message': message }, Buffer.alloc(0));
}

/** The frame with one bit of a checksum turned: of its prelude, or of the whole. */
export function withWrongChecksum(bytes: Buffer, which: 'prelude' | 'message'): Buffer {
  const broken = Buffer.from(bytes);
  const at = which === 'prelude' ? 8 : broken.length - 4;
  broken.writeUInt8(broken.readUInt8(at) ^ 1, at);
  return broken;
}

function header(name: string, value: string): Buffer {
  const nameBytes = Buffer.from(name);
  const valueBytes = Buffer.from(value);
  const size = Buffer.alloc(3);
  size.writeUInt8(7, 0);
  size.writeUInt16BE(valueBytes.length, 1);
  return Buffer.concat([Buffer.from([nameBytes.length]), nameBytes, size, valueBytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
