import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { ConfigStore, type ConfigSnapshot } from '../config/config.store.js';
import { LOGGER } from '../config/logging.js';
import type { CallEnvelope } from '../contract/call.js';
import type { Caller } from '../contract/caller.js';
import { GatewayError } from '../contract/errors.js';
import type { Plan } from '../contract/plan.js';
import type { RequestRecord } from '../contract/record.js';
import type { MeasuredUsage } from '../contract/usage.js';
import { BackgroundTasks } from '../state/background-tasks.js';
import { RedisStore } from '../state/redis.store.js';
import { StoreUnavailableError, type CallOutcome } from '../state/store-error.js';
import { LeaseKeeper } from './lease-keeper.js';
import { ledgerFields } from './ledger-fields.js';
import { limitRefusal } from './limit-refusal.js';
import type { ReserveReply } from './quota-item.js';
import { QuotaModel } from './quota-model.js';
import { compileScopes, type CallerScopes } from './quota-scopes.js';
import { readReserveReply, RESERVE, reserveCall, settleCall, type ReserveCall } from './quota-scripts.js';
import { rateLimitHeaders } from './rate-limit-headers.js';
import { actualItems, LEASE_MS, metaText, reservationOf, type Reservation } from './reservation.js';
import { SettlementQueue } from './settlement-queue.js';
import { OnceSettlement, type Settlement } from './settlement.js';
import { TokenEstimator } from './token-estimator.js';

/** What is to be admitted. */
export interface QuotaRequest {
  readonly requestId: string;
  readonly call: CallEnvelope;
  readonly plan: Plan;
  readonly caller: Caller;
}

/** How a request was admitted: by the store, by this replica's own memory, or unchecked. */
type AdmittedBy = 'store' | 'shadow' | 'nobody';

interface CachedScopes {
  readonly snapshot: ConfigSnapshot;
  readonly scopes: CallerScopes;
}

const UNAVAILABLE = { retryAfterMs: 2_000, headers: { 'retry-after': '2', 'retry-after-ms': '2000' } } as const;

/**
 * Admits requests against every limit of their caller in one atomic step before they are dispatched, and charges what
 * they really used afterwards. A refusal changes no counter.
 */
@Injectable()
export class QuotaService {
  readonly #estimator = new TokenEstimator();
  readonly #scopes = new WeakMap<Caller, CachedScopes>();
  readonly #queue: SettlementQueue;
  readonly #leases: LeaseKeeper;
  readonly #tombstoneMs: number;
  readonly #ledgerLength: number;
  #shadow = new QuotaModel();

  constructor(
    private readonly config: ConfigStore,
    private readonly store: RedisStore,
    private readonly background: BackgroundTasks,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#tombstoneMs = store.isEmbedded ? 600_000 : 3_600_000;
    this.#ledgerLength = store.isEmbedded ? 100_000 : 1_000_000;
    this.#queue = new SettlementQueue(store, logger, { tombstoneMs: this.#tombstoneMs });
    this.#leases = new LeaseKeeper(store, background);
    store.onAvailability((available) => {
      if (available) this.#shadow = new QuotaModel();
    });
  }

  /** Settlements the store has not acknowledged. */
  get unsettled(): number {
    return this.#queue.waiting;
  }

