import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { requestRecord } from '../../test/support/request-record.ts';
import { buildConfig } from '../config/build-config.js';
import { ConfigStore } from '../config/config.store.js';
import { FileReader } from '../config/file-reader.js';
import { createLogger } from '../config/logging.js';
import type { RequestRecord } from '../contract/record.js';
import { BackgroundTasks } from '../state/background-tasks.js';
import { openStore } from '../state/open-store.js';
import type { RedisStore } from '../state/redis.store.js';
import { FloodControl } from './flood.control.js';
import { FloodObserver } from './flood.observer.js';
import { FloodWindows } from './flood-window.js';

const LIMITS = { limit: 3, windowMs: 60_000, blockMs: 30_000 };
const logger = createLogger('silent');

describe('FloodWindows', () => {
  const NOW = 1_000_000;

  it('blocks the request that passes the limit, until the block ends', () => {
    const windows = new FloodWindows();
    const hits = [1, 2, 3, 4, 5].map((second) => windows.hit('a', LIMITS, NOW + second * 1_000).blockLeftMs);

    expect(hits).toEqual([0, 0, 0, 30_000, 29_000]);
    expect(windows.blockLeftMs('a', NOW + 33_999)).toBe(1);
    expect(windows.hit('a', LIMITS, NOW + 34_000)).toEqual({ hits: 1, windowLeftMs: 60_000, blockLeftMs: 0 });
    expect(windows.blockLeftMs('b', NOW)).toBe(0);
  });

  it('starts anew with each window', () => {
    const windows = new FloodWindows();
    for (let minute = 0; minute < 10; minute++) {
      for (let hit = 1; hit <= 3; hit++) {
        expect(windows.hit('a', LIMITS, NOW + minute * 60_000)).toMatchObject({ hits: hit, blockLeftMs: 0 });
      }
    }
  });

  it('forgets the addresses longest unseen', () => {
    const windows = new FloodWindows();
    for (let hit = 0; hit < 3; hit++) windows.hit('a', LIMITS, NOW);
    for (let index = 0; index < 20_000; index++) windows.hit(`other-${index}`, LIMITS, NOW);

    expect(windows.hit('a', LIMITS, NOW).hits).toBe(1);
  });
});

