import { z } from 'zod';
import { upstreamUrl } from '../../config/upstream-url.js';

/** Settings of one account at OpenAI. */
export const openAISettings = z.strictObject({
  apiKey: z.string().min(1).describe('Key of a project or a service account, as a ${ENV} or file: reference.'),
  organisation: z.string().min(1).optional().describe('Organisation the calls count for; default: the key’s own.'),
  project: z.string().min(1).optional().describe('Project the calls count for; default: the key’s own.'),
  baseUrl: upstreamUrl
    .default('https://api.openai.com/v1')
    .describe('Another region of OpenAI, such as https://eu.api.openai.com/v1.'),
});

export type OpenAISettings = z.output<typeof openAISettings>;