  /**
   * Reserves all a request may need. Rejects with GatewayError `rate_limit_exceeded`, `request_too_large_for_limit`
   * (both with `x-ratelimit-*` headers) or `quota_store_unavailable`.
   */
  async open(request: QuotaRequest): Promise<Settlement> {
    if (this.#queue.isFull) throw new GatewayError('quota_store_unavailable', UNAVAILABLE);
    const reservation = this.#prepare(request);
    const { keys } = reservation.scopes;
    const reserve: ReserveCall = {
      requestId: reservation.requestId,
      leaseMs: LEASE_MS,
      meta: metaText(reservation),
      items: reservation.items,
    };
    const at = { record: keys.reservation(reservation.requestId), leases: keys.leases };
    const script = reserveCall(at, reserve);
    let reply: ReserveReply;
    try {
      reply = readReserveReply(await this.store.run(RESERVE, script.keys, script.args));
    } catch (error) {
      return this.#withoutStore(reservation, reserve, error);
    }
    return this.#answer(reservation, reply, 'store');
  }

  /** Brings what is unsettled to the store, for at most `timeoutMs`; the rest is written to the log. True = no rest. */
  async flush(timeoutMs: number): Promise<boolean> {
    this.#leases.stop();
    return this.#queue.flush(timeoutMs);
  }

  #prepare({ requestId, call, plan, caller }: QuotaRequest): Reservation {
    const model = plan.model.name;
    const outputEstimate =
      call.operation === 'embeddings'
        ? 0
        : this.#estimator.output(model, {
            asked: call.maxOutputTokens,
            fallback: plan.model.defaultOutputTokens,
            choices: call.choices,
          });
    const promptEstimate = this.#estimator.prompt(model, call.bodyBytes);
    const scopes = this.#scopesOf(caller);
    return reservationOf({ requestId, call, caller, model, scopes, promptEstimate, outputEstimate });
  }

  #scopesOf(caller: Caller): CallerScopes {
    const snapshot = this.config.current;
    const cached = this.#scopes.get(caller);
    if (cached?.snapshot === snapshot) return cached.scopes;
    const scopes = compileScopes(caller, snapshot.config, this.store.keys.tenant(caller.organisation));
    this.#scopes.set(caller, { snapshot, scopes });
    return scopes;
  }

  #withoutStore(reservation: Reservation, reserve: ReserveCall, error: unknown): Settlement {
    const policy = this.config.current.config.redis.onFailure.limits;
    const isAway = error instanceof StoreUnavailableError;
    const outcome: CallOutcome = isAway ? error.outcome : 'unknown';
    if (!isAway) this.logger.error({ err: error, requestId: reservation.requestId }, 'the reservation script failed');
    try {
      if (isAway && policy === 'open') return this.#admit(reservation, {}, 'nobody');
      if (!isAway || policy === 'closed') {
        throw new GatewayError('quota_store_unavailable', { ...UNAVAILABLE, cause: error });
      }
      return this.#answer(reservation, this.#shadow.reserve(reserve, Date.now()), 'shadow');
    } catch (refusal) {
      // The store may still carry the reservation out; a cancelled request id can never be reserved.
      if (outcome === 'unknown') this.#cancel(reservation, 'store');
      throw refusal;
    }
  }

  #answer(reservation: Reservation, reply: ReserveReply, by: AdmittedBy): Settlement {
    const { windows } = reservation.scopes;
    switch (reply.type) {
      case 'admitted':
        return this.#admit(reservation, rateLimitHeaders({ windows, used: reply.used, now: reply.now }), by);
      case 'refused':
        throw limitRefusal({ windows, items: reservation.items, ...reply });
      case 'used-up':
      case 'stale-window':
        throw new GatewayError('internal_error', { cause: new Error(`the reservation was answered ${reply.type}`) });
    }
  }

  #admit(reservation: Reservation, headers: Readonly<Record<string, string>>, by: AdmittedBy): Settlement {
    this.#leases.add(reservation);
    return new OnceSettlement(headers, reservation.promptEstimate, {
      settle: (usage, record) => this.#settle(reservation, { usage, record, by }),
      cancel: () => this.#cancel(reservation, by),
    });
  }

  #settle(
    reservation: Reservation,
    end: { readonly usage: MeasuredUsage; readonly record: RequestRecord; readonly by: AdmittedBy },
  ): void {
    const { usage, record, by } = end;
    this.#leases.remove(reservation);
    this.#estimator.learn(reservation.model, reservation.call, usage);
    const tokens = usage.promptTokens + usage.completionTokens;
    const call = {
      requestId: reservation.requestId,
      kind: 'settle',
      tombstoneMs: this.#tombstoneMs,
      ledgerLength: this.#ledgerLength,
      chargeNanoUsd: 0,
      promptTokens: usage.promptTokens,
      completionTokens: usage.completionTokens,
      items: actualItems(reservation, tokens),
      fields: ledgerFields(reservation, usage, record),
    } as const;
    if (by === 'shadow') this.#endInShadow(reservation, () => this.#shadow.settle(call, Date.now()));
    this.#submit(reservation, settleCall(this.#where(reservation), call));
  }

  #cancel(reservation: Reservation, by: AdmittedBy): void {
    this.#leases.remove(reservation);
    const call = {
      requestId: reservation.requestId,
      kind: 'cancel',
      tombstoneMs: this.#tombstoneMs,
      ledgerLength: this.#ledgerLength,
      chargeNanoUsd: 0,
      promptTokens: 0,
      completionTokens: 0,
      items: actualItems(reservation, 0),
      fields: [],
    } as const;
    if (by === 'shadow') this.#endInShadow(reservation, () => this.#shadow.settle(call, Date.now()));
    this.#submit(reservation, settleCall(this.#where(reservation), call));
  }

  #endInShadow({ requestId }: Reservation, end: () => unknown): void {
    if (this.#shadow.state(requestId) === undefined) return;
    end();
    this.#shadow.forget(requestId);
  }

  #submit({ requestId }: Reservation, call: ReturnType<typeof settleCall>): void {
    this.background.run('settle', this.#queue.submit({ requestId, ...call }));
  }

  #where({ requestId, scopes }: Reservation) {
    const { keys } = scopes;
    return { record: keys.reservation(requestId), leases: keys.leases, ledger: keys.ledger };
  }
}
