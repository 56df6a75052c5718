import type { Caller } from '../../src/contract/caller.js';
import type { Settlement } from '../../src/quota/settlement.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { requestRecord } from '../support/request-record.js';
import { call, caller, plan, quotaBed, uniqueId, usage, type QuotaBed } from './quota-bed.js';

const LIMIT = 50;

let server: RedisServer;
let bed: QuotaBed;
let who: Caller;

beforeEach(async () => {
  server = await startRedisServer();
  bed = await quotaBed({ redis: { url: server.url, onFailure: { limits: 'shadow' } }, commandTimeoutMs: 60 });
  who = caller(bed.organisation, { limits: { requestsPerMinute: LIMIT } });
});
afterEach(async () => {
  await bed.close();
  await server.kill();
});

const open = (requestId = uniqueId('r')): Promise<Settlement> =>
  bed.quota.open({ requestId, call: call(), plan: plan(), caller: who });

/** The admitted of as many requests at once. */
const burst = async (size: number): Promise<Settlement[]> => {
  const opened = await Promise.all(Array.from({ length: size }, () => open().catch(() => undefined)));
  return opened.filter((settlement) => settlement !== undefined);
};

const untilAvailable = (): Promise<void> =>
  new Promise((resolve) => {
    if (bed.store.available) return resolve();
    const remove = bed.store.onAvailability((available) => {
      if (!available) return;
      remove();
      resolve();
    });
  });

const untilSettled = async (): Promise<void> => {
  await bed.background.drain(2_000);
  while (bed.quota.unsettled > 0) await bed.store.get('anything').catch(() => undefined);
};

/** A store that answers nobody for the length of a burst, `rounds` times, with a burst in between. */
const flap = async (rounds: number, after: (admitted: Settlement[]) => void): Promise<Settlement['admittedBy'][]> => {
  const by: Settlement['admittedBy'][] = [];
  const take = async (size: number): Promise<void> => {
    const admitted = await burst(size);
    by.push(...admitted.map(({ admittedBy }) => admittedBy));
    after(admitted);
  };
  for (let round = 0; round < rounds; round += 1) {
    server.pause();
    await take(20);
    server.resume();
    await untilAvailable();
    await take(10);
  }
  await take(3 * LIMIT);
  return by;
};

it('admits no more than the limit while the store comes and goes, whoever admits', async () => {
  const by = await flap(4, () => undefined);
  expect(by.length).toBeLessThanOrEqual(LIMIT);
  expect(new Set(by)).toEqual(new Set(['shadow', 'store']));
});

it('admits no more than the limit when what the shadow admitted has ended before the store is back', async () => {
  const by = await flap(4, (admitted) => {
    for (const settlement of admitted) settlement.settle(usage(), requestRecord());
  });
  expect(by.length).toBeLessThanOrEqual(LIMIT);
  expect(by).toContain('shadow');
});

it('remembers what the store admitted when the store goes away', async () => {
  expect(await burst(2 * LIMIT)).toHaveLength(LIMIT);
  server.pause();
  expect(await burst(20)).toHaveLength(0);
});

it('knows in an outage what other replicas used', async () => {
  const other = await quotaBed({ redis: { url: server.url }, organisation: bed.organisation });
  const request = { call: call(), plan: plan(), caller: who };
  for (let used = 0; used < LIMIT - 2; used += 1) await other.quota.open({ ...request, requestId: uniqueId('r') });
  await open();
  await other.close();
  server.pause();
  expect(await burst(20)).toHaveLength(1);
});

it('gives every unit back that the store had after all', async () => {
  server.pause();
  const admitted = await burst(20);
  expect(admitted.map(({ admittedBy }) => admittedBy)).toEqual(Array.from({ length: 20 }, () => 'shadow'));
  server.resume();
  await untilAvailable();
  for (const settlement of admitted) settlement.settle(usage(), requestRecord());
  await untilSettled();
  expect(await burst(2 * LIMIT)).toHaveLength(LIMIT - 20);
});

it('asks a slow store a second time, for the same request, before anything degrades', async () => {
  server.pause();
  const remove = bed.store.onFailure(() => server.resume());
  const admitted = await burst(20);
  remove();
  expect(admitted.map(({ admittedBy }) => admittedBy)).toEqual(Array.from({ length: 20 }, () => 'store'));
  expect(bed.store.available).toBe(true);
  const next = await open();
  expect(next.headers['x-ratelimit-remaining-requests']).toBe(String(LIMIT - 21));
});
