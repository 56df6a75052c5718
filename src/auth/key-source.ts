import { createPublicKey, type KeyObject } from 'node:crypto';
import type { ProtectedHeaderParameters } from 'jose';
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

/** One configured PEM key, which the configuration's checks have seen to be one. */
export class PemKeySource implements KeySource {
  private readonly key: KeyObject;

  constructor(pem: string) {
    this.key = createPublicKey(pem);
  }

  async resolve(): Promise<KeyObject> {
    return Promise.resolve(requireStrongKey(this.key));
  }

  prefetch(): Promise<void> {
    return Promise.resolve();
  }
}
