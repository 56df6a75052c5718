import { fork } from 'node:child_process';
import { once } from 'node:events';

// One store for all suites: the one REDIS_URL names, else a real redis-server, else Valkey as WebAssembly. It runs under
// a keeper process, which ends it with its IPC channel: an aborted run leaves nothing behind.
export default async () => {
  if (process.env.REDIS_URL) return;
  const keeper = fork(new URL('./store-keeper.mjs', import.meta.url), { stdio: 'ignore', execArgv: ['--no-warnings'] });
  const [url] = await Promise.race([
    once(keeper, 'message'),
    once(keeper, 'exit').then(() => Promise.reject(new Error('no store could be started for the tests'))),
  ]);
  keeper.unref();
  keeper.channel.unref();
  globalThis.__STORE_KEEPER__ = keeper;
  process.env.REDIS_URL = url;
};
