import type { QuotaItem } from '../../src/quota/quota-item.js';
import { readReserveReply, RESERVE, reserveCall } from '../../src/quota/quota-scripts.js';
import type { TenantKeys } from '../../src/state/keys.js';
import type { RedisStore } from '../../src/state/redis.store.js';
import { openStore, redisConfig, uniqueId } from './quota-bed.js';

const CONNECTIONS = 8;
const WINDOW_MS = 600;

let stores: RedisStore[];
beforeAll(async () => {
  stores = await Promise.all(Array.from({ length: CONNECTIONS }, () => openStore(redisConfig())));
});
afterAll(() => stores.forEach((store) => store.close()));

const pick = (index: number): RedisStore => {
  const store = stores[index % CONNECTIONS];
  if (store === undefined) throw new Error('there is no such store');
  return store;
};

const window = (key: string, limit: number, cost: number): QuotaItem => ({
  type: 'W',
  key,
  mode: 'e',
  limit,
  cost,
  p1: WINDOW_MS,
  p2: 12,
});

const reserve = async (store: RedisStore, keys: TenantKeys, requestId: string, items: readonly QuotaItem[]) => {
  const at = { record: keys.reservation(requestId), leases: keys.leases };
  const call = reserveCall(at, { requestId, leaseMs: 30_000, meta: '', items });
  return readReserveReply(await store.run(RESERVE, call.keys, call.args));
};

const script = (store: RedisStore, source: string, keys: string[], args: string[] = []): Promise<unknown> =>
  store.run({ name: 'test', source, sha: Buffer.from(source).toString('hex').slice(0, 40) }, keys, args);

/** The most that was admitted in any span of the window's length. */
function worstWindow(admitted: readonly { readonly now: number; readonly cost: number }[]): number {
  return Math.max(
    0,
    ...admitted.map(({ now }) =>
      admitted
        .filter((other) => other.now > now - WINDOW_MS && other.now <= now)
        .reduce((sum, { cost }) => sum + cost, 0),
    ),
  );
}

it('never admits more than the limit in any window, with many connections and repeated requests', async () => {
  const keys = pick(0).keys.tenant(uniqueId('c'));
  const admitted = new Map<string, { now: number; cost: number }>();
  let firstAnswers = 0;
  let duplicates = 0;
  let refused = 0;
  const attempt = async (index: number): Promise<void> => {
    const cost = 1 + (index % 7);
    const items = [window(keys.window('org', 'tpm'), 200, cost), window(keys.window('org', 'rpm'), 60, 1)];
    const copies = index % 5 === 0 ? 3 : 1;
    const replies = await Promise.all(
      Array.from({ length: copies }, (_, copy) => reserve(pick(index + copy), keys, `r${index}`, items)),
    );
    for (const reply of replies) {
      if (reply.type === 'refused') refused += 1;
      if (reply.type !== 'admitted') continue;
      if (reply.isDuplicate) duplicates += 1;
      else firstAnswers += 1;
      admitted.set(`r${index}`, { now: reply.now, cost });
    }
  };
  const start = performance.now();
  let index = 0;
  while (performance.now() - start < 3 * WINDOW_MS) {
    await Promise.all(Array.from({ length: 40 }, () => attempt(index++)));
  }
  const worst = worstWindow([...admitted.values()]);
  expect(worst).toBeLessThanOrEqual(200);
  expect(worst).toBeGreaterThan(150);
  expect(firstAnswers).toBe(admitted.size);
  expect(duplicates).toBeGreaterThan(0);
  expect(refused).toBeGreaterThan(0);
  expect(await script(pick(0), "return redis.call('ZCARD', KEYS[1])", [keys.leases])).toBe(admitted.size);
}, 30_000);

it('leaves every key as it was when it refuses', async () => {
  const keys = pick(0).keys.tenant(uniqueId('c'));
  const budget: QuotaItem = {
    type: 'B',
    key: keys.budget('org', 'tot'),
    mode: 'e',
    limit: 100,
    cost: 60,
    p1: 0,
    p2: 0,
  };
  const slot: QuotaItem = { type: 'C', key: keys.concurrency('org'), mode: 'e', limit: 5, cost: 1, p1: 0, p2: 0 };
  const roomy = { ...window(keys.window('org', 'tpm'), 1_000, 10), p1: 60_000 };
  const items = [roomy, slot, budget];
  expect((await reserve(pick(0), keys, 'first', items)).type).toBe('admitted');
  const dump = async (): Promise<unknown> => {
    const source = `local all = {}
      local names = redis.call('KEYS', ARGV[1]) table.sort(names)
      for _, name in ipairs(names) do all[#all + 1] = name all[#all + 1] = redis.sha1hex(redis.call('DUMP', name)) end
      return all`;
    return script(pick(0), source, [], [`*{${/\{(.+)\}/.exec(keys.leases)?.[1]}}*`]);
  };
  const before = await dump();
  expect(before).toHaveLength(10);
  const replies = await Promise.all(
    Array.from({ length: 200 }, (_, index) => reserve(pick(index), keys, `over${index}`, items)),
  );
  expect(replies.every(({ type }) => type === 'refused')).toBe(true);
  expect(await dump()).toEqual(before);
});
