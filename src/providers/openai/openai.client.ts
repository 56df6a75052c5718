import { OpenAI } from 'openai';
import {
  KeptEndpoints,
  type WireClient,
  type WireEndpoint,
  type WirePath,
} from '../openai-wire/openai-wire.endpoint.js';
import type { OpenAISettings } from './openai.config.js';

/**
 * The official client, asked only how a request is addressed and authenticated: URL and headers are what its public
 * `buildRequest` makes of them. It sends nothing itself. Everything it would read from the environment is given, null
 * where it is to be nothing; OPENAI_CUSTOM_HEADERS alone cannot be turned off.
 */
export function createClient({ apiKey, organisation, project, baseUrl }: OpenAISettings): WireClient {
  const sdk = new OpenAI({
    apiKey,
    adminAPIKey: null,
    organization: organisation ?? null,
    project: project ?? null,
    baseURL: baseUrl.replace(/\/+$/, ''),
    maxRetries: 0,
    logLevel: 'off',
  });
  return new KeptEndpoints(async (path: WirePath): Promise<WireEndpoint> => {
    const { url, req } = await sdk.buildRequest({ method: 'post', path, body: {} });
    return { url, headers: Object.fromEntries(req.headers) };
  });
}
