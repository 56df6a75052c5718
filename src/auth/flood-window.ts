import { LRUCache } from 'lru-cache';

/** How one address stands, in milliseconds from now. */
export interface FloodCount {
  readonly hits: number;
  readonly windowLeftMs: number;
  /** 0 = not blocked. */
  readonly blockLeftMs: number;
}

/** Bounds of one address. */
export interface FloodLimits {
  /** Requests admitted in a window. */
  readonly limit: number;
  readonly windowMs: number;
  readonly blockMs: number;
}

interface Window {
  hits: number;
  readonly endsAtMs: number;
}

const ADDRESSES = 20_000;

/**
 * The counts of this process: the rules of flood.lua for while the store is away, and the addresses it is known to block, so
 * that a flood costs no call of the store. Bounded: the address longest unseen is forgotten first. It runs no timers.
 */
export class FloodWindows {
  private readonly windows = new LRUCache<string, Window>({ max: ADDRESSES });
  private readonly blockedUntilMs = new LRUCache<string, number>({ max: ADDRESSES });

  /** Milliseconds until an address is let in again; 0 = it is not blocked. */
  blockLeftMs(address: string, nowMs: number): number {
    return Math.max(0, (this.blockedUntilMs.get(address) ?? 0) - nowMs);
  }

  /** Remembers a block. */
  block(address: string, untilMs: number): void {
    this.windows.delete(address);
    this.blockedUntilMs.set(address, untilMs);
  }

  /** Counts one request. */
  hit(address: string, limits: FloodLimits, nowMs: number): FloodCount {
    const blockLeftMs = this.blockLeftMs(address, nowMs);
    if (blockLeftMs > 0) return { hits: limits.limit + 1, windowLeftMs: 0, blockLeftMs };
    let window = this.windows.get(address);
    if (window === undefined || window.endsAtMs <= nowMs) {
      window = { hits: 0, endsAtMs: nowMs + limits.windowMs };
      this.windows.set(address, window);
    }
    window.hits++;
    if (window.hits <= limits.limit) {
      return { hits: window.hits, windowLeftMs: window.endsAtMs - nowMs, blockLeftMs: 0 };
    }
    this.block(address, nowMs + limits.blockMs);
    return { hits: window.hits, windowLeftMs: 0, blockLeftMs: limits.blockMs };
  }
}
