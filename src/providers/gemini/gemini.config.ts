import { z } from 'zod';
import { upstreamUrl } from '../../config/upstream-url.js';

/** Settings of one Gemini API account. */
export const geminiSettings = z.strictObject({
  apiKey: z.string().min(1).describe('API key, as a ${ENV} or file: reference; sent as x-goog-api-key.'),
  baseUrl: upstreamUrl
    .default('https://generativelanguage.googleapis.com')
    .describe('Where the API is; without the version.'),
  apiVersion: z
    .string()
    .regex(/^v\d+[a-z0-9]*$/, 'use a version such as v1beta')
    .default('v1beta')
    .describe('Version of the API; v1 lacks system instructions and tools.'),
});

export type GeminiSettings = z.output<typeof geminiSettings>;
