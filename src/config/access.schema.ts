import { z } from 'zod';
import { count, identifier, modelName } from './primitives.schema.js';

/** Limits of one scope. */
export const limitsSchema = z
  .strictObject({
    requestsPerMinute: count.optional().describe('Requests admitted in any 60 seconds; 0 refuses all.'),
    tokensPerMinute: count
      .optional()
      .describe('Prompt and completion tokens admitted in any 60 seconds; 0 refuses all.'),
  })
  .default({});

/** One entry of `keys`. */
export const keySchema = z
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
    labels: z
      .array(identifier)
      .default([])
      .describe('Only deployments that carry all of these may serve the key, for example a region of residency.'),
    strict: z
      .boolean()
      .default(false)
      .describe('Refuse what would lose anything in translation, as x-tollgate-strict does.'),
    expiresAt: z.iso.datetime({ offset: true }).optional().describe('After this time the key is refused.'),
  })
  .refine((key) => (key.hash === undefined) !== (key.secret === undefined), {
    message: 'give exactly one of "hash" and "secret"',
  });

/** One entry of `organisations`. */
export const organisationSchema = z.strictObject({
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

/** One entry of `auth.jwt`. */
export const jwtIssuerSchema = z
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
