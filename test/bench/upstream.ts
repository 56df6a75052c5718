// The clouds of the bench, in one process: they answer at once with what they have ready, whatever is asked.
// A model named stream-<chunks>x<gap ms> is streamed so.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveCommands } from './child-process.ts';
import {
  AZURE_ANSWER,
  CONVERSE_ANSWER,
  GEMINI_ANSWER,
  MESSAGES_ANSWER,
  STREAM_CHUNK,
  STREAM_END,
  STREAM_START,
} from './payloads.ts';

const PACED = /stream-(\d+)x(\d+)/;

function answerFor(path: string): string {
  if (path.startsWith('/model/')) return CONVERSE_ANSWER;
  if (path.startsWith('/v1/messages')) return MESSAGES_ANSWER;
  return path.includes(':generateContent') ? GEMINI_ANSWER : AZURE_ANSWER;
}

function answerWhole(path: string, response: ServerResponse): void {
  const body = answerFor(path);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Keeps to the clock rather than to the last chunk, so that the gaps do not grow under load. */
function answerPaced(response: ServerResponse, chunks: number, gapMs: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.write(STREAM_START);
  const startedAt = performance.now();
  let sent = 0;
  let timer: NodeJS.Timeout | undefined;
  const next = (): void => {
    sent++;
    if (sent >= chunks) {
      response.end(STREAM_CHUNK + STREAM_END);
      return;
    }
    response.write(STREAM_CHUNK);
    timer = setTimeout(next, Math.max(0, startedAt + sent * gapMs - performance.now()));
  };
  response.on('close', () => clearTimeout(timer));
  next();
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const body: Buffer[] = [];
  request.on('data', (data: Buffer) => body.push(data));
  request.on('end', () => {
    const path = request.url ?? '';
    const [, chunks, gapMs] = PACED.exec(path) ?? PACED.exec(Buffer.concat(body).toString('latin1')) ?? [];
    if (chunks === undefined) answerWhole(path, response);
    else answerPaced(response, Number(chunks), Number(gapMs));
  });
}

const server = createServer({ keepAliveTimeout: 120_000 }, answer);
server.listen(0, '127.0.0.1', 4_096, () => serveCommands((server.address() as AddressInfo).port, () => null));
