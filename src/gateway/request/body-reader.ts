import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '../../contract/errors.js';

/** Set by the listener on a request that waits for "100 Continue". */
const CONTINUE = Symbol('expects-continue');

/** Marks a request whose client sends its body only after "100 Continue". */
export function markExpectsContinue(request: IncomingMessage): void {
  (request as { [CONTINUE]?: true })[CONTINUE] = true;
}

function checkHead({ headers }: IncomingMessage, maxBytes: number): void {
  const { 'content-type': type, 'content-encoding': encoding, 'content-length': length } = headers;
  if ((headers['transfer-encoding'] ?? 'chunked').toLowerCase() !== 'chunked') {
    throw new GatewayError('unsupported_media_type', {
      message: 'Send the body without a transfer coding other than "chunked".',
      headers: { connection: 'close' },
    });
  }
  const mediaType = type?.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json' && mediaType?.endsWith('+json') !== true) {
    throw new GatewayError('unsupported_media_type', { message: 'Send the body as "content-type: application/json".' });
  }
  if (encoding !== undefined && encoding !== 'identity') {
    throw new GatewayError('unsupported_media_type', { message: 'Send the body without "content-encoding".' });
  }
  if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError('request_too_large', { message: `The body is larger than ${maxBytes} bytes.` });
}

/** Bounds of a body. */
export interface BodyLimits {
  readonly maxBytes: number;
  /** How long it may take from now until its last byte, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Reads a JSON body of at most `maxBytes`; not one byte more is kept. Throws `unsupported_media_type`,
 * `request_too_large`, `request_timeout`, or `client_closed` when the client leaves first.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limits: BodyLimits,
): Promise<Buffer> {
  const { maxBytes, timeoutMs } = limits;
  checkHead(request, maxBytes);
  if (request.destroyed) throw new GatewayError('client_closed');
  if ((request as { [CONTINUE]?: true })[CONTINUE]) response.writeContinue();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > maxBytes) return fail(tooLarge(maxBytes));
      chunks.push(chunk);
    };
    const onEnd = (): void => {
      detach();
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length));
    };
    const onGone = (): void => fail(new GatewayError('client_closed'));
    const onLate = (): void => fail(new GatewayError('request_timeout', { headers: { connection: 'close' } }));
    // Nearly every body is there by now: those need no timer.
    const timer = request.complete ? undefined : setTimeout(onLate, timeoutMs);
    const fail = (error: GatewayError): void => {
      detach();
      request.pause();
      reject(error);
    };
    const detach = (): void => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
    };
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}
