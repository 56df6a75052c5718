/** Something that ends when its time is over. */
export interface Deadline {
  /** When, on `DeadlineWheel.nowMs`'s clock. Moved by assigning another number; no call is needed. */
  dueMs: number;
  /** Called once when the time is over, by at most a tick late; the entry has been removed by then. */
  expire(): void;
}

/**
 * Deadlines of every open call under one coarse timer, so that moving one costs an assignment and no timer is made
 * per call or per chunk. The timer runs only while there are entries and never keeps the process alive.
 * It is as exact as its tick: for timeouts, not for scheduling.
 */
export class DeadlineWheel {
  private readonly entries = new Set<Deadline>();
  private timer: NodeJS.Timeout | undefined;
  private clockMs = 0;

  /** @param tickMs how often deadlines are looked at, in milliseconds; default 100. */
  constructor(private readonly tickMs = 100) {}

  /** Monotonic milliseconds, as of the last tick or `add`; at most a tick behind. */
  get nowMs(): number {
    return this.clockMs;
  }

  /** Entries waiting. */
  get size(): number {
    return this.entries.size;
  }

  /** Refreshes `nowMs`, to set the first `dueMs` of an entry by. */
  readClock(): number {
    this.clockMs = performance.now();
    return this.clockMs;
  }

  add(entry: Deadline): void {
    this.entries.add(entry);
    this.timer ??= setInterval(() => this.tick(), this.tickMs).unref();
  }

  /** Harmless for an entry that is not there. */
  remove(entry: Deadline): void {
    this.entries.delete(entry);
    if (this.entries.size > 0 || this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private tick(): void {
    const now = this.readClock();
    for (const entry of this.entries) {
      if (entry.dueMs > now) continue;
      // After a stalled event loop bytes may be waiting in the kernel: let the poll phase deliver them first.
      setImmediate(() => this.expireDue());
      return;
    }
  }

  private expireDue(): void {
    const now = this.clockMs;
    for (const entry of this.entries) {
      if (entry.dueMs > now) continue;
      this.remove(entry);
      entry.expire();
    }
  }
}
