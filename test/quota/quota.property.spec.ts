import fc from 'fast-check';
import type { ActualItem, QuotaItem } from '../../src/quota/quota-item.js';
import { QuotaModel, type ModelLine } from '../../src/quota/quota-model.js';
import {
  readReserveReply,
  readSettleReply,
  RENEW,
  RESERVE,
  reserveCall,
  SETTLE,
  settleCall,
  type SettleCall,
} from '../../src/quota/quota-scripts.js';
import type { TenantKeys } from '../../src/state/keys.js';
import type { RedisStore } from '../../src/state/redis.store.js';
import { openStore, redisConfig, uniqueId } from './quota-bed.js';

const LEASE_MS = 40;
const SCRIPTS = {
  time: "local t = redis.call('TIME') return string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))",
  budget: "return redis.call('HMGET', KEYS[1], 's', 'h')",
  leases: "return redis.call('ZRANGE', KEYS[1], 0, -1)",
  ledger: "return redis.call('XRANGE', KEYS[1], '-', '+')",
};

type Command =
  | { readonly type: 'reserve' | 'renew' | 'cancel' | 'orphan'; readonly request: number }
  | { readonly type: 'settle'; readonly request: number; readonly share: number }
  | { readonly type: 'advance'; readonly ms: number };

/** Which of the tenant's items a request has, and what it reserves of each. */
interface RequestShape {
  readonly uses: readonly boolean[];
  readonly cost: number;
}

const REQUESTS = 12;
const request = fc.integer({ min: 0, max: REQUESTS - 1 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('reserve' as const), request }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('settle' as const),
      request,
      share: fc.double({ min: 0, max: 1.5, noNaN: true }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('cancel' as const, 'orphan', 'renew'), request }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 30 }) }) },
);
const shape: fc.Arbitrary<RequestShape> = fc.record({
  uses: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  cost: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constant(4_000_000_000_000_000)),
});

function tenantItems(keys: TenantKeys, cost: number, windowEnd: number): QuotaItem[] {
  const item = (type: QuotaItem['type'], key: string, rest: Partial<QuotaItem>): QuotaItem => ({
    type,
    key,
    mode: 'e',
    limit: 60,
    cost,
    p1: 0,
    p2: 0,
    ...rest,
  });
  return [
    item('W', keys.window('org', 'rpm'), { limit: 4, cost: 1, p1: 120, p2: 12 }),
    item('W', keys.window('org', 'tpm'), { limit: 60, p1: 60, p2: 12 }),
    item('W', keys.window('kx', 'tpm'), { limit: 20, p1: 120, p2: 12, mode: 's' }),
    item('C', keys.concurrency('org'), { limit: 3, cost: 1 }),
    item('B', keys.budget('org', 'tot'), { limit: 9_000_000_000_000_000 }),
    item('B', keys.budget('kx', 'day'), { limit: 400, p1: windowEnd, p2: windowEnd + 60_000 }),
  ];
}

/** The real scripts and the model side by side: every reply must be the same. */
class Twin {
  readonly model = new QuotaModel();
  readonly lines = new Map<string, ModelLine[]>();
  readonly keys: TenantKeys;

  constructor(
    private readonly store: RedisStore,
    private readonly shapes: readonly RequestShape[],
    private readonly windowEnd: number,
  ) {
    this.keys = store.keys.tenant(uniqueId('p'));
  }

  itemsOf(index: number): QuotaItem[] {
    const { uses, cost } = this.shapes[index] ?? { uses: [], cost: 0 };
    return tenantItems(this.keys, cost, this.windowEnd).filter((_, at) => uses[at]);
  }

  async run(step: Command): Promise<void> {
    if (step.type === 'advance') return this.advance(step.ms);
    const requestId = `r${step.request}`;
    if (step.type === 'reserve') return this.reserve(requestId, this.itemsOf(step.request));
    if (step.type === 'renew') return this.renew(requestId, this.itemsOf(step.request));
    return this.settle(requestId, step);
  }

  async reserve(requestId: string, items: QuotaItem[]): Promise<void> {
    const call = { requestId, leaseMs: LEASE_MS, meta: 'm', items };
    const at = { record: this.keys.reservation(requestId), leases: this.keys.leases };
    const { keys, args } = reserveCall(at, call);
    const reply = readReserveReply(await this.store.run(RESERVE, keys, args));
    expect(reply).toEqual(this.model.reserve(call, reply.now));
  }

