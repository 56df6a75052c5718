// What the gateway is measured against: node:http and undici with nothing between them but the JSON parsed both ways.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { serveCommands } from './child-process.ts';

const [origin = ''] = process.argv.slice(2);
const pool = new Pool(origin, { connections: 2_048 });

async function forward(text: string, response: ServerResponse): Promise<void> {
  const body = JSON.parse(text) as { model: string; stream?: boolean };
  const answer = await pool.request({
    method: 'POST',
    path: `/openai/deployments/${body.model}/chat/completions?api-version=2024-10-21`,
    headers: { 'content-type': 'application/json', 'api-key': 'bench' },
    body: JSON.stringify(body),
  });
  if (body.stream === true) {
    response.writeHead(answer.statusCode, { 'content-type': 'text/event-stream' });
    response.on('close', () => answer.body.destroy());
    answer.body.on('error', () => response.destroy());
    answer.body.pipe(response);
    return;
  }
  const whole = Buffer.from(JSON.stringify(await answer.body.json()));
  response.writeHead(answer.statusCode, { 'content-type': 'application/json', 'content-length': whole.length });
  response.end(whole);
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    forward(Buffer.concat(chunks).toString('utf8'), response).catch(() => response.destroy());
  });
}

const server = createServer({ keepAliveTimeout: 120_000 }, serve);
server.listen(0, '127.0.0.1', 4_096, () => serveCommands((server.address() as AddressInfo).port, () => null));
