import type { BackgroundTasks } from '../state/background-tasks.js';
import type { RedisStore } from '../state/redis.store.js';
import { RENEW } from './quota-scripts.js';
import { LEASE_MS, type Reservation } from './reservation.js';

/** How often an open request says that it is alive, in ms. */
const RENEW_MS = 10_000;
const TICK_MS = 2_500;

/** Renews the leases of this process's open requests, so that the sweep of orphans leaves them alone. */
export class LeaseKeeper {
  /** Open reservations by the time of their last sign of life, oldest first. */
  readonly #open = new Map<Reservation, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly store: Pick<RedisStore, 'run'>,
    private readonly background: BackgroundTasks,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#timer = setInterval(() => this.renewDue(), TICK_MS);
    this.#timer.unref();
  }

  add(reservation: Reservation): void {
    this.#open.set(reservation, this.now());
  }

  remove(reservation: Reservation): void {
    this.#open.delete(reservation);
  }

  /** Renews every lease whose last sign of life is ten seconds old. */
  renewDue(): void {
    const due: Reservation[] = [];
    for (const [reservation, since] of this.#open) {
      if (this.now() - since < RENEW_MS) break;
      due.push(reservation);
    }
    for (const reservation of due) {
      this.#open.delete(reservation);
      this.#open.set(reservation, this.now());
      this.background.run('renew', this.#renew(reservation));
    }
  }

  /** Ends renewing; what is still open is left to its lease. */
  stop(): void {
    clearInterval(this.#timer);
  }

  async #renew({ requestId, scopes, items }: Reservation): Promise<void> {
    const slots = items.filter((item) => item.type === 'C').map((item) => item.key);
    const keys = [scopes.keys.reservation(requestId), scopes.keys.leases, ...slots];
    try {
      await this.store.run(RENEW, keys, [requestId, LEASE_MS]);
    } catch {
      // A lease outlives two missed renewals; the store's absence is told elsewhere.
    }
  }
}
