import { z } from 'zod';
import { upstreamUrl } from '../../config/upstream-url.js';

const roleSchema = z.strictObject({
  roleArn: z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/, 'use arn:aws:iam::<account>:role/<name>'),
  externalId: z.string().min(2).max(1_224).optional().describe('Condition the role demands of whoever assumes it.'),
  sessionName: z
    .string()
    .regex(/^[\w+=,.@-]{2,64}$/, 'use 2 to 64 letters, digits or any of "_ + = , . @ -"')
    .default('tollgate')
    .describe('Name under which CloudTrail shows the calls.'),
  endpoint: upstreamUrl.optional().describe('Address of STS; default: that of the region.'),
});

/** Every field a credential can have; which of them belong together is checked beside. */
const credentialsSchema = z
  .strictObject({
    accessKeyId: z.string().min(1).optional(),
    secretAccessKey: z.string().min(1).optional(),
    sessionToken: z.string().min(1).optional().describe('For temporary keys only.'),
    assumeRole: roleSchema.optional().describe('Role to assume with the default credential chain.'),
    apiKey: z.string().min(1).optional().describe('A Bedrock API key, sent as bearer token.'),
  })
  .refine((given) => (given.accessKeyId === undefined) === (given.secretAccessKey === undefined), {
    message: 'give "accessKeyId" and "secretAccessKey" together',
  })
  .refine((given) => given.sessionToken === undefined || given.accessKeyId !== undefined, {
    message: '"sessionToken" needs "accessKeyId" and "secretAccessKey"',
  })
  .refine(
    (given) => [given.accessKeyId, given.assumeRole, given.apiKey].filter((one) => one !== undefined).length === 1,
    {
      message: 'give exactly one of "accessKeyId" with "secretAccessKey", "assumeRole" and "apiKey"',
    },
  );

/** Settings of one AWS account and region, without `kind`. */
export const bedrockSettings = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/, 'use a region such as eu-central-1')
    .describe('AWS region whose Bedrock runtime is called.'),
  endpoint: upstreamUrl.optional().describe('Address of the Bedrock runtime; default: that of the region.'),
  credentials: credentialsSchema
    .optional()
    .describe('Absent = the default chain of the AWS SDK: environment, profile, web identity, container, instance.'),
  baseModels: z
    .record(z.string().min(1), z.string().min(1))
    .default({})
    .describe('Foundation model behind an id that does not tell, such as the ARN of an application inference profile.'),
});

export type BedrockSettings = z.output<typeof bedrockSettings>;
export type BedrockRole = z.output<typeof roleSchema>;
