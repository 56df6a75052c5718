import type { ActualItem, QuotaItem, ReserveReply, SettleResult, Violation } from './quota-item.js';
import type { ReserveCall, SettleCall } from './quota-scripts.js';

/** The amounts of one ledger line; differences, see settle.lua. */
export interface ModelLine {
  readonly kind: SettleResult;
  readonly charge: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

interface OpenRecord {
  readonly state: 'R';
  readonly items: readonly QuotaItem[];
  /** The bucket each window item was charged in. */
  readonly buckets: readonly number[];
  readonly now: number;
  readonly used: readonly number[];
}

interface SweptRecord extends Omit<OpenRecord, 'state' | 'used'> {
  readonly state: 'X';
  readonly totals: readonly [number, number, number];
  readonly actuals: readonly number[];
}

type ModelRecord = OpenRecord | SweptRecord | { readonly state: 'S' | 'C' };

/** One item's counter at one moment. */
export interface Reading {
  /** Units in use, in the item's unit. */
  readonly used: number;
  /** W: the bucket a charge would go to; else 0. */
  readonly bucket: number;
  /** -1 = it can never fit. */
  readonly retryAfterMs: number;
}

/**
 * The rules of the quota scripts in plain memory: what reserve.lua, settle.lua, renew.lua and expired.lua must do. It
 * is the specification they are tested against, and the limiter of one replica while the store is away.
 */
export class QuotaModel {
  readonly windows = new Map<string, Map<number, number>>();
  readonly slots = new Map<string, Map<string, number>>();
  readonly budgets = new Map<string, { spent: number; held: number }>();
  readonly leases = new Map<string, number>();
  readonly #records = new Map<string, ModelRecord>();

  /** The state of a request id; undefined = unknown. */
  state(requestId: string): 'R' | 'S' | 'C' | 'X' | undefined {
    return this.#records.get(requestId)?.state;
  }

  /** Drops a request id that can never be asked for again. */
  forget(requestId: string): void {
    this.#records.delete(requestId);
  }

  /** Admits against all items, or changes nothing. `now` in ms since 1970. */
  reserve(call: ReserveCall, now: number): ReserveReply {
    const known = this.#records.get(call.requestId);
    if (known?.state === 'R') return { type: 'admitted', now: known.now, used: known.used, isDuplicate: true };
    if (known !== undefined) return { type: 'used-up', now, state: known.state };
    if (call.items.some((item) => item.type === 'B' && item.p1 > 0 && now >= item.p1)) {
      return { type: 'stale-window', now };
    }
    const readings = call.items.map((item) => this.read(item, now));
    const violations = call.items.flatMap((item, index): Violation[] => {
      const { used, retryAfterMs } = readings[index] ?? { used: 0, retryAfterMs: -1 };
      const isOver = item.limit === 0 || (item.limit > 0 && used + item.cost > item.limit);
      return isOver && item.mode === 'e' ? [{ index, retryAfterMs: item.limit === 0 ? -1 : retryAfterMs }] : [];
    });
    if (violations.length > 0) return { type: 'refused', now, used: readings.map(({ used }) => used), violations };
    const buckets = readings.map(({ bucket }) => bucket);
    call.items.forEach((item, index) => this.#charge(call, { item, bucket: buckets[index] ?? 0, now }));
    const used = call.items.map((item, index) => (readings[index]?.used ?? 0) + item.cost);
    this.#records.set(call.requestId, { state: 'R', items: call.items, buckets, now, used });
    this.leases.set(call.requestId, now + call.leaseMs);
    return { type: 'admitted', now, used, isDuplicate: false };
  }

  /** Ends a reservation; exactly one effect per request id. */
  settle(call: SettleCall, now: number): { readonly result: SettleResult; readonly line?: ModelLine } {
    const known = this.#records.get(call.requestId);
    const isCancel = call.kind === 'cancel';
    if (call.kind === 'orphan' && known?.state !== 'R') {
      this.leases.delete(call.requestId);
      return { result: 'gone' };
    }
    if (known?.state === 'S' || known?.state === 'C') return { result: 'dup' };
    if (call.kind === 'orphan' && (this.leases.get(call.requestId) ?? 0) > now) return { result: 'alive' };
    if (isCancel && known === undefined) {
      this.#records.set(call.requestId, { state: 'C' });
      return { result: 'tombstone' };
    }
    call.items.forEach((item, index) =>
      this.#settleItem(call.requestId, known, { ...item, actual: isCancel ? 0 : item.actual, index }),
    );
    this.leases.delete(call.requestId);
    return this.#close(call, known);
  }

  /** Keeps an open reservation for another lease; false when it is not open. */
  renew(requestId: string, lease: { readonly ms: number; readonly slots: readonly string[] }, now: number): boolean {
    if (this.state(requestId) !== 'R') return false;
    this.leases.set(requestId, now + lease.ms);
    for (const key of lease.slots) {
      const slots = this.slots.get(key);
      if ((slots?.get(requestId) ?? 0) > now) slots?.set(requestId, now + lease.ms);
    }
    return true;
  }

  /** The request ids whose lease is over, oldest first. */
  expired(limit: number, now: number): string[] {
    const over = [...this.leases].filter(([, until]) => until <= now);
    return over
      .sort(([idA, a], [idB, b]) => a - b || (idA < idB ? -1 : 1))
      .slice(0, limit)
      .map(([id]) => id);
  }

  #close(call: SettleCall, known: ModelRecord | undefined): { result: SettleResult; line?: ModelLine } {
    const isCancel = call.kind === 'cancel';
    const { chargeNanoUsd, promptTokens, completionTokens } = call;
    const totals = isCancel ? ([0, 0, 0] as const) : ([chargeNanoUsd, promptTokens, completionTokens] as const);
    const before = known?.state === 'X' ? known.totals : ([0, 0, 0] as const);
    const result = known === undefined ? 'late' : known.state === 'X' ? 'adjust' : call.kind;
    if (call.kind === 'orphan' && known?.state === 'R') {
      const actuals = call.items.map(({ actual }) => actual);
      const { items, buckets, now } = known;
      this.#records.set(call.requestId, { state: 'X', items, buckets, now, totals: [...totals], actuals });
    } else {
      this.#records.set(call.requestId, { state: isCancel ? 'C' : 'S' });
    }
    if (result === 'cancel') return { result };
    const [charge, prompt, completion] = [totals[0] - before[0], totals[1] - before[1], totals[2] - before[2]];
    return { result, line: { kind: result, charge, promptTokens: prompt, completionTokens: completion } };
  }