  async settle(requestId: string, step: Exclude<Command, { type: 'advance' }>): Promise<void> {
    const share = step.type === 'settle' ? step.share : 1;
    const items = this.itemsOf(step.request);
    const cost = Math.min(1_000_000, this.shapes[step.request]?.cost ?? 0);
    const charge = Math.floor(cost * share);
    const call: SettleCall = {
      requestId,
      kind: step.type === 'cancel' || step.type === 'orphan' ? step.type : 'settle',
      tombstoneMs: 60_000,
      ledgerLength: 0,
      chargeNanoUsd: charge,
      promptTokens: charge,
      completionTokens: 2 * charge,
      items: items.map((item): ActualItem => ({
        type: item.type,
        key: item.key,
        actual: item.cost === 1 ? 1 : charge,
        expiresAtMs: item.type === 'B' ? item.p2 : 0,
      })),
      fields: ['model', 'gpt'],
    };
    const at = { record: this.keys.reservation(requestId), leases: this.keys.leases, ledger: this.keys.ledger };
    const { keys, args } = settleCall(at, call);
    const reply = readSettleReply(await this.store.run(SETTLE, keys, args));
    const expected = this.model.settle(call, reply.now);
    expect(reply.result).toBe(expected.result);
    if (expected.line !== undefined) this.lines.set(requestId, [...(this.lines.get(requestId) ?? []), expected.line]);
  }

  async renew(requestId: string, items: QuotaItem[]): Promise<void> {
    const slots = items.filter((item) => item.type === 'C').map((item) => item.key);
    const keys = [this.keys.reservation(requestId), this.keys.leases, ...slots];
    const [code, now] = (await this.store.run(RENEW, keys, [requestId, LEASE_MS])) as [number, string];
    expect(code === 1).toBe(this.model.renew(requestId, { ms: LEASE_MS, slots }, Number(now)));
  }

  async advance(ms: number): Promise<void> {
    const until = (await this.time()) + ms;
    while ((await this.time()) < until);
  }

  /** Everything that lasts is the same on both sides. */
  async compare(): Promise<void> {
    const all = tenantItems(this.keys, 0, this.windowEnd).map((item): QuotaItem => ({ ...item, limit: -1 }));
    await this.reserve(
      'last',
      all.filter((item) => item.p1 !== this.windowEnd),
    );
    for (const item of all.filter(({ type }) => type === 'B')) {
      const [spent, held] = (await this.script('budget', [item.key])) as (string | null)[];
      const { spent: expectedSpent, held: expectedHeld } = this.model.budgets.get(item.key) ?? { spent: 0, held: 0 };
      expect([Number(spent), Number(held)]).toEqual([expectedSpent, expectedHeld]);
    }
    expect(((await this.script('leases', [this.keys.leases])) as string[]).sort()).toEqual(
      [...this.model.leases.keys()].sort(),
    );
    const rows = (await this.script('ledger', [this.keys.ledger])) as [string, string[]][];
    const written = rows.map(([, [, rid, , k, , d, , prompt, , completion]]) => [rid, k, d, prompt, completion]);
    const expected = [...this.lines].flatMap(([id, lines]) =>
      lines.map((line) => [
        line.kind === 'adjust' ? `${id}#adjust` : id,
        line.kind,
        ...[line.charge, line.promptTokens, line.completionTokens].map(String),
      ]),
    );
    expect(written.map(String).sort()).toEqual(expected.map(String).sort());
  }

  async time(): Promise<number> {
    return Number(await this.script('time', []));
  }

  private script(name: keyof typeof SCRIPTS, keys: string[]): Promise<unknown> {
    return this.store.run({ name, source: SCRIPTS[name], sha: name.padEnd(40, '0') }, keys, []);
  }
}

describe('the quota scripts', () => {
  let store: RedisStore;
  beforeAll(async () => {
    store = await openStore(redisConfig());
  });
  afterAll(() => store.close());

  it('do what the model says, whatever comes in whatever order', async () => {
    const seed = Number(process.env['FC_SEED'] ?? 20_260_924);
    await fc.assert(
      fc.asyncProperty(
        fc.array(shape, { minLength: REQUESTS, maxLength: REQUESTS }),
        fc.array(command, { minLength: 20, maxLength: 80 }),
        fc.integer({ min: 50, max: 400 }),
        async (shapes, commands, windowMs) => {
          const clock = new Twin(store, shapes, 0);
          const twin = new Twin(store, shapes, (await clock.time()) + windowMs);
          for (const step of commands) await twin.run(step);
          await twin.compare();
          const ended = commands.filter(
            (step) => step.type === 'settle' && ['S', 'C'].includes(twin.model.state(`r${step.request}`) ?? ''),
          );
          for (const step of ended) await twin.run(step);
          await twin.compare();
        },
      ),
      { seed, numRuns: Number(process.env['FC_RUNS'] ?? 40) },
    );
  }, 60_000);
});
