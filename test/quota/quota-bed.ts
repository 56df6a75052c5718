import { randomBytes } from 'node:crypto';
import { pino, type Logger } from 'pino';
import type { TollgateConfig } from '../../src/config/config.schema.js';
import { ConfigStore } from '../../src/config/config.store.js';
import type { CallEnvelope } from '../../src/contract/call.js';
import type { Caller, Limits } from '../../src/contract/caller.js';
import type { Model, Plan } from '../../src/contract/plan.js';
import type { MeasuredUsage } from '../../src/contract/usage.js';
import { BackgroundTasks } from '../../src/state/background-tasks.js';
import { Keys } from '../../src/state/keys.js';
import { RedisStore } from '../../src/state/redis.store.js';
import { QuotaService } from '../../src/quota/quota.service.js';

/** The `redis` part of a configuration with its defaults. */
export function redisConfig(changes: Partial<TollgateConfig['redis']> = {}): TollgateConfig['redis'] & { url: string } {
  return {
    url: process.env['REDIS_URL'] ?? '',
    mode: 'standalone',
    nodes: [],
    connections: 1,
    keyPrefix: 'g1',
    onFailure: { limits: 'shadow' },
    ...changes,
  };
}

/** An id no other test uses. */
export function uniqueId(prefix = 'o'): string {
  return `${prefix}${randomBytes(8).toString('hex')}`;
}

/** A log that can be read. */
export function readableLog(): { readonly logger: Logger; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const logger = pino(
    { level: 'debug' },
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  return { logger, lines };
}

/** What a bed is made of. */
export interface BedOptions {
  readonly redis?: Partial<TollgateConfig['redis']>;
  /** Limits of the organisation; default none. */
  readonly limits?: Limits;
  readonly teams?: Readonly<Record<string, { readonly limits: Limits }>>;
  readonly commandTimeoutMs?: number;
  readonly logger?: Logger;
  readonly organisation?: string;
}

/** A quota service on a real store, with an organisation of its own. */
export interface QuotaBed {
  readonly organisation: string;
  readonly store: RedisStore;
  readonly quota: QuotaService;
  readonly config: ConfigStore;
  readonly background: BackgroundTasks;
  close(): Promise<void>;
}

/** A store to the server of the configuration. */
export async function openStore(
  redis: TollgateConfig['redis'] & { url: string },
  options: { readonly commandTimeoutMs?: number; readonly connectMs?: number; readonly logger?: Logger } = {},
): Promise<RedisStore> {
  const store = new RedisStore({
    redis,
    keys: new Keys(redis.keyPrefix),
    logger: options.logger ?? pino({ level: 'silent' }),
    commandTimeoutMs: options.commandTimeoutMs ?? 2_000,
    socketTimeoutMs: 5_000,
    isEmbedded: false,
  });
  await store.connect(options.connectMs ?? 5_000);
  return store;
}

export async function quotaBed(options: BedOptions = {}): Promise<QuotaBed> {
  const organisation = options.organisation ?? uniqueId();
  const redis = redisConfig(options.redis);
  const logger = options.logger ?? pino({ level: 'silent' });
  const store = await openStore(redis, { logger, commandTimeoutMs: options.commandTimeoutMs ?? 2_000 });
  const config = new ConfigStore({
    version: 1,
    sha: '0',
    source: 'file',
    config: {
      redis,
      organisations: { [organisation]: { limits: options.limits ?? {}, teams: options.teams ?? {} } },
    } as unknown as TollgateConfig,
  });
  const background = new BackgroundTasks(logger);
  const quota = new QuotaService(config, store, background, logger);
  const close = async (): Promise<void> => {
    await quota.flush(100);
    await background.drain(2_000);
    store.close();
  };
  return { organisation, store, quota, config, background, close };
}

export function caller(organisation: string, changes: Partial<Caller> = {}): Caller {
  return { method: 'key', id: 'key-1', organisation, limits: {}, ...changes };
}

export function call(changes: Partial<CallEnvelope> = {}): CallEnvelope {
  const base = { operation: 'chat', dialect: 'openai-chat', model: 'gpt', stream: false } as const;
  return { ...base, bodyBytes: 400, choices: 1, maxOutputTokens: 100, ...changes };
}

export function plan(changes: Partial<Model> = {}): Plan {
  const model: Model = {
    name: 'gpt',
    operation: 'chat',
    strict: false,
    deployments: [],
    defaultOutputTokens: 1_024,
    timeouts: { connectMs: 1, firstContentMs: 1, idleMs: 1, totalMs: 1 },
    maxAttempts: 1,
    ...changes,
  };
  return { model, attempts: [] };
}

export function usage(changes: Partial<MeasuredUsage> = {}): MeasuredUsage {
  const parts = { cachedPromptTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
  return { promptTokens: 80, completionTokens: 20, source: 'final', ...parts, ...changes };
}
