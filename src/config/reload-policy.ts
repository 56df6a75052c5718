import type { TollgateConfig } from './config.schema.js';

/** When a changed value counts: `live` at the next reload, `restart` only in a new process. */
type Applies = 'live' | 'restart';

type Policy = {
  readonly [Section in keyof TollgateConfig]: Applies | { readonly [Key in keyof TollgateConfig[Section]]-?: Applies };
};

/** Every key of the configuration; one that is missing here does not compile. */
const POLICY = {
  server: {
    host: 'restart',
    port: 'restart',
    adminPort: 'restart',
    metricsPort: 'restart',
    trustProxy: 'restart',
    docs: 'restart',
    maxBodyBytes: 'live',
    maxJsonDepth: 'live',
    maxArrayLength: 'live',
    bodyTimeoutMs: 'live',
    headersTimeoutMs: 'restart',
    keepAliveTimeoutMs: 'restart',
    maxConnections: 'restart',
    readinessDelayMs: 'live',
    drainMs: 'live',
  },
  stream: 'live',
  redis: 'restart',
  auth: { pepper: 'live', previousPepper: 'live', jwt: 'live', tokenCacheSeconds: 'restart', flood: 'restart' },
  logging: 'live',
  transport: 'restart',
  organisations: 'live',
  keys: 'live',
  providers: 'live',
  models: 'live',
} as const satisfies Policy;

/** A configuration that may follow another in the same process. */
export interface Merged {
  readonly config: TollgateConfig;
  /** Keys (`redis`, `server.port`) whose change waits for a restart. */
  readonly heldBack: readonly string[];
}

/** The next configuration, with the values of restart keys taken from the previous one. */
export function holdBackRestartKeys(previous: TollgateConfig, next: TollgateConfig): Merged {
  const heldBack: string[] = [];
  const pick = (name: string, before: unknown, after: unknown): unknown => {
    if (JSON.stringify(before) === JSON.stringify(after)) return after;
    heldBack.push(name);
    return before;
  };
  const config: Record<string, unknown> = { ...next };
  for (const section of Object.keys(POLICY) as (keyof TollgateConfig)[]) {
    const policy: Applies | Readonly<Record<string, Applies>> = POLICY[section];
    if (policy === 'live') continue;
    if (policy === 'restart') {
      config[section] = pick(section, previous[section], next[section]);
      continue;
    }
    const before = previous[section] as Readonly<Record<string, unknown>>;
    const after: Record<string, unknown> = { ...next[section] };
    for (const [key, applies] of Object.entries(policy)) {
      if (applies === 'restart') after[key] = pick(`${section}.${key}`, before[key], after[key]);
    }
    config[section] = after;
  }
  return { config: config as TollgateConfig, heldBack };
}
