import { z } from 'zod';
import { upstreamUrl } from '../../config/upstream-url.js';

/** Settings of one resource of Azure AI Foundry, by its model inference API. */
export const azureAiFoundrySettings = z.strictObject({
  baseUrl: upstreamUrl.describe('Where its models are, such as https://NAME.services.ai.azure.com/models.'),
  apiKey: z.string().min(1).describe('Key of the resource, as a ${ENV} or file: reference.'),
  apiVersion: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}(-preview)?$/, 'use the form 2024-05-01-preview')
    .default('2024-05-01-preview')
    .describe('Version of the model inference API.'),
});

export type AzureAiFoundrySettings = z.output<typeof azureAiFoundrySettings>;
