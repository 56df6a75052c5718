import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../config/logging.js';
import type { Caller } from '../contract/caller.js';
import { toGatewayError, type GatewayError } from '../contract/errors.js';
import { extractCredential, refuseRepeatedHeaders } from './credential.js';
import { KeyStore } from './key.store.js';
import { authenticationRequired, invalidApiKey } from './refusal.js';
import { looksLikeToken } from './token-form.js';
import { TokenVerifier } from './token.verifier.js';

/** The caller, or the one reason there is none. */
export type Authentication = { readonly caller: Caller } | { readonly failure: GatewayError };

/** Tells who is asking, by the credential alone. Knows nothing of routes: guards and upgrades call it alike. */
@Injectable()
export class Authenticator {
  constructor(
    private readonly keys: KeyStore,
    private readonly tokens: TokenVerifier,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Never rejects. `address` is for the log alone. `rawHeaders` are Node's; without them a second Authorization header
   * goes unseen.
   */
  async authenticate(
    headers: IncomingHttpHeaders,
    address: string,
    rawHeaders: readonly string[] = [],
  ): Promise<Authentication> {
    try {
      refuseRepeatedHeaders(rawHeaders);
      const credential = extractCredential(headers);
      if (credential === undefined) return { failure: authenticationRequired() };
      const caller = this.keys.find(credential) ?? (await this.verifyToken(credential));
      return { caller };
    } catch (thrown) {
      const failure = toGatewayError(thrown);
      this.logger.debug({ address, code: failure.code, reason: failure.cause }, 'a credential was refused');
      return { failure };
    }
  }

  private verifyToken(credential: string): Promise<Caller> {
    if (this.tokens.enabled && looksLikeToken(credential)) return this.tokens.verify(credential);
    throw invalidApiKey();
  }
}