describe('FloodControl', () => {
  let close: () => void;
  let store: RedisStore;
  let tasks: BackgroundTasks;
  const { config } = buildConfig(
    {
      source: 'test',
      value: {
        auth: { flood: LIMITS, pepper: 'a pepper of more than thirty-two characters' },
        redis: {
          url: process.env['REDIS_URL'],
          keyPrefix: `t${randomBytes(8).toString('hex')}`,
          commandTimeoutMs: 2_000,
        },
      },
    },
    {
      kinds: [{ kind: 'test', settings: z.strictObject({}) }],
      environment: {},
      directory: '/',
      reader: new FileReader(),
      pepper: '',
    },
  );
  const replica = () =>
    new FloodControl(new ConfigStore({ version: 1, sha: '', source: 'file', config }), store, tasks, logger);
  const hit = (flood: FloodControl, address: string) => flood.increment(address, 60_000, 3, 30_000);

  beforeAll(async () => {
    ({ store, close } = await openStore(config.redis, logger));
    tasks = new BackgroundTasks(logger);
  });
  afterAll(() => close());

  it('counts for all replicas together', async () => {
    const [one, two] = [replica(), replica()];
    expect(await hit(one, '192.0.2.1')).toMatchObject({ totalHits: 1, isBlocked: false, timeToExpire: 60 });
    expect(await hit(two, '192.0.2.1')).toMatchObject({ totalHits: 2, isBlocked: false });
    expect(await hit(one, '192.0.2.1')).toMatchObject({ totalHits: 3, isBlocked: false });
    expect(await hit(two, '192.0.2.1')).toMatchObject({ isBlocked: true, timeToBlockExpire: 30 });
    expect(await hit(one, '192.0.2.1')).toMatchObject({ isBlocked: true, timeToBlockExpire: 30 });
    expect(await hit(one, '192.0.2.2')).toMatchObject({ totalHits: 1, isBlocked: false });
  });

  it('asks the store nothing about an address it knows to be blocked', async () => {
    const flood = replica();
    for (let count = 0; count < 4; count++) await hit(flood, '192.0.2.3');
    const calls = jest.spyOn(store, 'run');

    expect(await hit(flood, '192.0.2.3')).toMatchObject({ isBlocked: true });
    flood.recordFailure('192.0.2.3');
    expect(flood.blockLeftMs('192.0.2.3')).toBeGreaterThan(29_000);
    expect(calls).not.toHaveBeenCalled();
    calls.mockRestore();
  });

  it('gives every key of the store an expiry', async () => {
    const flood = replica();
    for (let count = 0; count < 5; count++) {
      await hit(flood, '192.0.2.4');
      const left = await store.run(
        { name: 'ttl', source: "return redis.call('PTTL', KEYS[1])", sha: '0'.repeat(40) },
        [store.keys.shared('flood', '192.0.2.4')],
        [],
      );
      expect(left).toBeGreaterThan(0);
    }
  });

  it('counts an IPv6 address by its /64 and a mapped one as IPv4', async () => {
    const flood = replica();
    for (const address of ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:db8:0:1:ffff::3', '2001:db8:0:1::4']) {
      flood.recordFailure(address);
    }
    for (let count = 0; count < 4; count++) flood.recordFailure('::ffff:192.0.2.5');
    await tasks.drain(2_000);

    expect(flood.blockLeftMs('2001:db8:0:1::9')).toBeGreaterThan(0);
    expect(flood.blockLeftMs('2001:db8:0:2::1')).toBe(0);
    expect(flood.blockLeftMs('192.0.2.5')).toBeGreaterThan(0);
  });

  it('counts in this process while the store is away', async () => {
    const available = jest.spyOn(store, 'available', 'get').mockReturnValue(false);
    const calls = jest.spyOn(store, 'run');
    const flood = replica();
    for (let count = 0; count < 3; count++) expect((await hit(flood, '192.0.2.6')).isBlocked).toBe(false);

    expect(await hit(flood, '192.0.2.6')).toMatchObject({ isBlocked: true, timeToBlockExpire: 30 });
    expect(calls).not.toHaveBeenCalled();
    available.mockRestore();
    calls.mockRestore();
  });

  it('counts in this process what the store failed to count', async () => {
    const calls = jest.spyOn(store, 'run').mockRejectedValue(new Error('lost'));
    const flood = replica();
    for (let count = 0; count < 4; count++) flood.recordFailure('192.0.2.7');
    await tasks.drain(2_000);

    expect(flood.blockLeftMs('192.0.2.7')).toBeGreaterThan(0);
    calls.mockRestore();
  });

  describe('through FloodObserver', () => {
    const anonymous = (changes: Partial<RequestRecord>) =>
      requestRecord({ caller: undefined, status: 404, ...changes });
    const blocksAfter = async (address: string, close: (observer: FloodObserver) => void): Promise<boolean> => {
      const flood = replica();
      const observer = new FloodObserver(flood);
      for (let count = 0; count < 4; count++) close(observer);
      await tasks.drain(2_000);
      return flood.blockLeftMs(address) > 0;
    };

    it.each([400, 401, 404, 405, 413, 431])('counts anonymous requests that end with %d', async (status) => {
      const address = `198.51.100.${status % 256}`;
      expect(await blocksAfter(address, (observer) => observer.closed(anonymous({ address, status })))).toBe(true);
    });

    it.each<[string, Partial<RequestRecord>]>([
      ['with a caller', { caller: { method: 'key', id: 'k', organisation: 'default', limits: {} } }],
      ['of the metrics listener', { plane: 'metrics' }],
      ['that succeeded', { status: 200 }],
      ['that failed by our fault', { status: 503 }],
      ['that the client left', { status: 499 }],
    ])('does not count requests %s', async (_name, changes) => {
      const address = '203.0.113.1';
      expect(await blocksAfter(address, (observer) => observer.closed(anonymous({ address, ...changes })))).toBe(false);
    });

    it('does not count twice what the guard has counted', async () => {
      const address = '203.0.113.2';
      const close = (observer: FloodObserver) => {
        const record = anonymous({ address, status: 401 });
        observer.markCounted(record);
        observer.closed(record);
      };
      expect(await blocksAfter(address, close)).toBe(false);
    });
  });
});
