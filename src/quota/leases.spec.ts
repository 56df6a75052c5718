import { call, caller, plan, quotaBed, uniqueId, usage, type QuotaBed } from '../../test/quota/quota-bed.js';
import { requestRecord } from '../../test/support/request-record.js';
import { pino } from 'pino';
import { LeaseKeeper } from './lease-keeper.js';
import { OrphanSweeper } from './orphan-sweeper.js';
import { RESERVE, reserveCall } from './quota-scripts.js';
import { compileScopes } from './quota-scopes.js';
import { metaText, reservationOf, type Reservation } from './reservation.js';
import { Settler } from './settler.js';

let bed: QuotaBed;
beforeEach(async () => {
  bed = await quotaBed({ limits: { requestsPerMinute: 10, tokensPerMinute: 1_000 } });
});
afterEach(() => bed.close());

const reservation = (requestId = uniqueId('r')): Reservation => {
  const who = caller(bed.organisation, { team: 'search' });
  const scopes = compileScopes(who, bed.config.current.config, bed.store.keys.tenant(bed.organisation));
  return reservationOf({
    requestId,
    call: call(),
    caller: who,
    model: 'gpt',
    scopes,
    promptEstimate: 100,
    outputEstimate: 500,
  });
};

const reserveFor = async (reserved: Reservation, leaseMs: number): Promise<void> => {
  const { keys } = reserved.scopes;
  const { requestId, items } = reserved;
  const at = { record: keys.reservation(requestId), leases: keys.leases };
  const script = reserveCall(at, { requestId, leaseMs, meta: metaText(reserved), items });
  await bed.store.run(RESERVE, script.keys, script.args);
};

const sweeper = (): OrphanSweeper => {
  const logger = pino({ level: 'silent' });
  const settler = new Settler(bed.store, bed.background, logger);
  const parts = { store: bed.store, background: bed.background, settler, logger };
  const made = new OrphanSweeper(parts);
  made.stop();
  return made;
};

const run = (source: string, keys: readonly string[]): Promise<unknown> =>
  bed.store.run({ name: 'test', source, sha: Buffer.from(source).toString('hex').slice(-40) }, keys, []);

const ledger = async (): Promise<Record<string, string>[]> => {
  const rows = (await run("return redis.call('XRANGE', KEYS[1], '-', '+')", [
    bed.store.keys.tenant(bed.organisation).ledger,
  ])) as [string, string[]][];
  return rows.map(([, flat]) =>
    Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? '']] : []))),
  );
};

const tokensLeft = async (): Promise<string | undefined> => {
  const request = { requestId: uniqueId('r'), call: call({ bodyBytes: 0, maxOutputTokens: 0 }), plan: plan() };
  const { headers } = await bed.quota.open({ ...request, caller: caller(bed.organisation) });
  return headers['x-ratelimit-remaining-tokens'];
};

it('settles a reservation whose owner is gone by its prompt estimate, once', async () => {
  const reserved = reservation();
  const tenant = reserved.scopes.keys;
  await reserveFor(reserved, 1);
  while ((await sweeper().sweep(tenant)) === 0);
  expect(await sweeper().sweep(tenant)).toBe(0);
  expect(await ledger()).toEqual([
    expect.objectContaining({
      rid: reserved.requestId,
      k: 'orphan',
      in: '100',
      out: '0',
      team: 'search',
      src: 'estimate',
      outcome: 'orphan',
    }),
  ]);
  expect(await tokensLeft()).toBe('900');
});

it('corrects the difference when the owner settles after all', async () => {
  const reserved = reservation();
  const tenant = reserved.scopes.keys;
  await reserveFor(reserved, 1);
  while ((await sweeper().sweep(tenant)) === 0);
  const settler = new Settler(bed.store, bed.background, pino({ level: 'silent' }));
  const settlement = settler.settlement(reserved, usage({ promptTokens: 90, completionTokens: 30 }), requestRecord());
  settler.submit(reserved, settlement);
  settler.submit(reserved, settlement);
  await bed.background.drain(2_000);
  const lines = await ledger();
  expect(lines.map(({ k, in: prompt, out }) => [k, prompt, out])).toEqual([
    ['orphan', '100', '0'],
    ['adjust', '-10', '30'],
  ]);
  expect(await tokensLeft()).toBe('880');
});

it('leaves reservations alone whose owner renews them', async () => {
  const reserved = reservation();
  const tenant = reserved.scopes.keys;
  await reserveFor(reserved, 1);
  let now = 0;
  const keeper = new LeaseKeeper(bed.store, bed.background, () => now);
  keeper.add(reserved);
  now = 9_999;
  keeper.renewDue();
  expect(bed.background.size).toBe(0);
  now = 10_000;
  keeper.renewDue();
  await bed.background.drain(2_000);
  keeper.stop();
  expect(await sweeper().sweep(tenant)).toBe(0);
  const score = Number(await run("return redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]", [tenant.leases]));
  expect(score).toBeGreaterThan(Date.now() + 20_000);
});

it('drops a lease without a record', async () => {
  const tenant = bed.store.keys.tenant(bed.organisation);
  await run("return redis.call('ZADD', KEYS[1], 1, 'stray')", [tenant.leases]);
  expect(await sweeper().sweep(tenant)).toBe(0);
  expect(await run("return redis.call('EXISTS', KEYS[1])", [tenant.leases])).toBe(0);
});
