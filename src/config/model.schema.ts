import { z } from 'zod';
import { identifier, milliseconds, modelName } from './primitives.schema.js';

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

/** One entry of `models`. */
export const modelSchema = z.strictObject({
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
