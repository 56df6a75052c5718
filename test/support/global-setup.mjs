import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

const freePort = async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
};

export default async () => {
  if (process.env.REDIS_URL) return;
  const port = await freePort();
  const child = fork(new URL('./valkey.mjs', import.meta.url), [String(port)], {
    stdio: 'ignore',
    execArgv: ['--no-warnings'],
  });
  await once(child, 'message');
  globalThis.__VALKEY__ = child;
  process.env.REDIS_URL = `redis://127.0.0.1:${port}`;
};
