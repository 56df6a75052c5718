import type { IncomingMessage, ServerResponse } from 'node:http';

/** An upload refused unread is still taken for so many bytes, so that the client can read the answer … */
const LINGER_BYTES = 65_536;
/** … and for so long. */
const LINGER_MS = 1_000;

/**
 * Prepares an answer to a request whose body was not read to its end. Small bodies are left to Node, which reads
 * them away and keeps the connection; for others the connection is closed after a short linger.
 */
export function lingerOnUnreadBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || response.headersSent) return;
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && Number(length ?? 0) <= LINGER_BYTES) return;
  response.setHeader('connection', 'close');
  const { socket } = request;
  let taken = 0;
  request.on('data', (chunk: Buffer) => {
    taken += chunk.length;
    if (taken > LINGER_BYTES) socket.destroySoon();
  });
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
