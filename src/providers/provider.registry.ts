import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Logger } from 'pino';
import type { ProviderEntry } from '../config/config.schema.js';
import { ConfigStore } from '../config/config.store.js';
import { LOGGER } from '../config/logging.js';
import { GatewayError } from '../contract/errors.js';
import type { Provider, ProviderKind } from '../contract/provider.js';

/** Injection token of the list of kind services; ProvidersModule fills it. */
export const PROVIDER_KIND_SERVICES = Symbol('PROVIDER_KIND_SERVICES');

/**
 * How long a provider that a reload replaced stays open though nobody holds it: a request that was planned but waits
 * for its quota holds no lease yet.
 */
export const RETIREMENT_GRACE_MS = 30_000;

/** The right to use one provider; the provider is not closed before `release`. */
export interface ProviderLease {
  readonly provider: Provider;
  /** Gives the right back; harmless when repeated. */
  release(): void;
}

interface HeldProvider {
  readonly entry: ProviderEntry;
  readonly provider: Provider;
  leases: number;
  /** Set when a reload replaced it. */
  retired: boolean;
  /** Runs from retirement until the grace is over; absent = not retired, or over. */
  grace?: NodeJS.Timeout;
}

/**
 * The providers of the current configuration. An entry whose settings did not change keeps its provider across a
 * reload; one that was removed or changed is closed when its last lease is released. It knows no models.
 */
@Injectable()
export class ProviderRegistry implements OnModuleInit, OnApplicationShutdown {
  private readonly kinds: ReadonlyMap<string, ProviderKind<never>>;
  private current: ReadonlyMap<string, HeldProvider> = new Map();
  /** Everything not closed yet, retired ones too. */
  private readonly held = new Map<Provider, HeldProvider>();
  private unsubscribe: () => void = () => undefined;

  constructor(
    private readonly config: ConfigStore,
    @Inject(PROVIDER_KIND_SERVICES) kinds: readonly ProviderKind<never>[],
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.kinds = new Map(kinds.map((kind) => [kind.kind, kind]));
  }

  /** Creates the providers of the configuration; throws, naming the provider, when one cannot be created. */
  onModuleInit(): void {
    const failures = this.apply(this.config.current.config.providers);
    if (failures.length > 0) throw new Error(failures.join('\n'));
    this.unsubscribe = this.config.subscribe(({ config }) => {
      for (const failure of this.apply(config.providers)) this.logger.error({ failure }, 'provider not replaced');
    });
  }

  /** Closes every provider; requests are over by then. */
  async onApplicationShutdown(): Promise<void> {
    this.unsubscribe();
    await Promise.all([...this.held.values()].map((held) => this.close(held)));
  }

  /** The provider of a configured name; undefined = not configured, or it could not be created. */
  find(name: string): Provider | undefined {
    return this.current.get(name)?.provider;
  }

  /** Keeps a provider open until the lease is released; throws `no_deployment` when it is closed already. */
  acquire(provider: Provider): ProviderLease {
    const held = this.held.get(provider);
    if (held === undefined) throw new GatewayError('no_deployment');
    held.leases++;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      held.leases--;
      this.closeIfUnused(held);
    };
    return { provider, release };
  }

  /** Brings the providers in line with the entries; returns a sentence for each one that could not be created. */
  private apply(entries: Readonly<Record<string, ProviderEntry>>): string[] {
    const next = new Map<string, HeldProvider>();
    const failures: string[] = [];
    for (const [name, entry] of Object.entries(entries)) {
      const previous = this.current.get(name);
      if (previous !== undefined && isDeepStrictEqual(previous.entry, entry)) {
        next.set(name, previous);
        continue;
      }
      try {
        next.set(name, this.create(name, entry));
      } catch (thrown) {
        const kept = previous === undefined ? '' : '; the previous one stays in use';
        failures.push(`provider "${name}" cannot be created: ${messageOf(thrown)}${kept}`);
        if (previous !== undefined) next.set(name, previous);
      }
    }
    const before = this.current;
    this.current = next;
    for (const [name, held] of before) if (next.get(name) !== held) this.retire(held);
    return failures;
  }

  private create(name: string, entry: ProviderEntry): HeldProvider {
    const kind = this.kinds.get(entry.kind);
    if (kind === undefined) throw new Error(`there is no provider kind "${entry.kind}"`);
    // The configuration has checked the settings against the kind's own schema.
    const provider = kind.create(name, entry.settings as never);
    const held: HeldProvider = { entry, provider, leases: 0, retired: false };
    this.held.set(provider, held);
    return held;
  }

  private retire(held: HeldProvider): void {
    held.retired = true;
    held.grace = setTimeout(() => {
      delete held.grace;
      this.closeIfUnused(held);
    }, RETIREMENT_GRACE_MS).unref();
  }

  private closeIfUnused(held: HeldProvider): void {
    if (held.retired && held.leases === 0 && held.grace === undefined) void this.close(held);
  }

  private async close(held: HeldProvider): Promise<void> {
    clearTimeout(held.grace);
    if (!this.held.delete(held.provider)) return;
    try {
      await held.provider.close();
    } catch (error) {
      this.logger.warn({ err: error, provider: held.provider.name }, 'provider did not close cleanly');
    }
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
