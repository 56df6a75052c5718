import type { Logger } from 'pino';
import type { RedisStore } from '../state/redis.store.js';
import { StoreUnavailableError } from '../state/store-error.js';
import type { SettleResult } from './quota-item.js';
import { readSettleReply, SETTLE, type ScriptCall } from './quota-scripts.js';

/** One settlement on its way to the store. */
export interface SettlementJob extends ScriptCall {
  readonly requestId: string;
  /** Hears what it did, once the store has acknowledged it; never called for what is only logged. */
  readonly acknowledged?: ((result: SettleResult) => void) | undefined;
}

interface KeptJob {
  readonly job: SettlementJob;
  readonly sinceMs: number;
  /** True when the store may have carried it out already. */
  wasSent: boolean;
}

/** Bounds of the queue. */
export interface SettlementQueueOptions {
  /** How many settlements may wait for the store; 50,000 by default (about 30 MB). */
  readonly capacity?: number;
  /** How long the store remembers settled request ids, in ms. */
  readonly tombstoneMs: number;
}

const BATCH = 100;
const RETRY_MS = 500;
const FLUSH_PAUSE_MS = 20;

/**
 * Brings every settlement to the store, again and again until it is acknowledged: settling twice has no second effect.
 * What cannot be brought there is written to the log as `usage_unsettled`, never dropped.
 */
export class SettlementQueue {
  #kept: KeptJob[] = [];
  #draining: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #inFlight = 0;
  #isFlushed = false;
  readonly #capacity: number;

  constructor(
    private readonly store: Pick<RedisStore, 'run' | 'available' | 'onAvailability'>,
    private readonly logger: Logger,
    private readonly options: SettlementQueueOptions,
  ) {
    this.#capacity = options.capacity ?? 50_000;
    store.onAvailability((available) => {
      if (available) void this.#drain();
    });
  }

  /** Settlements that wait for the store. */
  get waiting(): number {
    return this.#kept.length;
  }

  /** True when no further usage can be kept: nothing may be admitted then. */
  get isFull(): boolean {
    return this.#kept.length >= this.#capacity;
  }

  /** Sends a settlement; resolves when it is acknowledged or kept for later. */
  async submit(job: SettlementJob): Promise<void> {
    const kept: KeptJob = { job, sinceMs: Date.now(), wasSent: false };
    this.#inFlight += 1;
    const isDone = await this.#send(kept);
    this.#inFlight -= 1;
    if (isDone) return;
    if (this.isFull || this.#isFlushed) {
      this.#dump(kept);
      return;
    }
    this.#kept.push(kept);
    this.#retryLater();
  }

  /**
   * The end: tries for `timeoutMs` to bring everything to the store and writes what is left to the log, as it does with
   * whatever fails later. True = nothing was left.
   */
  async flush(timeoutMs: number): Promise<boolean> {
    const until = performance.now() + timeoutMs;
    do {
      await this.#drain();
      if (this.#kept.length === 0 && this.#inFlight === 0) break;
      await new Promise((resolve) => setTimeout(resolve, FLUSH_PAUSE_MS));
    } while (performance.now() < until);
    this.#isFlushed = true;
    clearTimeout(this.#timer);
    const isEmpty = this.#kept.length === 0 && this.#inFlight === 0;
    for (const kept of this.#kept.splice(0)) this.#dump(kept);
    return isEmpty;
  }

  /** True when the job is done with: acknowledged, or refused for a defect and written to the log. */
  async #send(kept: KeptJob): Promise<boolean> {
    try {
      const reply = await this.store.run(SETTLE, kept.job.keys, kept.job.args);
      kept.job.acknowledged?.(readSettleReply(reply).result);
      return true;
    } catch (error) {
      if (error instanceof StoreUnavailableError) {
        if (error.outcome === 'unknown') kept.wasSent = true;
        return false;
      }
      this.logger.error({ err: error, requestId: kept.job.requestId }, 'the store refused a settlement');
      this.#dump(kept);
      return true;
    }
  }

  #drain(): Promise<void> {
    this.#draining ??= this.#drainBatches().finally(() => {
      this.#draining = undefined;
      if (this.#kept.length > 0 && !this.#isFlushed) this.#retryLater();
    });
    return this.#draining;
  }

  async #drainBatches(): Promise<void> {
    while (this.#kept.length > 0 && this.store.available) {
      const batch = this.#kept.slice(0, BATCH);
      const done = await Promise.all(batch.map(async (kept) => this.#isForgotten(kept) || (await this.#send(kept))));
      const left = batch.filter((_, index) => done[index] !== true);
      this.#kept.splice(0, batch.length, ...left);
      if (left.length > 0) return;
    }
  }

  /** True, and written to the log, when the store may have done it and may not remember: it would count twice. */
  #isForgotten(kept: KeptJob): boolean {
    if (!kept.wasSent || Date.now() - kept.sinceMs < this.options.tombstoneMs * 0.8) return false;
    this.#dump(kept);
    return true;
  }

  #retryLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#drain(), RETRY_MS);
    this.#timer.unref();
  }

  #dump({ job, wasSent }: KeptJob): void {
    const { requestId, keys, args } = job;
    this.logger.error({ event: 'usage_unsettled', requestId, wasSent, keys, args }, 'usage_unsettled');
  }
}
