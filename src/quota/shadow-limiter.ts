import type { ActualItem, QuotaItem, ReserveReply, SettleResult, Violation } from './quota-item.js';
import { QuotaModel } from './quota-model.js';
import type { ReserveCall, SettleCall } from './quota-scripts.js';

/** What this replica knows of one window. Rings: units by bucket number. */
interface WindowView {
  /** All that is known to be in use: the store's count as it was last told, and what is owed. */
  readonly ring: Map<number, number>;
  /** The part of it the store does not count: this replica admitted it alone. Absent = there never was any. */
  owed?: Map<number, number>;
  /** The store's time of its youngest reply. */
  seenMs: number;
  /** From then on, by this process's time, nothing in it counts. */
  untilMs: number;
}

/** A request this replica admitted alone, until the store tells whether it counted it. */
interface OwedRequest {
  readonly windows: readonly ({ readonly key: string; readonly bucket: number } | undefined)[];
  amounts: readonly number[];
  readonly untilMs: number;
}

type CountedReply = Extract<ReserveReply, { readonly used: readonly number[] }>;

/** What a reply says of one window, and when it was heard. */
interface Heard {
  readonly used: number;
  readonly now: number;
  readonly reply: CountedReply;
}

const newestBucket = ({ p1, p2 }: QuotaItem, now: number): number => Math.floor(now / (p1 / p2));

const add = (ring: Map<number, number>, bucket: number, units: number): void => {
  ring.set(bucket, Math.max(0, (ring.get(bucket) ?? 0) + units));
};

/** Takes units away from the oldest buckets: what is left counts for longest. Buckets are inserted in their order. */
function takeOldest(ring: Map<number, number>, units: number): void {
  let left = units;
  for (const [bucket, held] of ring) {
    const taken = Math.min(left, held);
    ring.set(bucket, held - taken);
    left -= taken;
    if (left === 0) return;
  }
}

/**
 * The limiter of this replica while the store does not answer. It hears every reply of the store, so that it goes on
 * from where the store was, and it remembers for one window what it admitted itself, so that the store's next answers
 * are held against that too: however often the store comes and goes, this replica admits no more than the limit.
 *
 * 1. `hear`: the store's count of each window replaces what was known of it; an older reply may only raise it. A store's
 *    admission is refused where its count and what is owed go over the limit together.
 * 2. `reserve`: admits by what is known, and owes it.
 * 3. `end`: what was not used is owed no more. `acknowledge`: nor is what the store turns out to have counted.
 *
 * Its buckets are of this process's time: a reply comes later than what it tells, so that nothing is forgotten early,
 * whatever the clocks. It knows windows alone, and of other replicas what the store knew.
 */
export class ShadowLimiter {
  readonly #model = new QuotaModel();
  readonly #views = new Map<string, WindowView>();
  readonly #owed = new Map<string, OwedRequest>();
  #owedUntilMs = 0;
  #cursor = this.#views.entries();
  readonly #startMs: number;

  /** `monotonic`: ms since any moment. */
  constructor(private readonly monotonic: () => number = () => performance.now()) {
    this.#startMs = Date.now() - monotonic();
  }

