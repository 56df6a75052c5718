import type { Logger } from 'pino';
import type { BackgroundTasks } from '../state/background-tasks.js';
import type { TenantKeys } from '../state/keys.js';
import type { RedisStore } from '../state/redis.store.js';
import { StoreUnavailableError } from '../state/store-error.js';
import type { ActualItem } from './quota-item.js';
import { EXPIRED, readSettleReply, SETTLE, settleCall } from './quota-scripts.js';
import { LEASE_MS, type ReservationMeta } from './reservation.js';
import type { Settler } from './settler.js';

const TICK_MS = 1_000;
/** Reservations settled of one tenant in one turn. */
const BATCH = 50;
/** Tenants without traffic here that are looked at in one turn. */
const IDLE_TENANTS = 10;

/** What the sweeper needs. */
export interface SweeperParts {
  readonly store: RedisStore;
  readonly background: BackgroundTasks;
  readonly settler: Settler;
  readonly logger: Logger;
}

/**
 * Settles reservations whose owner died: their lease is over and nobody renewed it. Every replica sweeps; the script
 * sees to it that each is settled once. If the owner lives after all, its own settlement corrects the difference.
 */
export class OrphanSweeper {
  readonly #tenants = new Map<TenantKeys, number>();
  #timer: NodeJS.Timeout | undefined;
  /** Owners renew first: after a (re)connection the sweep waits for a whole lease. */
  #notBefore = performance.now() + LEASE_MS;

  constructor(private readonly parts: SweeperParts) {
    parts.store.onAvailability((available) => {
      if (available) this.#notBefore = performance.now() + LEASE_MS;
    });
    this.#schedule();
  }

  /** Says that a tenant has traffic here; tenants never named are not swept. */
  visit(tenant: TenantKeys): void {
    this.#tenants.set(tenant, performance.now());
  }

  /** Names a tenant that has had no traffic here yet. */
  know(tenant: TenantKeys): void {
    if (!this.#tenants.has(tenant)) this.#tenants.set(tenant, -Infinity);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Settles the orphans of one tenant now; how many there were. */
  async sweep(tenant: TenantKeys): Promise<number> {
    const ids = (await this.parts.store.run(EXPIRED, [tenant.leases], [BATCH])) as string[];
    const settled = await Promise.all(ids.map((requestId) => this.#settle(tenant, requestId)));
    return settled.filter(Boolean).length;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => this.#turn(), TICK_MS * (1 + Math.random() / 2));
    this.#timer.unref();
  }

  #turn(): void {
    const now = performance.now();
    if (now >= this.#notBefore && this.parts.store.available) {
      for (const tenant of this.#due(now)) this.parts.background.run('sweep', this.#sweepQuietly(tenant));
    }
    if (this.#timer !== undefined) this.#schedule();
  }

  /** Tenants with recent traffic, and a few of the others in turn. */
  #due(now: number): TenantKeys[] {
    const recent: TenantKeys[] = [];
    const idle: TenantKeys[] = [];
    for (const [tenant, visited] of this.#tenants) {
      if (now - visited < 2 * LEASE_MS) recent.push(tenant);
      else if (idle.length < IDLE_TENANTS) idle.push(tenant);
    }
    for (const tenant of idle) {
      this.#tenants.delete(tenant);
      this.#tenants.set(tenant, -Infinity);
    }
    return [...recent, ...idle];
  }

  async #sweepQuietly(tenant: TenantKeys): Promise<void> {
    try {
      const count = await this.sweep(tenant);
      if (count > 0) this.parts.logger.warn({ count }, 'settled reservations whose owner is gone');
    } catch (error) {
      // Away: the next turn asks again.
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }

  async #settle(tenant: TenantKeys, requestId: string): Promise<boolean> {
    const { store, settler } = this.parts;
    const record = await store.hashGetAll(tenant.reservation(requestId));
    const { items, promptEstimate, fields } = readRecord(record);
    const costs = items.flatMap((item) => (item.type === 'B' ? [item.actual] : []));
    const chargeNanoUsd = Math.max(0, ...costs);
    const call = settler.orphan({ requestId, chargeNanoUsd, promptTokens: promptEstimate, items, fields });
    const at = { record: tenant.reservation(requestId), leases: tenant.leases, ledger: tenant.ledger };
    const script = settleCall(at, call);
    return readSettleReply(await store.run(SETTLE, script.keys, script.args)).result === 'orphan';
  }
}

/** A reservation record as settle.lua wants it back: prompt tokens as estimated, all else as reserved. */
function readRecord(record: Readonly<Record<string, string>>): {
  readonly items: readonly ActualItem[];
  readonly promptEstimate: number;
  readonly fields: readonly string[];
} {
  const { it, m } = record;
  if (it === undefined || m === undefined) return { items: [], promptEstimate: 0, fields: [] };
  const { promptEstimate, fields, keys, units } = JSON.parse(m) as ReservationMeta;
  const words = it.split(' ');
  const items = keys.map((key, index): ActualItem => {
    const type = words[index * 4] as ActualItem['type'];
    const reserved = Number(words[index * 4 + 1]);
    const actual = units[index] === 'tokens' ? Math.min(reserved, promptEstimate) : reserved;
    return { type, key, actual, expiresAtMs: type === 'B' ? Number(words[index * 4 + 2]) : 0 };
  });
  return { items, promptEstimate, fields };
}
