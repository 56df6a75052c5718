import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startEmbeddedServer, type EmbeddedServer } from './embedded-server.js';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const deaths = (): {
  readonly seen: string[];
  readonly first: Promise<string>;
  readonly hear: (reason: string) => void;
} => {
  const seen: string[] = [];
  let tell: (reason: string) => void = () => undefined;
  const first = new Promise<string>((resolve) => (tell = resolve));
  const hear = (reason: string): void => {
    seen.push(reason);
    tell(reason);
  };
  return { seen, first, hear };
};

let server: EmbeddedServer;
let redis: Redis;
afterEach(() => {
  redis.disconnect();
  server.stop();
});

const connect = (url: string): Redis => {
  const client = new Redis(url, {
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    disconnectTimeout: 50,
    lazyConnect: true,
  });
  client.on('error', () => undefined);
  return client;
};

it('keeps numbers beyond 32 bits exact', async () => {
  server = await startEmbeddedServer(() => undefined);
  redis = connect(server.url);
  expect(await redis.hincrby('h', 'f', 4_503_599_627_370_496)).toBe(4_503_599_627_370_496);
  expect(await redis.hincrby('h', 'f', -1)).toBe(4_503_599_627_370_495);
  const script = `
    local t = redis.call('TIME')
    local now = tonumber(t[1]) * 1000
    redis.call('ZADD', KEYS[1], string.format('%.0f', now), 'm')
    local b = math.floor(now / 83.3)
    local seen = { [b] = 'x' }
    redis.call('HINCRBY', KEYS[2], string.format('%.0f', b), '8000000000000000')
    return { string.format('%.0f', now), redis.call('ZSCORE', KEYS[1], 'm'), seen[b],
      redis.call('HGET', KEYS[2], string.format('%.0f', b)), string.format('%.0f', 9007199254740991) }`;
  const [now, score, seen, units, largest] = (await redis.eval(script, 2, 'z', 'r')) as string[];
  expect(Math.abs(Number(now) - Date.now())).toBeLessThan(5_000);
  expect([score, seen, units, largest]).toEqual([now, 'x', '8000000000000000', '9007199254740991']);
});

it('forgets keys whose time is over without being asked for them', async () => {
  server = await startEmbeddedServer(() => undefined);
  redis = connect(server.url);
  await redis.set('short', '1', 'PX', 1);
  let expired = 0;
  for (let tries = 0; tries < 500 && expired === 0; tries += 1) {
    const info = await redis.info('stats');
    expired = Number(/expired_keys:(\d+)/.exec(info)?.[1]);
    await redis.call('BLPOP', 'nothing', '0.01');
  }
  expect(expired).toBe(1);
});

it('lets nobody in without its password', async () => {
  server = await startEmbeddedServer(() => undefined);
  const { port } = new URL(server.url);
  redis = connect(`redis://127.0.0.1:${port}`);
  await expect(redis.get('a')).rejects.toThrow(/NOAUTH/);
});

it('outlives the signals that are meant for the gateway, and ends with its channel', async () => {
  const { seen, hear } = deaths();
  server = await startEmbeddedServer(hear);
  redis = connect(server.url);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(server.pid, signal);
  expect(await redis.ping()).toBe('PONG');
  const isClosed = once(redis, 'end');
  server.stop();
  await isClosed;
  expect(seen).toEqual([]);
});

it('tells when it died, and is not started again', async () => {
  const { first, hear } = deaths();
  server = await startEmbeddedServer(hear);
  redis = connect(server.url);
  process.kill(server.pid, 'SIGKILL');
  expect(await first).toBe('SIGKILL');
  expect(isAlive(server.pid)).toBe(false);
  await expect(redis.ping()).rejects.toThrow();
});

it('ends with its parent, even when that is killed', async () => {
  const module = join(import.meta.dirname, 'embedded-server.ts');
  const program = `
    const { startEmbeddedServer } = await import(${JSON.stringify(module)});
    const server = await startEmbeddedServer(() => undefined);
    console.log(JSON.stringify({ url: server.url }));
    setInterval(() => undefined, 1_000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '--no-warnings', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  redis = connect((JSON.parse(line.toString()) as { url: string }).url);
  expect(await redis.ping()).toBe('PONG');
  const isClosed = once(redis, 'end');
  parent.kill('SIGKILL');
  await isClosed;
  redis = connect(`redis://127.0.0.1:${redis.options.port}`);
  await expect(redis.ping()).rejects.toThrow();
});
