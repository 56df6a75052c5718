import { z } from 'zod';
import { upstreamUrl } from '../../config/upstream-url.js';

/** Settings of one account at Anthropic, without `kind`. */
export const anthropicSettings = z
  .strictObject({
    apiKey: z.string().min(1).optional().describe('API key, as a ${ENV} or file: reference; sent as x-api-key.'),
    authToken: z.string().min(1).optional().describe('Token instead of a key; sent as Authorization: Bearer.'),
    baseUrl: upstreamUrl.default('https://api.anthropic.com').describe('Address of the API, without /v1.'),
    version: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}$/, 'use a version such as 2023-06-01')
      .default('2023-06-01')
      .describe('Value of anthropic-version. Later versions refuse parameters that this one takes.'),
    betas: z
      .array(z.string().regex(/^[\w.-]+$/, 'use names such as context-1m-2025-08-07'))
      .default([])
      .describe('Features in beta to switch on, sent as anthropic-beta.'),
  })
  .refine(({ apiKey, authToken }) => (apiKey === undefined) !== (authToken === undefined), {
    message: 'give exactly one of "apiKey" and "authToken"',
    path: ['apiKey'],
  });

export type AnthropicSettings = z.output<typeof anthropicSettings>;
