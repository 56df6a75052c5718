import { createPublicKey, type KeyObject } from 'node:crypto';
import type { ProtectedHeaderParameters } from 'jose';
import { GatewayError } from '../contract/errors.js';
import { invalidToken } from './refusal.js';

/** Where the public keys of an issuer come from. */
export interface KeySource {
  /**
   * The key a token claims to be signed with. Rejects with GatewayError: `invalid_token` where no such key exists,
   * `authentication_unavailable` where that cannot be told.
   */
  resolve(header: ProtectedHeaderParameters): Promise<KeyObject>;
  /** Fetches keys ahead of the first token; resolves also when that failed. */
  prefetch(): Promise<void>;
}

const MIN_RSA_BITS = 2_048;

/** Refuses keys too weak to prove anything. */
export function requireStrongKey(key: KeyObject): KeyObject {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_RSA_BITS) throw invalidToken('RSA key under 2048 bits');
  return key;
}

/** One configured PEM key. A text that is no public key refuses every token with `authentication_unavailable`. */
export class PemKeySource implements KeySource {
  private readonly key: KeyObject | undefined;

  constructor(pem: string) {
    try {
      this.key = createPublicKey(pem);
    } catch {
      this.key = undefined;
    }
  }

  async resolve(): Promise<KeyObject> {
    if (this.key === undefined) {
      throw new GatewayError('authentication_unavailable', {
        cause: 'the configured publicKey is not a PEM public key',
      });
    }
    return Promise.resolve(requireStrongKey(this.key));
  }

  prefetch(): Promise<void> {
    return Promise.resolve();
  }
}
