import { Inject, Injectable } from '@nestjs/common';
import { normalizeIp, type ThrottlerStorage } from '@nestjs/throttler';
import type { Logger } from 'pino';
import { ConfigStore } from '../config/config.store.js';
import { LOGGER } from '../config/logging.js';
import { BackgroundTasks } from '../state/background-tasks.js';
import { RedisStore } from '../state/redis.store.js';
import { defineScript } from '../state/script.js';
import { StoreUnavailableError } from '../state/store-error.js';
import { FloodWindows, type FloodCount, type FloodLimits } from './flood-window.js';

type ThrottlerRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

const SCRIPT = defineScript(import.meta.dirname, 'flood.lua');

/**
 * Counts anonymous and failed requests per address, in the store for all replicas together, and in this process while the
 * store is away. An IPv6 address counts as its /64. It knows addresses alone: whoever is authenticated never gets here.
 */
@Injectable()
export class FloodControl implements ThrottlerStorage {
  private readonly local = new FloodWindows();

  constructor(
    private readonly config: ConfigStore,
    private readonly store: RedisStore,
    private readonly tasks: BackgroundTasks,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Milliseconds until an address is let in again, by what this process knows; 0 = it is not blocked. */
  blockLeftMs(address: string): number {
    return this.local.blockLeftMs(floodAddress(address), Date.now());
  }

  /** Counts a failed request that no guard counted. Returns at once; the counting runs in the background. */
  recordFailure(address: string): void {
    const counted = floodAddress(address);
    if (this.local.blockLeftMs(counted, Date.now()) > 0) return;
    const { limit, windowMs, blockMs } = this.config.current.config.auth.flood;
    this.tasks.run('count a failed request', this.count(counted, { limit, windowMs, blockMs }));
  }

  /** The throttler's storage: `key` is the address as FloodGuard gives it; its times come back in seconds. */
  async increment(key: string, ttl: number, limit: number, blockDuration: number): Promise<ThrottlerRecord> {
    const count = await this.count(key, { limit, windowMs: ttl, blockMs: blockDuration });
    return {
      totalHits: count.hits,
      timeToExpire: Math.ceil(count.windowLeftMs / 1_000),
      isBlocked: count.blockLeftMs > 0,
      timeToBlockExpire: Math.ceil(count.blockLeftMs / 1_000),
    };
  }

  private async count(address: string, limits: FloodLimits): Promise<FloodCount> {
    if (!this.store.available || this.local.blockLeftMs(address, Date.now()) > 0) {
      return this.local.hit(address, limits, Date.now());
    }
    try {
      const args = [limits.windowMs, limits.limit, limits.blockMs];
      const count = toCount(await this.store.run(SCRIPT, [this.store.keys.shared('flood', address)], args));
      if (count.blockLeftMs > 0) this.local.block(address, Date.now() + count.blockLeftMs);
      return count;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) this.logger.error({ err: error }, 'flood counting failed');
      return this.local.hit(address, limits, Date.now());
    }
  }
}

/** What an address counts as: IPv4 whole, IPv6 by its /64. */
export function floodAddress(address: string): string {
  return normalizeIp(address) || 'unknown';
}

function toCount(reply: unknown): FloodCount {
  const [hits, windowLeftMs, blockLeftMs] = Array.isArray(reply) ? reply.map(Number) : [];
  if (hits === undefined || windowLeftMs === undefined || blockLeftMs === undefined) {
    throw new Error('flood.lua gave an answer of wrong form');
  }
  return { hits, windowLeftMs, blockLeftMs };
}
