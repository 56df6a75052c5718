import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { ConfigStore, type ConfigSnapshot } from '../config/config.store.js';
import { LOGGER } from '../config/logging.js';
import type { CallEnvelope } from '../contract/call.js';
import type { Caller } from '../contract/caller.js';
import { GatewayError } from '../contract/errors.js';
import type { Plan } from '../contract/plan.js';
import { BackgroundTasks } from '../state/background-tasks.js';
import { RedisStore } from '../state/redis.store.js';
import { StoreUnavailableError } from '../state/store-error.js';
import { LeaseKeeper } from './lease-keeper.js';
import { limitRefusal } from './limit-refusal.js';
import { OrphanSweeper } from './orphan-sweeper.js';
import type { ReserveReply, SettleResult } from './quota-item.js';
import { compileScopes, type CallerScopes } from './quota-scopes.js';
import {
  readReserveReply,
  RESERVE,
  reserveCall,
  type ReserveCall,
  type ScriptCall,
  type SettleCall,
} from './quota-scripts.js';
import { rateLimitHeaders } from './rate-limit-headers.js';
import { LEASE_MS, metaText, reservationOf, type Reservation } from './reservation.js';
import { OnceSettlement, type AdmittedBy, type Settlement } from './settlement.js';
import { Settler } from './settler.js';
import { ShadowLimiter } from './shadow-limiter.js';
import { TokenEstimator } from './token-estimator.js';

/** What is to be admitted. */
export interface QuotaRequest {
  readonly requestId: string;
  readonly call: CallEnvelope;
  readonly plan: Plan;
  readonly caller: Caller;
}

/** How a request was admitted: by the store, by this replica's own memory, or unchecked. */
interface Admission {
  readonly by: AdmittedBy;
  /** True when the store has, or may yet get, the reservation. */
  readonly mayBeStored: boolean;
  /** When the store's admission was heard, by the shadow's time; absent when the store did not admit. */
  readonly heardMs?: number;
}

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
  readonly #settler: Settler;
  readonly #leases: LeaseKeeper;
  readonly #sweeper: OrphanSweeper;
  readonly #shadow = new ShadowLimiter();

  constructor(
    private readonly config: ConfigStore,
    private readonly store: RedisStore,
    background: BackgroundTasks,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#settler = new Settler(store, background, logger);
    this.#leases = new LeaseKeeper(store, background);
    this.#sweeper = new OrphanSweeper({ store, background, settler: this.#settler, logger });
    for (const id of Object.keys(config.current.config.organisations)) this.#sweeper.know(store.keys.tenant(id));
  }

  /** Settlements the store has not acknowledged. */
  get unsettled(): number {
    return this.#settler.queue.waiting;
  }

  /**
   * Reserves all a request may need. Rejects with GatewayError `rate_limit_exceeded`, `request_too_large_for_limit`
   * (both with `x-ratelimit-*` headers) or `quota_store_unavailable`.
   */
  async open(request: QuotaRequest): Promise<Settlement> {
    if (this.#settler.queue.isFull) throw new GatewayError('quota_store_unavailable', UNAVAILABLE);
    const reservation = this.#prepare(request);
    const { keys } = reservation.scopes;
    this.#sweeper.visit(keys);
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
      reply = readReserveReply(await this.#reserve(script));
    } catch (error) {
      return this.#withoutStore(reservation, reserve, error);
    }
    const followed = this.#isShadowing ? this.#shadow.hear(reservation.items, reply) : reply;
    if (followed.type !== reply.type) this.#settler.submit(reservation, this.#settler.cancellation(reservation));
    return this.#answer(reservation, followed, { by: 'store', mayBeStored: true, heardMs: this.#shadow.now });
  }

  /** Brings what is unsettled to the store, for at most `timeoutMs`; the rest is written to the log. True = no rest. */
  async flush(timeoutMs: number): Promise<boolean> {
    this.#leases.stop();
    this.#sweeper.stop();
    return this.#settler.queue.flush(timeoutMs);
  }

  get #isShadowing(): boolean {
    return this.config.current.config.redis.onFailure.limits === 'shadow';
  }

  /** Asks a store that stayed silent a second time: it may only have been slow, and a request id is reserved once. */
  async #reserve({ keys, args }: ScriptCall): Promise<unknown> {
    try {
      return await this.store.run(RESERVE, keys, args);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || error.outcome === 'none') throw error;
      return this.store.run(RESERVE, keys, args).catch((again: unknown) => {
        // Whatever became of the second call, the first may have been carried out.
        throw again instanceof StoreUnavailableError ? error : again;
      });
    }
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
    const mayBeStored = !isAway || error.outcome === 'unknown';
    if (!isAway) this.logger.error({ err: error, requestId: reservation.requestId }, 'the reservation script failed');
    try {
      if (isAway && policy === 'open') return this.#admit(reservation, {}, { by: 'nobody', mayBeStored });
      if (!isAway || policy === 'closed') {
        throw new GatewayError('quota_store_unavailable', { ...UNAVAILABLE, cause: error });
      }
      const reply = this.#shadow.reserve(reserve);
      return this.#answer(reservation, reply, { by: 'shadow', mayBeStored });
    } catch (refusal) {
      // The store may still carry the reservation out; a cancelled request id can never be reserved.
      if (mayBeStored) this.#settler.submit(reservation, this.#settler.cancellation(reservation));
      throw refusal;
    }
  }

  #answer(reservation: Reservation, reply: ReserveReply, admission: Admission): Settlement {
    const { windows } = reservation.scopes;
    switch (reply.type) {
      case 'admitted':
        return this.#admit(reservation, rateLimitHeaders({ windows, used: reply.used, now: reply.now }), admission);
      case 'refused':
        throw limitRefusal({ windows, items: reservation.items, ...reply });
      case 'used-up':
      case 'stale-window':
        throw new GatewayError('internal_error', { cause: new Error(`the reservation was answered ${reply.type}`) });
    }
  }

  #admit(
    reservation: Reservation,
    headers: Readonly<Record<string, string>>,
    { by, mayBeStored, heardMs }: Admission,
  ): Settlement {
    if (mayBeStored) this.#leases.add(reservation);
    const acknowledged =
      by === 'shadow' ? (result: SettleResult) => this.#shadow.acknowledge(reservation.requestId, result) : undefined;
    const end = (call: SettleCall): void => {
      this.#leases.remove(reservation);
      if (by === 'shadow') this.#shadow.end(call);
      else if (heardMs !== undefined && this.#isShadowing) {
        this.#shadow.correct(reservation.items, call.items, heardMs);
      }
      // What never reached the store needs no cancelling there.
      if (mayBeStored || call.kind === 'settle') this.#settler.submit(reservation, call, acknowledged);
    };
    return new OnceSettlement(headers, reservation.promptEstimate, by, {
      settle: (usage, record) => {
        this.#estimator.learn(reservation.model, reservation.call, usage);
        end(this.#settler.settlement(reservation, usage, record));
      },
      cancel: () => end(this.#settler.cancellation(reservation)),
    });
  }
}
