import { z } from 'zod';
import { jwtIssuerSchema, keySchema, organisationSchema } from './access.schema.js';
import { modelSchema } from './model.schema.js';
import { identifier, milliseconds, modelName } from './primitives.schema.js';

const port = z.int().min(0).max(65_535);
const serverSchema = z
  .strictObject({
    host: z.string().default('0.0.0.0'),
    port: port.default(8080),
    adminPort: port.default(8081),
    metricsPort: port.default(9464),
    trustProxy: z.array(z.string()).default([]).describe('Addresses or CIDRs of proxies whose X-Forwarded-For counts.'),
    docs: z.boolean().default(true).describe('Serves /docs and /openapi.json.'),
    maxBodyBytes: z.int().min(1_024).max(1_073_741_824).default(33_554_432),
    maxJsonDepth: z.int().min(8).max(1_000).default(64),
    maxArrayLength: z
      .int()
      .min(16)
      .max(10_000_000)
      .default(10_000)
      .describe(
        'Longest array and most fields of an object in a body, and a tenth of what the whole body may have; of plain numbers (embeddings inputs of token ids) a hundred times as many are taken.',
      ),
    bodyTimeoutMs: milliseconds.default(60_000),
    headersTimeoutMs: milliseconds.default(15_000),
    keepAliveTimeoutMs: milliseconds.default(90_000),
    maxConnections: z.int().min(1).max(1_000_000).default(20_000),
    readinessDelayMs: z
      .int()
      .min(0)
      .max(600_000)
      .default(0)
      .describe('How long to keep serving after SIGTERM before the listener closes.'),
    drainMs: z.int().min(0).max(3_600_000).default(30_000).describe('How long open requests may go on after that.'),
  })
  .prefault({});

const streamSchema = z
  .strictObject({
    holdMs: milliseconds.default(15_000).describe('Longest time the status may wait for the first content.'),
    heartbeatMs: milliseconds.default(15_000),
    stallMs: milliseconds.default(60_000).describe('A client that takes no byte for this long is cut.'),
    maxBufferedBytes: z.int().min(16_384).max(16_777_216).default(32_768),
    maxEventBytes: z.int().min(1_024).max(67_108_864).default(1_048_576),
  })
  .prefault({});

const redisSchema = z
  .strictObject({
    url: z
      .string()
      .regex(/^rediss?:\/\//, 'use redis://host:port or rediss://host:port')
      .optional()
      .describe('Absent = the embedded server: one process, not durable.'),
    mode: z.enum(['standalone', 'cluster', 'sentinel']).default('standalone'),
    nodes: z.array(z.string()).default([]).describe('Further host:port of a cluster, or the sentinels.'),
    sentinelName: z.string().optional(),
    commandTimeoutMs: z.int().min(10).max(60_000).optional().describe('Default 100; 2000 towards the embedded server.'),
    connections: z.int().min(1).max(64).default(1),
    keyPrefix: identifier.default('g1'),
    onFailure: z
      .strictObject({
        limits: z
          .enum(['closed', 'open', 'shadow'])
          .default('shadow')
          .describe('What request and token limits do while the store is away.'),
      })
      .prefault({}),
  })
  .prefault({});

const authSchema = z
  .strictObject({
    pepper: z
      .string()
      .min(32, 'use at least 32 characters, for example from "openssl rand -hex 32"')
      .optional()
      .describe('Secret under which keys are hashed; required with redis.url.'),
    previousPepper: z.string().min(32).optional().describe('Still accepted while keys are re-hashed.'),
    jwt: z.array(jwtIssuerSchema).default([]),
    tokenCacheSeconds: z.int().min(1).max(60).default(60),
    flood: z
      .strictObject({
        limit: z
          .int()
          .min(1)
          .max(1_000_000)
          .default(60)
          .describe('Anonymous or failed requests of one address in a window.'),
        windowMs: milliseconds.default(60_000),
        blockMs: milliseconds.default(60_000),
      })
      .prefault({}),
  })
  .prefault({});

const loggingSchema = z
  .strictObject({ level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info') })
  .prefault({});

const transportSchema = z
  .strictObject({
    connectionsPerOrigin: z.int().min(1).max(100_000).default(2_048),
    keepAliveMs: milliseconds.default(4_000).describe('How long an idle upstream connection is kept.'),
    maxResponseBytes: z
      .int()
      .min(1_024)
      .max(1_073_741_824)
      .default(67_108_864)
      .describe('Longest whole answer of a provider.'),
    proxy: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Forward proxy for all outbound calls; absent = HTTPS_PROXY with NO_PROXY, of the environment.'),
    noProxy: z.array(z.string().min(1)).default([]).describe('Hosts reached without the proxy, as NO_PROXY has them.'),
    caFile: z.string().optional().describe('Additional certificate authorities, PEM.'),
  })
  .prefault({});

/** What a provider kind tells the configuration: its name and the schema of its settings. */
export interface ProviderKindDescriptor {
  readonly kind: string;
  /** Strict object schema of the settings, without `kind`. */
  readonly settings: z.ZodObject;
}

/** Injection token of the list of descriptors the composition root declares. */
export const PROVIDER_KINDS = Symbol('PROVIDER_KINDS');

/** A configured provider account: its kind and what the kind's schema made of the rest. */
export interface ProviderEntry {
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The schema of the whole file, for the given kinds. */
export function configSchema(kinds: readonly ProviderKindDescriptor[]) {
  const variants = kinds.map(({ kind, settings }) => settings.extend({ kind: z.literal(kind) }).strict());
  const [first, ...rest] = variants;
  if (first === undefined) throw new Error('configSchema needs at least one provider kind');
  return z.strictObject({
    server: serverSchema,
    stream: streamSchema,
    redis: redisSchema,
    auth: authSchema,
    logging: loggingSchema,
    transport: transportSchema,
    organisations: z.record(identifier, organisationSchema).default({}),
    keys: z.array(keySchema).default([]),
    providers: z
      .record(
        identifier,
        z.discriminatedUnion('kind', [first, ...rest]).transform((entry): ProviderEntry => {
          const { kind, ...settings } = entry as { kind: string } & Record<string, unknown>;
          return { kind, settings };
        }),
      )
      .default({}),
    models: z.record(modelName, modelSchema).default({}),
  });
}

/** A whole, checked configuration: defaults filled in, references resolved. */
export type TollgateConfig = z.output<ReturnType<typeof configSchema>>;
export type KeyConfig = TollgateConfig['keys'][number];
export type OrganisationConfig = TollgateConfig['organisations'][string];
export type JwtIssuerConfig = TollgateConfig['auth']['jwt'][number];
export type ModelConfig = TollgateConfig['models'][string];