  /** This process's time in ms since 1970; a clock that is set anew does not move it. */
  get now(): number {
    return Math.floor(this.#startMs + this.monotonic());
  }

  /** Takes note of a reply of the store; returns it as this replica may follow it. */
  hear(items: readonly QuotaItem[], reply: ReserveReply): ReserveReply {
    if (reply.type !== 'admitted' && reply.type !== 'refused') return reply;
    const { now } = this;
    for (let index = 0; index < items.length; index += 1) {
      const item = items[index];
      if (item?.type === 'W') this.#sync(this.#view(item, now), item, { used: reply.used[index] ?? 0, now, reply });
    }
    return now < this.#owedUntilMs ? this.#withOwed(items, reply, now) : reply;
  }

  /** Admits by what this replica knows, or refuses and changes nothing. */
  reserve(call: ReserveCall): ReserveReply {
    const { now } = this;
    for (const item of call.items) if (item.type === 'W') this.#view(item, now);
    const reply = this.#model.reserve(call, now);
    if (reply.type === 'admitted' && !reply.isDuplicate) this.#owe(call, now);
    return reply;
  }

  /** Ends what `reserve` admitted; another request id changes nothing. */
  end(call: SettleCall): void {
    if (this.#model.state(call.requestId) === undefined) return;
    this.#model.settle(call, this.now);
    this.#model.forget(call.requestId);
    const owed = this.#owed.get(call.requestId);
    if (owed === undefined) return;
    const amounts = call.items.map(({ actual }) => (call.kind === 'cancel' ? 0 : actual));
    this.#changeOwed(owed, amounts);
    owed.amounts = amounts;
  }

  /** Hears what a settlement did in the store to a request `reserve` admitted. */
  acknowledge(requestId: string, result: SettleResult): void {
    const owed = this.#owed.get(requestId);
    if (owed === undefined) return;
    this.#owed.delete(requestId);
    if (result === 'settle' || result === 'adjust') this.#changeOwed(owed, []);
  }

  /** Corrects what the store was heard to admit at `heardMs` by what was used, before the store tells so itself. */
  correct(items: readonly QuotaItem[], actuals: readonly ActualItem[], heardMs: number): void {
    for (let index = 0; index < items.length; index += 1) {
      const item = items[index];
      if (item?.type !== 'W') continue;
      const difference = (actuals[index]?.actual ?? item.cost) - item.cost;
      const ring = difference === 0 ? undefined : this.#views.get(item.key)?.ring;
      const bucket = Math.floor(heardMs / (item.p1 / item.p2));
      if (ring?.has(bucket) === true) add(ring, bucket, difference);
    }
  }

  #sync(view: WindowView, item: QuotaItem, heard: Heard): void {
    const newest = newestBucket(item, heard.now);
    // Its own place, or it would be forgotten with what the store forgot meanwhile.
    const admitted = heard.reply.type === 'admitted' ? item.cost : 0;
    add(view.ring, newest, admitted);
    const owed = view.owed === undefined ? 0 : liveUnits(view.owed, newest - item.p2);
    let known = 0;
    for (const [bucket, units] of view.ring) {
      if (bucket < newest - item.p2) view.ring.delete(bucket);
      else known += units;
    }
    const difference = heard.used + owed - known;
    const isNewer = heard.reply.now > view.seenMs;
    if (difference > 0) add(view.ring, newest, difference);
    else if (difference < 0) takeOldest(view.ring, isNewer ? -difference : Math.min(-difference, admitted));
    if (isNewer) view.seenMs = heard.reply.now;
  }

  #withOwed(items: readonly QuotaItem[], reply: CountedReply, now: number): ReserveReply {
    const owed = items.map((item) => this.#owedOf(item, now));
    const used = reply.used.map((units, index) => units + (owed[index] ?? 0));
    if (reply.type === 'refused') return { ...reply, used };
    const violations = items.flatMap((item, index): Violation[] => {
      const isOver = item.mode === 'e' && item.limit >= 0 && (used[index] ?? 0) > item.limit;
      if (!isOver || (owed[index] ?? 0) === 0) return [];
      return [{ index, retryAfterMs: this.#model.read(item, now).retryAfterMs }];
    });
    if (violations.length === 0) return { ...reply, used };
    const before = items.map((item, index) => (used[index] ?? 0) - item.cost);
    return { type: 'refused', now: reply.now, used: before, violations };
  }

  #owedOf(item: QuotaItem, now: number): number {
    const owed = this.#views.get(item.key)?.owed;
    return owed === undefined ? 0 : liveUnits(owed, newestBucket(item, now) - item.p2);
  }

  #owe(call: ReserveCall, now: number): void {
    const windows = call.items.map((item) => {
      if (item.type !== 'W') return undefined;
      const view = this.#view(item, now);
      const owed = (view.owed ??= new Map<number, number>());
      const bucket = newestBucket(item, now);
      for (const old of owed.keys()) if (old < bucket - item.p2) owed.delete(old);
      add(owed, bucket, item.cost);
      this.#owedUntilMs = Math.max(this.#owedUntilMs, view.untilMs);
      return { key: item.key, bucket };
    });
    for (const [requestId, { untilMs }] of this.#owed) {
      if (untilMs > now) break;
      this.#owed.delete(requestId);
    }
    const amounts = call.items.map(({ cost }) => cost);
    this.#owed.set(call.requestId, { windows, amounts, untilMs: this.#owedUntilMs });
  }

  #changeOwed(owed: OwedRequest, amounts: readonly number[]): void {
    for (const [index, window] of owed.windows.entries()) {
      if (window === undefined) continue;
      const ring = this.#views.get(window.key)?.owed;
      if (ring?.has(window.bucket) === true)
        add(ring, window.bucket, (amounts[index] ?? 0) - (owed.amounts[index] ?? 0));
    }
  }

  #view(item: QuotaItem, now: number): WindowView {
    const { key, p1, p2 } = item;
    let view = this.#views.get(key);
    if (view === undefined) {
      this.#forgetTwo(now);
      view = { ring: new Map(), seenMs: 0, untilMs: 0 };
      this.#views.set(key, view);
      this.#model.windows.set(key, view.ring);
    }
    view.untilMs = (newestBucket(item, now) + p2 + 1) * (p1 / p2);
    return view;
  }

  /** Looks at two views for each new one, in turn, so that those of callers who left go without a pause. */
  #forgetTwo(now: number): void {
    for (let count = 0; count < 2; count += 1) {
      const next = this.#cursor.next();
      if (next.done === true) {
        this.#cursor = this.#views.entries();
        return;
      }
      const [key, { untilMs }] = next.value;
      if (untilMs > now) continue;
      this.#views.delete(key);
      this.#model.windows.delete(key);
    }
  }
}

function liveUnits(ring: ReadonlyMap<number, number>, oldest: number): number {
  let sum = 0;
  for (const [bucket, units] of ring) if (bucket >= oldest) sum += units;
  return sum;
}