  /** What an item's counter says now, and when there would be room for it; changes nothing. */
  read(item: QuotaItem, now: number): Reading {
    const neverFits = item.cost > item.limit;
    if (item.type === 'W') return this.#readWindow(item, now);
    if (item.type === 'C') {
      const live = [...(this.slots.get(item.key) ?? [])].filter(([, until]) => until > now);
      return { used: live.length, bucket: 0, retryAfterMs: neverFits ? -1 : 1_000 };
    }
    const { spent, held } = this.budgets.get(item.key) ?? { spent: 0, held: 0 };
    return { used: spent + held, bucket: 0, retryAfterMs: neverFits || item.p1 === 0 ? -1 : item.p1 - now };
  }

  #readWindow({ key, limit, cost, p1, p2 }: QuotaItem, now: number): Reading {
    const width = p1 / p2;
    const ring = this.windows.get(key) ?? new Map<number, number>();
    const bucket = Math.max(Math.floor(now / width), ...ring.keys());
    const live = [...ring].filter(([number]) => number >= bucket - p2).sort(([a], [b]) => a - b);
    const used = live.reduce((sum, [, units]) => sum + units, 0);
    if (cost > limit) return { used, bucket, retryAfterMs: -1 };
    let left = used;
    for (const [number, units] of live) {
      left -= units;
      if (left + cost <= limit) return { used, bucket, retryAfterMs: Math.ceil((number + p2 + 1) * width) - now };
    }
    return { used, bucket, retryAfterMs: -1 };
  }

  #charge(call: ReserveCall, at: { readonly item: QuotaItem; readonly bucket: number; readonly now: number }): void {
    const { item, bucket, now } = at;
    if (item.type === 'W') {
      const ring = this.windows.get(item.key) ?? new Map<number, number>();
      if (!ring.has(bucket)) for (const number of ring.keys()) if (number < bucket - item.p2) ring.delete(number);
      this.windows.set(item.key, ring.set(bucket, (ring.get(bucket) ?? 0) + item.cost));
    } else if (item.type === 'C') {
      const slots = this.slots.get(item.key) ?? new Map<string, number>();
      for (const [id, until] of slots) if (until <= now) slots.delete(id);
      this.slots.set(item.key, slots.set(call.requestId, now + call.leaseMs));
    } else {
      this.#budget(item.key).held += item.cost;
    }
  }

  #settleItem(requestId: string, known: ModelRecord | undefined, item: ActualItem & { readonly index: number }): void {
    const open = known?.state === 'R' || known?.state === 'X' ? known : undefined;
    const reserved = open?.items[item.index]?.cost ?? 0;
    const before = known?.state === 'X' ? (known.actuals[item.index] ?? 0) : reserved;
    if (item.type === 'W') {
      const bucket = open?.buckets[item.index] ?? -1;
      const ring = this.windows.get(item.key);
      const units = ring?.get(bucket);
      if (open !== undefined && units !== undefined) ring?.set(bucket, units + item.actual - before);
    } else if (item.type === 'C') {
      if (open !== undefined) this.slots.get(item.key)?.delete(requestId);
    } else {
      const budget = this.#budget(item.key);
      if (known?.state === 'R') budget.held = Math.max(0, budget.held - reserved);
      budget.spent += known?.state === 'X' ? item.actual - before : item.actual;
    }
  }

  #budget(key: string): { spent: number; held: number } {
    const budget = this.budgets.get(key) ?? { spent: 0, held: 0 };
    this.budgets.set(key, budget);
    return budget;
  }
}
