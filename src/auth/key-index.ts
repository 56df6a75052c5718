import { hashApiKey, parseApiKey, API_KEY_PREFIX } from '../contract/api-key.js';
import type { Caller } from '../contract/caller.js';
import { FOREIGN_SECRET_LENGTH, isForeignSecret } from '../contract/foreign-secret.js';
import type { KeyConfig, TollgateConfig } from '../config/config.schema.js';
import { allowedModels } from './allowed-models.js';
import { findOrganisation } from './membership.js';

interface IndexedKey {
  readonly caller: Caller;
  /** Milliseconds since the epoch; Infinity = never. */
  readonly expiresAtMs: number;
}

/** Peppers in the order they are tried. */
export type Peppers = readonly [string, ...string[]];

/**
 * The keys of one configuration, by their HMAC. A secret that is no Tollgate key is kept apart: it is accepted from 32
 * characters on, has no checksum, and must not start with `tg_`.
 */
export class KeyIndex {
  private readonly keys = new Map<string, IndexedKey>();
  private readonly foreign = new Map<string, IndexedKey>();
  /** Why entries were left out, one sentence each; they never hold a secret. */
  readonly problems: readonly string[];

  constructor(
    config: Pick<TollgateConfig, 'keys' | 'organisations'>,
    private readonly peppers: Peppers,
  ) {
    this.problems = config.keys.flatMap((key) => this.add(key, config.organisations) ?? []);
  }

  get size(): number {
    return this.keys.size + this.foreign.size;
  }

  /** The caller of a credential; undefined for whatever reason it is not accepted. Refuses bad checksums unhashed. */
  find(credential: string, nowMs: number): Caller | undefined {
    if (credential.startsWith(API_KEY_PREFIX)) {
      return parseApiKey(credential) && this.lookUp(this.keys, credential, nowMs);
    }
    return this.foreign.size > 0 && isForeignSecret(credential)
      ? this.lookUp(this.foreign, credential, nowMs)
      : undefined;
  }

  private lookUp(entries: ReadonlyMap<string, IndexedKey>, credential: string, nowMs: number): Caller | undefined {
    for (const pepper of this.peppers) {
      const key = entries.get(hashApiKey(pepper, credential));
      if (key !== undefined) return nowMs < key.expiresAtMs ? key.caller : undefined;
    }
    return undefined;
  }

  /** Returns why an entry cannot be used. */
  private add(key: KeyConfig, organisations: TollgateConfig['organisations']): string | undefined {
    const organisation = findOrganisation(organisations, key.organisation, key.team);
    if (organisation === undefined) return `key "${key.id}" names an organisation or team that is not declared`;
    const entry: IndexedKey = {
      expiresAtMs: key.expiresAt === undefined ? Infinity : Date.parse(key.expiresAt),
      caller: {
        method: 'key',
        id: key.id,
        organisation: key.organisation,
        ...(key.team !== undefined && { team: key.team }),
        ...(key.user !== undefined && { user: key.user }),
        ...optionalModels(allowedModels(key.models, organisation.models)),
        limits: key.limits,
        ...(key.labels.length > 0 && { labels: key.labels }),
        ...(key.strict && { strict: true }),
      },
    };
    if (key.hash !== undefined) return put(this.keys, key.hash, entry);
    const secret = key.secret ?? '';
    if (parseApiKey(secret)) return put(this.keys, hashApiKey(this.peppers[0], secret), entry);
    if (isForeignSecret(secret)) return put(this.foreign, hashApiKey(this.peppers[0], secret), entry);
    return `the secret of key "${key.id}" is neither a Tollgate key nor another secret of ${FOREIGN_SECRET_LENGTH.min} to ${FOREIGN_SECRET_LENGTH.max} printable characters`;
  }
}

function put(entries: Map<string, IndexedKey>, hash: string, entry: IndexedKey): string | undefined {
  const other = entries.get(hash);
  if (other !== undefined) return `key "${entry.caller.id}" is the same key as "${other.caller.id}"`;
  entries.set(hash, entry);
  return undefined;
}

function optionalModels(models: ReadonlySet<string> | undefined): Pick<Caller, 'models'> {
  return models === undefined ? {} : { models };
}
