import { Injectable, type OnModuleDestroy } from '@nestjs/common';

const TICK_MS = 100;

/** Something with deadlines; `tick` is called about every 100 ms while it is registered. */
export interface Ticking {
  tick(nowMs: number): void;
}

/** One timer for the deadlines of all open streams: none is made or moved per stream or per chunk. */
@Injectable()
export class StreamTicker implements OnModuleDestroy {
  private readonly ticking = new Set<Ticking>();
  private timer: NodeJS.Timeout | undefined;

  add(entry: Ticking): void {
    this.ticking.add(entry);
    this.timer ??= setInterval(() => this.tick(Date.now()), TICK_MS);
  }

  remove(entry: Ticking): void {
    this.ticking.delete(entry);
    if (this.ticking.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private tick(nowMs: number): void {
    for (const entry of this.ticking) entry.tick(nowMs);
  }
}
