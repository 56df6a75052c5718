import { z } from 'zod';
import { upstreamUrl } from '../../config/upstream-url.js';

const entraSchema = z
  .strictObject({
    tenantId: z.string().min(1).optional(),
    clientId: z.string().min(1).optional().describe('Application (client) id of a service principal.'),
    clientSecret: z.string().min(1).optional().describe('Its secret, as a ${ENV} or file: reference.'),
    managedIdentityClientId: z.string().min(1).optional().describe('Client id of a user-assigned managed identity.'),
    scope: z.string().min(1).default('https://cognitiveservices.azure.com/.default'),
  })
  .refine(
    ({ tenantId, clientId, clientSecret }) =>
      clientSecret === undefined || (tenantId !== undefined && clientId !== undefined),
    { message: '"clientSecret" needs "tenantId" and "clientId"', path: ['clientSecret'] },
  );

/** Settings of one Azure OpenAI resource. */
export const azureOpenAISettings = z
  .strictObject({
    endpoint: upstreamUrl.describe('The resource, such as https://NAME.openai.azure.com.'),
    api: z
      .enum(['classic', 'v1'])
      .default('classic')
      .describe('classic: /openai/deployments/NAME with api-version; v1: /openai/v1.'),
    apiVersion: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}(-preview)?$/, 'use a version such as 2024-10-21')
      .default('2024-10-21')
      .describe('api-version of the classic API; not sent to v1.'),
    apiKey: z.string().min(1).optional().describe('Key of the resource, as a ${ENV} or file: reference.'),
    entra: entraSchema
      .optional()
      .describe('Microsoft Entra ID instead of a key; {} = the default credential chain of the environment.'),
  })
  .refine(({ apiKey, entra }) => (apiKey === undefined) !== (entra === undefined), {
    message: 'give exactly one of "apiKey" and "entra"',
    path: ['apiKey'],
  });

export type AzureOpenAISettings = z.output<typeof azureOpenAISettings>;
export type EntraSettings = z.output<typeof entraSchema>;
