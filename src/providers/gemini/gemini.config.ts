import { z } from 'zod';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** True for https, and for http towards this machine: a key must not cross a network in the clear. */
function isSafeUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
}

/** Settings of one Gemini API account. */
export const geminiSettings = z.strictObject({
  apiKey: z.string().min(1).describe('API key, as a ${ENV} or file: reference; sent as x-goog-api-key.'),
  baseUrl: z
    .string()
    .refine(isSafeUrl, 'use an https URL without query (http is allowed on loopback only)')
    .default('https://generativelanguage.googleapis.com')
    .describe('Where the API is; without the version.'),
  apiVersion: z
    .string()
    .regex(/^v\d+[a-z0-9]*$/, 'use a version such as v1beta')
    .default('v1beta')
    .describe('Version of the API; v1 lacks system instructions and tools.'),
});

export type GeminiSettings = z.output<typeof geminiSettings>;
