import type { IncomingMessage, ServerResponse } from 'node:http';

/** An upload refused unread is still taken for so many bytes … */
const LINGER_BYTES = 65_536;
/** … and its connection kept for so long, so that the client can read the answer. */
const LINGER_MS = 1_000;

/**
 * True when the rest of a body is on its way that nobody wants. Small bodies are left to Node, which reads them away and
 * keeps the connection, unless the answer closes it.
 */
export function hasUnreadUpload(request: IncomingMessage, closes: boolean): boolean {
  if (request.complete) return false;
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return closes || encoding !== undefined || Number(length ?? 0) > LINGER_BYTES;
}

/**
 * Ends an answer, whose head is written already and closes the connection, to a request with an unread upload. The answer
 * leaves at once, the connection is closed when the client has closed it or sent all, at most a second later: closed
 * at once it would be reset under a client that still sends, which would then see the reset in place of the answer.
 * What the client sends beyond 64 KiB waits on its side.
 */
export function endUnread(request: IncomingMessage, response: ServerResponse, body: string): void {
  const end = (): void => void response.end();
  const timer = setTimeout(end, LINGER_MS);
  response.once('close', () => clearTimeout(timer));
  response.write(body);
  let taken = 0;
  request.on('data', (chunk: Buffer) => {
    taken += chunk.length;
    if (taken > LINGER_BYTES) request.pause();
  });
  request.once('end', end);
  request.resume();
}
