import { OpenAI } from 'openai';
import {
  KeptEndpoints,
  type WireClient,
  type WireEndpoint,
  type WirePath,
} from '../openai-wire/openai-wire.endpoint.js';
import { baseUrlOf, type OpenAICompatibleSettings } from './openai-compatible.config.js';

/**
 * The official client at another address, asked only how a request is addressed and authenticated. It will not be made
 * without a key, so that without one it gets a word that its own headers leave out again. Settings' headers stand only
 * where neither the client nor the body has one of that name.
 */
export function createClient(settings: OpenAICompatibleSettings): WireClient {
  const { apiKey, headers: further = {} } = settings;
  const sdk = new OpenAI({
    apiKey: apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    baseURL: baseUrlOf(settings),
    maxRetries: 0,
    logLevel: 'off',
    ...(apiKey === undefined ? { defaultHeaders: { authorization: null } } : {}),
  });
  const extra = Object.entries(further).map(([name, value]) => [name.toLowerCase(), value] as const);
  return new KeptEndpoints(async (path: WirePath): Promise<WireEndpoint> => {
    const { url, req } = await sdk.buildRequest({ method: 'post', path, body: {} });
    return { url, headers: { ...Object.fromEntries(extra), ...Object.fromEntries(req.headers) } };
  });
}
