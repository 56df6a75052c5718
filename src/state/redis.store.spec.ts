import { createHash } from 'node:crypto';
import { openStore, readableLog, redisConfig, uniqueId } from '../../test/quota/quota-bed.js';
import { startRedisServer, type RedisServer } from '../../test/support/redis-server.js';
import type { TollgateConfig } from '../config/config.schema.js';
import type { RedisStore } from './redis.store.js';
import type { Script } from './script.js';
import { StoreReplyError, StoreUnavailableError } from './store-error.js';

const ECHO: Script = { name: 'echo', source: 'return ARGV[1]', sha: 'e'.repeat(40) };
const servers: RedisServer[] = [];
const stores: RedisStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) store.close();
  await Promise.all(servers.splice(0).map((server) => server.kill()));
});

const ownServer = async (options: Parameters<typeof startRedisServer>[0] = {}): Promise<RedisServer> => {
  const server = await startRedisServer(options);
  servers.push(server);
  return server;
};

const storeTo = async (redis: Partial<TollgateConfig['redis']> = {}, commandTimeoutMs = 2_000): Promise<RedisStore> => {
  const store = await openStore(redisConfig(redis), { commandTimeoutMs });
  stores.push(store);
  return store;
};

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

const availability = (store: RedisStore, wanted: boolean): Promise<void> =>
  new Promise((resolve) => {
    if (store.available === wanted) return resolve();
    const remove = store.onAvailability((available) => {
      if (available !== wanted) return;
      remove();
      resolve();
    });
  });

it('runs a script the server does not know, and one it has forgotten', async () => {
  const server = await ownServer();
  const store = await storeTo({ url: server.url });
  const known = { ...ECHO, sha: createHash('sha1').update(ECHO.source).digest('hex') };
  expect(await store.run(known, ['k'], ['one'])).toBe('one');
  expect(await server.command('SCRIPT', 'FLUSH')).toBe('+OK');
  const replies = await Promise.all(Array.from({ length: 50 }, (_, index) => store.run(known, ['k'], [index])));
  expect(replies).toEqual(Array.from({ length: 50 }, (_, index) => String(index)));
});

it('gives up a call after its own timeout, opens when silence lasts, and comes back by itself', async () => {
  const server = await ownServer();
  const store = await storeTo({ url: server.url }, 100);
  server.pause();
  const start = performance.now();
  const ask = () => Promise.all(Array.from({ length: 5 }, () => failureOf(store.get('a'))));
  const failures = await ask();
  expect(store.available).toBe(true);
  await ask();
  expect(performance.now() - start).toBeLessThan(300);
  expect(failures).toEqual(Array.from({ length: 5 }, () => expect.objectContaining({ outcome: 'unknown' })));
  expect(store.available).toBe(false);
  const beforeOpenCall = performance.now();
  expect(await failureOf(store.get('a'))).toMatchObject({ name: 'StoreUnavailableError', outcome: 'none' });
  expect(performance.now() - beforeOpenCall).toBeLessThan(20);
  server.resume();
  const resumedAt = performance.now();
  await availability(store, true);
  expect(performance.now() - resumedAt).toBeLessThan(2_000);
  expect(await store.get('a')).toBeNull();
});

it('fails at once when the server dies, and finds the next one at the same place', async () => {
  const server = await ownServer();
  const store = await storeTo({ url: server.url }, 100);
  const isAway = availability(store, false);
  server.pause();
  const inFlight = failureOf(store.get('a'));
  await server.kill();
  expect(await inFlight).toBeInstanceOf(StoreUnavailableError);
  await isAway;
  await ownServer({ port: server.port });
  await availability(store, true);
  expect(await store.set('a', '1')).toBe(true);
});

it('answers every call that is in flight when connections break', async () => {
  const server = await ownServer();
  const store = await storeTo({ url: server.url }, 100);
  for (let round = 0; round < 5; round += 1) {
    const killed = server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    let breaks = 0;
    while (breaks === 0) {
      const calls = await Promise.all(Array.from({ length: 100 }, () => failureOf(store.run(ECHO, ['k'], ['x']))));
      breaks = calls.filter((failure) => failure !== undefined).length;
    }
    expect(await killed).toMatch(/^:[1-9]/);
    await availability(store, true);
    expect(await store.run(ECHO, ['k'], ['again'])).toBe('again');
  }
});

it('tells a defect from an absent store', async () => {
  const store = await storeTo();
  const key = uniqueId('w');
  await store.set(key, 'text', { ttlMs: 10_000 });
  for (let count = 0; count < 10; count += 1) {
    expect(await failureOf(store.hashGetAll(key))).toBeInstanceOf(StoreReplyError);
  }
  expect(store.available).toBe(true);
});

it('counts a server that is out of memory as away', async () => {
  const server = await ownServer();
  const store = await storeTo({ url: server.url });
  await server.command('CONFIG', 'SET', 'maxmemory', '1');
  expect(await failureOf(store.set('a', '1'))).toMatchObject({ name: 'StoreUnavailableError', outcome: 'none' });
});

it('leaves a server that became a replica, and takes it again when it is primary', async () => {
  const server = await ownServer();
  const store = await storeTo({ url: server.url });
  const isAway = availability(store, false);
  await server.command('REPLICAOF', '127.0.0.1', '1');
  expect(await failureOf(store.set('a', '1'))).toMatchObject({ name: 'StoreUnavailableError', outcome: 'none' });
  await isAway;
  await server.command('REPLICAOF', 'NO', 'ONE');
  await availability(store, true);
  expect(await store.set('a', '1')).toBe(true);
});

it('hears published messages, again after a reconnection', async () => {
  const server = await ownServer();
  const store = await storeTo({ url: server.url });
  const heard: string[] = [];
  let tell: () => void = () => undefined;
  const remove = await store.subscribe('channel', (message) => {
    heard.push(message);
    tell();
  });
  const next = (): Promise<void> => new Promise((resolve) => (tell = resolve));
  const first = next();
  await store.publish('channel', 'one');
  await first;
  const second = next();
  expect(await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')).toBe(':1');
  while (heard.length < 2) {
    await store.publish('channel', 'two');
    await Promise.race([second, store.get('a')]);
  }
  expect(heard.slice(0, 2)).toEqual(['one', 'two']);
  remove();
});

it('sets only what is absent, with a life time', async () => {
  const store = await storeTo({ connections: 3 });
  const key = uniqueId('s');
  expect(await store.set(key, '1', { onlyIfAbsent: true, ttlMs: 60_000 })).toBe(true);
  expect(await store.set(key, '2', { onlyIfAbsent: true })).toBe(false);
  expect(await store.get(key)).toBe('1');
  expect(await store.delete(key)).toBe(true);
  expect(await store.delete(key)).toBe(false);
});

it('starts without a store that is not there', async () => {
  const server = await ownServer();
  await server.kill();
  const { logger, lines } = readableLog();
  const redis = redisConfig({ url: server.url });
  const store = await openStore(redis, { logger, connectMs: 100 });
  stores.push(store);
  expect(store.available).toBe(false);
  expect(lines.some(({ msg }) => String(msg).startsWith('the store is away'))).toBe(true);
});

it('tells of every call that failed until it need not any more', async () => {
  const server = await ownServer();
  const store = await storeTo({ url: server.url });
  let failures = 0;
  const remove = store.onFailure(() => failures++);
  await store.get('a');
  await failureOf(store.run({ ...ECHO, source: 'no lua' }, ['k'], []));
  expect(failures).toBe(1);
  remove();
  await failureOf(store.run({ ...ECHO, source: 'no lua' }, ['k'], []));
  expect(failures).toBe(1);
});
