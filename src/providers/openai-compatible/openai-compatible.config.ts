import { z } from 'zod';
import { clearUpstreamUrl, isClearUrl } from '../../config/upstream-url.js';
import { FEATURE_NAMES } from './openai-compatible.features.js';
import { PLAIN, PRESET_NAMES, presetOf, type Differences } from './openai-compatible.presets.js';

/** Headers that belong to the connection or are made of the body. */
const OURS = /^(host|connection|content-length|content-type|content-encoding|transfer-encoding|te|trailer|upgrade)$/i;

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, 'use letters, digits and hyphens')
  .refine((name) => !OURS.test(name), 'this header is set by the gateway');

/** Settings of one server that speaks OpenAI's wire. Each difference overrides the preset's. */
export const openAICompatibleSettings = z
  .strictObject({
    preset: z.enum(PRESET_NAMES).optional().describe('A known server, whose address and differences hold.'),
    baseUrl: clearUpstreamUrl
      .optional()
      .describe(
        'Up to and including the version, such as https://llm.example/v1; http off loopback needs `allowHttp`.',
      ),
    allowHttp: z
      .boolean()
      .default(false)
      .describe('Allows a baseUrl of http off loopback: the key and all content cross the network in the clear.'),
    apiKey: z
      .string()
      .min(1)
      .optional()
      .describe('Sent as bearer token, as a ${ENV} or file: reference; default: none.'),
    headers: z
      .record(headerName, z.string())
      .optional()
      .describe('Further headers of every request; they never replace those the gateway sends itself.'),
    maxTokensField: z
      .enum(['max_tokens', 'max_completion_tokens'])
      .optional()
      .describe('What the server calls the bound of generated tokens; default: as the caller wrote it.'),
    seedField: z.enum(['seed', 'random_seed']).optional().describe('What the server calls the seed; default: seed.'),
    streamUsage: z
      .boolean()
      .optional()
      .describe('false = the server refuses `stream_options`; default: true, a stream is asked for its usage.'),
    reasoningField: z
      .enum(['reasoning_content', 'reasoning', 'none'])
      .optional()
      .describe('The field of a message that takes earlier reasoning back; default: none.'),
    systemRole: z
      .enum(['system', 'developer'])
      .optional()
      .describe('What the server calls instructions; default: as the caller wrote it.'),
    embeddings: z
      .enum(['float', 'base64', 'none'])
      .optional()
      .describe('How the server gives vectors; none = it has no embeddings; default: float.'),
    unsupported: z
      .array(z.enum(FEATURE_NAMES))
      .optional()
      .describe('What the server cannot do: taken out of a request, with a warning; default: nothing.'),
    mendAnswers: z
      .boolean()
      .default(true)
      .describe('Completes answers that leave out what the dialect requires, such as the id of a tool call.'),
  })
  .refine(({ baseUrl, preset }) => baseUrl !== undefined || presetOf(preset).baseUrl !== undefined, {
    message: 'give "baseUrl", or a "preset" that has one',
    path: ['baseUrl'],
  })
  .refine(({ baseUrl, allowHttp }) => allowHttp || baseUrl === undefined || !isClearUrl(baseUrl), {
    message: 'use https, or set "allowHttp" where the network may see the key and all content',
    path: ['baseUrl'],
  });

export type OpenAICompatibleSettings = z.output<typeof openAICompatibleSettings>;

/** Where the server is. */
export function baseUrlOf({ baseUrl, preset }: OpenAICompatibleSettings): string {
  const url = baseUrl ?? presetOf(preset).baseUrl;
  if (url === undefined) throw new Error('the settings were not checked: there is no base URL');
  return url.replace(/\/+$/, '');
}

/** In what the server differs: what the settings say, else the preset, else nothing. */
export function differencesOf(settings: OpenAICompatibleSettings): Differences {
  const { preset, maxTokensField, seedField, streamUsage, reasoningField, systemRole, embeddings, unsupported } =
    settings;
  const said = { maxTokensField, seedField, streamUsage, reasoningField, systemRole, embeddings, unsupported };
  const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  return { ...PLAIN, ...presetOf(preset), ...given };
}
