import { z } from 'zod';

/** Ids that end up in store keys, labels and headers. */
export const identifier = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'use 1 to 64 letters, digits, "_", "." or "-"');

/** A model's public name; may hold "/" and ":". */
const modelName = z
  .string()
  .regex(/^[A-Za-z0-9_.:/@-]{1,128}$/, 'use 1 to 128 letters, digits or any of "_ . : / @ -"');

/** Milliseconds. */
const milliseconds = z.int().min(1).max(3_600_000);
const port = z.int().min(0).max(65_535);
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** A decimal price in USD per million tokens, as text so that no digit is lost. */
export const price = z
  .union([z.string(), z.number().transform(String)])
  .pipe(z.string().regex(/^\d{1,9}(\.\d{1,6})?$/, 'write USD per million tokens as a decimal with at most 6 places'));

export const limitsSchema = z
  .strictObject({
    requestsPerMinute: count.optional().describe('Requests admitted in any 60 seconds; 0 refuses all.'),
    tokensPerMinute: count
      .optional()
      .describe('Prompt and completion tokens admitted in any 60 seconds; 0 refuses all.'),
  })
  .default({});

const keySchema = z
  .strictObject({
    id: identifier.describe("The key's public id; limits and reports name it."),
    hash: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'use the 64 hex digits that "npm run key:new" printed')
      .optional()
      .describe('HMAC-SHA-256 of the key under the pepper, in hex.'),
    secret: z.string().min(1).optional().describe('The key itself, as a ${ENV} or file: reference.'),
    organisation: identifier.default('default'),
    team: identifier.optional(),
    user: identifier.optional(),
    models: z.array(modelName).optional().describe('Models the key may use; absent = all, [] = none.'),
    limits: limitsSchema,
    strict: z
      .boolean()
      .default(false)
      .describe('Refuse what would lose anything in translation, as x-tollgate-strict does.'),
    expiresAt: z.iso.datetime({ offset: true }).optional().describe('After this time the key is refused.'),
  })
  .refine((key) => (key.hash === undefined) !== (key.secret === undefined), {
    message: 'give exactly one of "hash" and "secret"',
  });

const organisationSchema = z.strictObject({
  models: z.array(modelName).optional().describe('Models of the organisation; absent = all, [] = none.'),
  limits: limitsSchema.describe('Limits of the organisation as a whole.'),
  teams: z
    .record(identifier, z.strictObject({ limits: limitsSchema }).default({ limits: {} }))
    .default({})
    .describe('Teams, by id. A key or token that names another team is refused.'),
});

/** Signature algorithms a token may use: asymmetric only. */
const jwtAlgorithm = z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']);

const claimSchema = z
  .string()
  .min(1)
  .describe('Path of a claim: names joined by dots, or a JSON pointer when a name holds dots.');

const jwtIssuerSchema = z
  .strictObject({
    issuer: z.string().min(1).describe('Exact value of "iss".'),
    audience: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).describe('Accepted values of "aud".'),
    algorithms: z.array(jwtAlgorithm).min(1).default(['RS256']),
    jwksUri: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where the keys are; https, or http on loopback.'),
    publicKey: z.string().min(1).optional().describe('A PEM public key instead of jwksUri; may be a file: reference.'),
    clockToleranceSeconds: z.int().min(0).max(60).default(30),
    maxAgeSeconds: z.int().min(60).max(604_800).default(86_400).describe('Oldest accepted "iat".'),
    claims: z
      .strictObject({
        organisation: claimSchema.optional().describe('Claim with the organisation; absent = "default".'),
        team: claimSchema.optional(),
        user: claimSchema.default('sub'),
      })
      .default({ user: 'sub' }),
    grants: z
      .array(
        z.strictObject({
          claim: claimSchema,
          value: z.string().min(1).describe('The claim (or one entry of its list) must equal this.'),
          organisation: identifier.optional(),
          team: identifier.optional(),
          models: z.array(modelName).optional(),
          limits: limitsSchema,
        }),
      )
      .default([])
      .describe('The first grant whose claim matches decides; with none declared every valid token is let in.'),
    models: z.array(modelName).optional().describe('Models of callers without a grant that says so; absent = all.'),
    limits: limitsSchema.describe('Limits of each caller of this issuer, unless a grant gives others.'),
  })
  .refine((issuer) => (issuer.jwksUri === undefined) !== (issuer.publicKey === undefined), {
    message: 'give exactly one of "jwksUri" and "publicKey"',
  });

const timeoutsSchema = z
  .strictObject({
    connectMs: milliseconds.default(2_000),
    firstContentMs: milliseconds.default(60_000).describe('Streams only: until the first content.'),
    idleMs: milliseconds.default(60_000).describe('Longest silence inside a stream.'),
    totalMs: milliseconds.default(600_000).describe('The whole request, all attempts together.'),
  })
  .prefault({});

const deploymentSchema = z.strictObject({
  provider: identifier.describe('Name of an entry of "providers".'),
  model: z
    .string()
    .min(1)
    .max(2048)
    .describe('The name by which the provider knows it; an Azure deployment, a Bedrock model id.'),
  weight: z.number().min(0).max(1_000_000).default(1),
  priority: z.int().min(0).max(1_000).default(0).describe('Lower is tried first.'),
  labels: z.array(identifier).default([]),
});

const modelSchema = z.strictObject({
  operation: z.enum(['chat', 'embeddings']).default('chat'),
  aliases: z.array(modelName).default([]).describe('Further names of the same model.'),
  deployments: z.array(deploymentSchema).min(1),
  defaultOutputTokens: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(1_024)
    .describe('Reserved for a call that names no bound.'),
  maxAttempts: z.int().min(1).max(10).default(3),
  strict: z
    .boolean()
    .default(false)
    .describe('Refuse what would lose anything in translation, as x-tollgate-strict does.'),
  timeouts: timeoutsSchema,
});

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
      .describe('Longest array in a body; embeddings inputs of token ids are exempt.'),
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
    maxBufferedBytes: z.int().min(16_384).max(16_777_216).default(65_536),
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
      .describe('Forward proxy for all upstream calls.'),
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
