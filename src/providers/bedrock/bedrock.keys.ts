import type { RoleCredentials } from './bedrock.role.js';

/** New keys are fetched so long before the old ones expire, in milliseconds; the SDK asks again from then on, too. */
const AHEAD_MS = 300_000;
/** Keys are not used for the last so many milliseconds: a request under way must not outlive them. */
const RESERVE_MS = 30_000;
/** Least time from a failed attempt to the next while the old keys are still good, in milliseconds. */
const RETRY_MS = 5_000;

/**
 * Temporary keys that are replaced ahead of their expiry while calls go on with the old ones: one fetch at a time,
 * awaited only by who has no good keys. A failed fetch is told only to those.
 */
export class RefreshedKeys {
  private keys: RoleCredentials | undefined;
  private pending: Promise<RoleCredentials> | undefined;
  private notBeforeMs = 0;

  /** @param fetch gets new keys; `now` is in milliseconds since the epoch, default: the clock. */
  constructor(
    private readonly fetch: () => Promise<RoleCredentials>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Keys that are good now; rejects with what `fetch` rejects with. */
  async current(): Promise<RoleCredentials> {
    const leftMs = (this.keys?.expiration.getTime() ?? 0) - this.now();
    if (this.keys === undefined || leftMs <= RESERVE_MS) return this.refresh();
    if (leftMs <= AHEAD_MS && this.now() >= this.notBeforeMs) this.refresh().catch(() => undefined);
    return this.keys;
  }

  private refresh(): Promise<RoleCredentials> {
    this.pending ??= this.replace().finally(() => (this.pending = undefined));
    return this.pending;
  }

  private async replace(): Promise<RoleCredentials> {
    try {
      this.keys = await this.fetch();
      return this.keys;
    } catch (error) {
      this.notBeforeMs = this.now() + RETRY_MS;
      throw error;
    }
  }
}
