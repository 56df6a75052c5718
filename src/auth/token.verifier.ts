import { hash } from 'node:crypto';
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { JwtIssuerConfig, TollgateConfig } from '../config/config.schema.js';
import { ConfigStore } from '../config/config.store.js';
import { LOGGER } from '../config/logging.js';
import type { Caller } from '../contract/caller.js';
import { BackgroundTasks } from '../state/background-tasks.js';
import { Transport } from '../transport/transport.js';
import { JwksSource } from './jwks.source.js';
import { PemKeySource, type KeySource } from './key-source.js';
import { invalidToken } from './refusal.js';
import { mapClaims } from './token-claims.js';
import { MAX_TOKEN_LENGTH, readTokenForm, type TokenForm } from './token-form.js';
import { TokenStrategy } from './token.strategy.js';

const CACHED_TOKENS = 10_000;
const FETCH_TASK = 'fetch key set';

interface AcceptedToken {
  readonly caller: Caller;
  readonly untilMs: number;
}

interface Issuer {
  readonly config: JwtIssuerConfig;
  readonly strategy: TokenStrategy;
}

/** Everything that follows from one configuration; a reload replaces it whole, except for the key sets it shares. */
interface Issuers {
  readonly list: readonly Issuer[];
  readonly sources: ReadonlyMap<string, KeySource>;
  readonly accepted: LRUCache<string, AcceptedToken>;
  readonly config: TollgateConfig;
}

/**
 * Turns tokens into callers. Accepted tokens are remembered by the SHA-256 of the whole token, never past their expiry
 * nor past a reload; passport runs on a miss alone.
 */
@Injectable()
export class TokenVerifier implements OnModuleInit, OnModuleDestroy {
  private readonly unsubscribe: () => void;
  private issuers: Issuers;

  constructor(
    config: ConfigStore,
    private readonly tasks: BackgroundTasks,
    private readonly transport: Transport,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.issuers = this.compile(config.current.config, new Map());
    this.unsubscribe = config.subscribe((next) => {
      const { sources } = this.issuers;
      this.issuers = this.compile(next.config, sources);
      this.prefetch(sources);
    });
  }

  /** True when an issuer is configured. */
  get enabled(): boolean {
    return this.issuers.list.length > 0;
  }

  /** Rejects with GatewayError `invalid_token`, `permission_denied` or `authentication_unavailable`. */
  async verify(token: string): Promise<Caller> {
    if (token.length > MAX_TOKEN_LENGTH) throw invalidToken('longer than 8 KB');
    const { issuers } = this;
    const digest = hash('sha256', token);
    const known = issuers.accepted.get(digest);
    if (known !== undefined && Date.now() < known.untilMs) return known.caller;

    const form = readTokenForm(token);
    const { config, strategy } = selectIssuer(issuers.list, form);
    const payload = await strategy.verify({ token, form });
    const caller = mapClaims(payload, {
      issuer: config,
      organisations: issuers.config.organisations,
    });
    const untilMs = Math.min((payload.exp ?? 0) * 1_000, Date.now() + issuers.config.auth.tokenCacheSeconds * 1_000);
    if (untilMs > Date.now()) issuers.accepted.set(digest, { caller, untilMs });
    return caller;
  }

  onModuleInit(): void {
    this.prefetch(new Map());
  }

  onModuleDestroy(): void {
    this.unsubscribe();
  }

  private compile(config: TollgateConfig, previous: ReadonlyMap<string, KeySource>): Issuers {
    const sources = new Map<string, KeySource>();
    const list = config.auth.jwt.map((issuer): Issuer => {
      const id = issuer.jwksUri ?? issuer.publicKey ?? '';
      const source = sources.get(id) ?? previous.get(id) ?? this.createSource(issuer);
      sources.set(id, source);
      return { config: issuer, strategy: new TokenStrategy(issuer, source) };
    });
    return {
      list,
      sources,
      accepted: new LRUCache({ max: CACHED_TOKENS }),
      config,
    };
  }

  private createSource(issuer: JwtIssuerConfig): KeySource {
    if (issuer.jwksUri === undefined) return new PemKeySource(issuer.publicKey ?? '');
    // Key sets are fetched by the runtime's own fetch; it shall know the proxy and the certificate authorities.
    this.transport.carryFetch(new URL(issuer.jwksUri).origin);
    return new JwksSource(issuer.jwksUri, {
      failed: (reason) => {
        this.logger.warn({ issuer: issuer.issuer, err: reason }, 'the key set of an issuer could not be fetched');
      },
      background: (task) => this.tasks.run(FETCH_TASK, task),
    });
  }

  /** Fetches the keys of issuers that are new, so that the first token need not wait. */
  private prefetch(known: ReadonlyMap<string, KeySource>): void {
    for (const [id, source] of this.issuers.sources) {
      if (!known.has(id)) this.tasks.run(FETCH_TASK, source.prefetch());
    }
  }
}

/** Chooses by the unverified `iss` and `aud`; the issuer's strategy then verifies both. */
function selectIssuer(issuers: readonly Issuer[], { header, payload }: TokenForm): Issuer {
  const audiences: readonly unknown[] = Array.isArray(payload.aud) ? payload.aud : [payload.aud];
  const issuer = issuers.find(
    ({ config }) => config.issuer === payload.iss && [config.audience].flat().some((name) => audiences.includes(name)),
  );
  if (issuer === undefined) throw invalidToken('issuer or audience not accepted');
  if (!issuer.config.algorithms.some((name) => name === header.alg)) throw invalidToken('algorithm not accepted');
  return issuer;
}
