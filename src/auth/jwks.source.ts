import { KeyObject, type webcrypto } from 'node:crypto';
import { createRemoteJWKSet, customFetch, errors, type ProtectedHeaderParameters } from 'jose';
import { GatewayError } from '../contract/errors.js';
import { fetchKeySet, isSafeKeySetUrl } from './jwks-fetch.js';
import { requireStrongKey, type KeySource } from './key-source.js';
import { invalidToken } from './refusal.js';

/** What a key set reports to its owner. */
export interface KeySetHooks {
  /** A fetch failed; the keys known before stay in use. */
  failed(reason: unknown): void;
  /** A fetch runs beside the request that found it due. */
  background(task: Promise<void>): void;
}

/** Times of a key set, in milliseconds. */
export interface KeySetTimes {
  /** Least time between two fetches, whatever came of the first. */
  readonly cooldownMs: number;
  /** Longest time one fetch may take. */
  readonly timeoutMs: number;
  /** Age from which a fetch in the background looks for changes. */
  readonly refreshMs: number;
  /** Age up to which keys are used while the issuer cannot be reached. */
  readonly maxStaleMs: number;
}

export const KEY_SET_TIMES: KeySetTimes = {
  cooldownMs: 30_000,
  timeoutMs: 2_000,
  refreshMs: 600_000,
  maxStaleMs: 86_400_000,
};

/**
 * The published key set of an issuer. Fetches are single-flight and at most one per cooldown; a bad answer never replaces good
 * keys. It follows neither redirects nor anything a token names.
 */
export class JwksSource implements KeySource {
  private readonly keySet: ReturnType<typeof createRemoteJWKSet>;
  private readonly keyObjects = new WeakMap<webcrypto.CryptoKey, KeyObject>();
  private lastFetchMs = -Infinity;
  private lastGoodMs = -Infinity;

  constructor(
    private readonly url: string,
    private readonly hooks: KeySetHooks,
    private readonly times: KeySetTimes = KEY_SET_TIMES,
  ) {
    this.keySet = createRemoteJWKSet(new URL(url), {
      cooldownDuration: times.cooldownMs,
      timeoutDuration: times.timeoutMs,
      cacheMaxAge: times.maxStaleMs,
      [customFetch]: (_url, options) => this.fetch(options.signal),
    });
  }

  async resolve(header: ProtectedHeaderParameters): Promise<KeyObject> {
    if (this.isDue(this.times.refreshMs)) this.hooks.background(this.prefetch());
    try {
      const key = await this.keySet(header);
      const known = this.keyObjects.get(key);
      if (known !== undefined) return known;
      const object = requireStrongKey(KeyObject.from(key));
      this.keyObjects.set(key, object);
      return object;
    } catch (thrown) {
      throw this.refusal(thrown);
    }
  }

  async prefetch(): Promise<void> {
    await this.keySet.reload().catch(() => undefined);
  }

  private isDue(ageMs: number): boolean {
    const now = Date.now();
    return now - this.lastGoodMs >= ageMs && now - this.lastFetchMs >= this.times.cooldownMs;
  }

  /** A missing key is the token's fault only where the set was looked up fresh; a fetch that failed or may not be made yet is ours. */
  private refusal(thrown: unknown): GatewayError {
    if (thrown instanceof GatewayError) return thrown;
    const isAnswer = thrown instanceof errors.JWKSNoMatchingKey || thrown instanceof errors.JWKSMultipleMatchingKeys;
    if (isAnswer) return invalidToken(thrown.code);
    if (thrown instanceof errors.JOSENotSupported) return invalidToken(thrown.code);
    return new GatewayError('authentication_unavailable', { cause: thrown, retryAfterMs: this.times.cooldownMs });
  }

  private async fetch(signal: AbortSignal): Promise<Response> {
    const now = Date.now();
    if (now - this.lastFetchMs < this.times.cooldownMs) throw new Error('the key set was asked for a moment ago');
    this.lastFetchMs = now;
    try {
      if (!isSafeKeySetUrl(this.url)) throw new Error('a key set must be served over https, or http on loopback');
      const response = await fetchKeySet(this.url, signal);
      this.lastGoodMs = now;
      return response;
    } catch (thrown) {
      this.hooks.failed(thrown);
      throw thrown;
    }
  }
}
