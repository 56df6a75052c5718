import fc from 'fast-check';
import type { QuotaItem } from './quota-item.js';
import { QuotaModel } from './quota-model.js';
import type { ReserveCall, SettleCall } from './quota-scripts.js';
import { ShadowLimiter } from './shadow-limiter.js';

const LIMIT = 20;
const WINDOW_MS = 120;

const item = (cost: number, changes: Partial<QuotaItem> = {}): QuotaItem => ({
  type: 'W',
  key: 'k',
  mode: 'e',
  limit: LIMIT,
  cost,
  p1: WINDOW_MS,
  p2: 12,
  ...changes,
});

const reserveOf = (requestId: string, cost: number): ReserveCall => ({
  requestId,
  leaseMs: 1_000,
  meta: '',
  items: [item(cost)],
});

const endOf = (requestId: string, actual: number, kind: SettleCall['kind'] = 'settle'): SettleCall => ({
  requestId,
  kind,
  tombstoneMs: 0,
  ledgerLength: 0,
  chargeNanoUsd: 0,
  promptTokens: 0,
  completionTokens: 0,
  items: [{ type: 'W', key: 'k', actual, expiresAtMs: 0 }],
  fields: [],
});

/** What becomes of a request's way to the store: answered; carried out without an answer; never carried out. */
type Way = 'answered' | 'silent' | 'lost';

type Step =
  | { readonly type: 'open'; readonly way: Way; readonly cost: number }
  | { readonly type: 'end'; readonly pick: number; readonly share: number; readonly cancels: boolean }
  | { readonly type: 'advance'; readonly ms: number };

interface Admitted {
  readonly id: string;
  readonly atMs: number;
  readonly by: 'store' | 'shadow';
  readonly cost: number;
  amount: number;
  isOpen: boolean;
}

/** One replica and a store whose clock is another, driven as the quota service drives them. */
class Replica {
  readonly limiter: ShadowLimiter;
  readonly store = new QuotaModel();
  readonly admitted: Admitted[] = [];
  #ms = 0;
  #count = 0;

  constructor(private readonly storeSkewMs: number) {
    this.limiter = new ShadowLimiter(() => this.#ms);
  }

  run(step: Step): void {
    if (step.type === 'advance') this.#ms += step.ms;
    else if (step.type === 'open') this.open(step.way, step.cost);
    else this.end(step);
  }

  open(way: Way, cost: number): boolean {
    const id = `r${this.#count++}`;
    const call = reserveOf(id, cost);
    const stored = way === 'lost' ? undefined : this.store.reserve(call, this.#storeMs());
    const isHeard = way === 'answered' && stored !== undefined;
    const reply = isHeard ? this.limiter.hear(call.items, stored) : this.limiter.reserve(call);
    if (reply.type !== 'admitted') {
      if (stored?.type === 'admitted') this.store.settle(endOf(id, 0, 'cancel'), this.#storeMs());
      return false;
    }
    this.admitted.push({ id, atMs: this.#ms, by: isHeard ? 'store' : 'shadow', cost, amount: cost, isOpen: true });
    return true;
  }

  end({ pick, share, cancels }: Extract<Step, { type: 'end' }>): void {
    const open = this.admitted.filter(({ isOpen }) => isOpen);
    const request = open[pick % Math.max(1, open.length)];
    if (request === undefined) return;
    const amount = cancels ? 0 : Math.floor(request.cost * share);
    const call = endOf(request.id, amount, cancels ? 'cancel' : 'settle');
    request.isOpen = false;
    request.amount = amount;
    if (request.by === 'shadow') this.limiter.end(call);
    else this.limiter.correct([item(request.cost)], call.items, this.limiter.now - (this.#ms - request.atMs));
    const { result } = this.store.settle(call, this.#storeMs());
    if (request.by === 'shadow') this.limiter.acknowledge(request.id, result);
  }

  /** What was admitted in the window that ends now. */
  inWindow(): number {
    const live = this.admitted.filter(({ atMs }) => atMs > this.#ms - WINDOW_MS);
    return live.reduce((sum, { amount }) => sum + amount, 0);
  }

  #storeMs(): number {
    return 1_000_000 + this.#ms + this.storeSkewMs;
  }
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('open' as const),
      way: fc.constantFrom('answered' as const, 'answered', 'silent', 'lost'),
      cost: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('end' as const),
      pick: fc.nat(100),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      cancels: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 40 }) }) },
);

describe('ShadowLimiter', () => {
  it('admits with the store no more than the limit in any window, however often the store is silent', () => {
    const seed = Number(process.env['FC_SEED'] ?? 20_261_122);
    const kinds = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 50, maxLength: 200 }),
        fc.integer({ min: -60_000, max: 60_000 }),
        (steps, skewMs) => {
          const replica = new Replica(skewMs);
          for (const next of steps) {
            replica.run(next);
            if (next.type === 'open') expect(replica.inWindow()).toBeLessThanOrEqual(LIMIT);
          }
          for (const { by } of replica.admitted) kinds.add(by);
        },
      ),
      { seed, numRuns: Number(process.env['FC_RUNS'] ?? 300) },
    );
    expect([...kinds].sort()).toEqual(['shadow', 'store']);
  });

  const fill = (replica: Replica, way: Way): number => {
    let admitted = 0;
    while (replica.open(way, 1)) admitted += 1;
    return admitted;
  };

  it('gives the whole limit again once the window has passed', () => {
    const replica = new Replica(0);
    for (const way of ['lost', 'answered', 'silent', 'answered'] as const) {
      expect(fill(replica, way)).toBe(LIMIT);
      replica.run({ type: 'advance', ms: WINDOW_MS + WINDOW_MS / 12 });
    }
  });

  it('goes on from where the store was', () => {
    const replica = new Replica(5_000);
    for (let count = 0; count < LIMIT - 3; count += 1) replica.open('answered', 1);
    expect(fill(replica, 'lost')).toBe(3);
  });

  it('says when there is room again where the store admits and what is owed forbids', () => {
    const replica = new Replica(0);
    expect(fill(replica, 'lost')).toBe(LIMIT);
    const call = reserveOf('next', 1);
    const reply = replica.limiter.hear(call.items, replica.store.reserve(call, 1_000_000));
    if (reply.type !== 'refused') throw new Error('it was not refused');
    expect(reply.used).toEqual([LIMIT]);
    expect(reply.violations[0]?.retryAfterMs).toBeGreaterThanOrEqual(WINDOW_MS);
    expect(reply.violations[0]?.retryAfterMs).toBeLessThanOrEqual(WINDOW_MS + WINDOW_MS / 12);
  });

  it('never holds what is owed against a limit that only counts', () => {
    const limiter = new ShadowLimiter(() => 0);
    const items = [item(1, { limit: -1 })];
    limiter.reserve({ ...reserveOf('a', 1), items });
    expect(limiter.hear(items, { type: 'admitted', now: 1, used: [1], isDuplicate: false })).toMatchObject({
      type: 'admitted',
      used: [2],
    });
  });
});
