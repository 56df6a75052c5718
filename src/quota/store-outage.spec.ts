import {
  call,
  caller,
  plan,
  quotaBed,
  readableLog,
  uniqueId,
  usage,
  type QuotaBed,
} from '../../test/quota/quota-bed.js';
import { startRedisServer, type RedisServer } from '../../test/support/redis-server.js';
import { requestRecord } from '../../test/support/request-record.js';
import type { TollgateConfig } from '../config/config.schema.js';
import type { Limits } from '../contract/caller.js';
import type { Settlement } from './settlement.js';

type Policy = TollgateConfig['redis']['onFailure']['limits'];

let server: RedisServer;
let bed: QuotaBed;
const log = readableLog();

beforeEach(async () => {
  server = await startRedisServer();
});
afterEach(async () => {
  await bed.close();
  await server.kill();
});

const bedWith = (limits: Policy): Promise<QuotaBed> =>
  quotaBed({ redis: { url: server.url, onFailure: { limits } }, commandTimeoutMs: 100, logger: log.logger });

const open = (limits: Limits = {}, requestId = uniqueId('r')): Promise<Settlement> =>
  bed.quota.open({ requestId, call: call(), plan: plan(), caller: caller(bed.organisation, { limits }) });

const untilAvailable = (available: boolean): Promise<void> =>
  new Promise((resolve) => {
    if (bed.store.available === available) return resolve();
    bed.store.onAvailability((now) => {
      if (now === available) resolve();
    });
  });

const untilSettled = async (): Promise<void> => {
  while (bed.quota.unsettled > 0) await bed.store.get('anything').catch(() => undefined);
};

const ledgerKinds = async (): Promise<string[]> => {
  const source = "return redis.call('XRANGE', KEYS[1], '-', '+')";
  const script = { name: 'ledger', source, sha: '1'.repeat(40) };
  const rows = await bed.store.run(script, [bed.store.keys.tenant(bed.organisation).ledger], []);
  return (rows as [string, string[]][]).map(([, fields]) => `${fields[1]}:${fields[3]}`);
};

it('closed: refuses with 503 and the time to try again, and cancels what the store may still admit', async () => {
  bed = await bedWith('closed');
  server.pause();
  const requestId = uniqueId('r');
  const start = performance.now();
  const refusal: unknown = await open({ requestsPerMinute: 10 }, requestId).catch((error: unknown) => error);
  expect(performance.now() - start).toBeLessThan(300);
  expect(refusal).toMatchObject({ code: 'quota_store_unavailable', status: 503, retryAfterMs: 2_000 });
  server.resume();
  await bed.background.drain(2_000);
  await untilSettled();
  const record = bed.store.keys.tenant(bed.organisation).reservation(requestId);
  expect(await bed.store.hashGetAll(record)).toEqual({ st: 'C' });
  const next = await open({ requestsPerMinute: 10 });
  expect(next.headers['x-ratelimit-remaining-requests']).toBe('9');
});

it('open: admits unchecked, and brings the usage to the ledger when the store is back', async () => {
  bed = await bedWith('open');
  server.pause();
  const requestId = uniqueId('r');
  const settlement = await open({ requestsPerMinute: 0 }, requestId);
  expect(settlement.headers).toEqual({});
  settlement.settle(usage(), requestRecord());
  await bed.background.drain(2_000);
  server.resume();
  await untilSettled();
  const lines = await ledgerKinds();
  expect(lines).toHaveLength(1);
  expect([`${requestId}:settle`, `${requestId}:late`]).toContain(lines[0]);
});

it('shadow: this replica alone enforces the limit, and exactly the admitted requests reach the ledger', async () => {
  bed = await bedWith('shadow');
  server.pause();
  const outcomes = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      open({ requestsPerMinute: 4 }, `s${index}`).then(
        (settlement) => ({ id: `s${index}`, settlement }),
        (error: unknown) => error as { code: string; headers: Record<string, string> },
      ),
    ),
  );
  const admitted = outcomes.flatMap((outcome) => ('settlement' in outcome ? [outcome] : []));
  const refused = outcomes.flatMap((outcome) => ('code' in outcome ? [outcome] : []));
  expect(admitted).toHaveLength(4);
  expect(refused.map(({ code }) => code)).toEqual(Array.from({ length: 8 }, () => 'rate_limit_exceeded'));
  for (const { settlement } of admitted) settlement.settle(usage(), requestRecord());
  await bed.background.drain(3_000);
  server.resume();
  await untilAvailable(true);
  await untilSettled();
  const ids = (await ledgerKinds()).map((line) => line.split(':')[0]).sort();
  expect(ids).toEqual(admitted.map(({ id }) => id).sort());
  expect(
    await bed.store.run(
      { name: 'n', source: "return redis.call('ZCARD', KEYS[1])", sha: '2'.repeat(40) },
      [bed.store.keys.tenant(bed.organisation).leases],
      [],
    ),
  ).toBe(0);
});

it('settles once although the first settlement was carried out without an answer', async () => {
  bed = await bedWith('closed');
  const requestId = uniqueId('r');
  const settlement = await open({}, requestId);
  server.pause();
  settlement.settle(usage(), requestRecord());
  await bed.background.drain(2_000);
  expect(bed.quota.unsettled).toBe(1);
  server.resume();
  await untilSettled();
  expect(await ledgerKinds()).toEqual([`${requestId}:settle`]);
});

it('writes what could not be settled to the log at the end', async () => {
  bed = await bedWith('closed');
  const requestId = uniqueId('r');
  const settlement = await open({ tokensPerMinute: 1_000 }, requestId);
  await server.kill();
  settlement.settle(usage({ promptTokens: 77 }), requestRecord());
  expect(await bed.quota.flush(100)).toBe(false);
  const line = log.lines.find((entry) => entry['event'] === 'usage_unsettled' && entry['requestId'] === requestId);
  expect(line?.['args']).toEqual(expect.arrayContaining([requestId, 'settle', 77]));
});

it('fails closed for a tenant whose data are broken, whatever the policy', async () => {
  bed = await bedWith('open');
  await bed.store.set(bed.store.keys.tenant(bed.organisation).window('kkey-1', 'rpm'), 'not a window');
  await expect(open({ requestsPerMinute: 10 })).rejects.toMatchObject({ code: 'quota_store_unavailable' });
  await expect(open({})).resolves.toBeDefined();
});
