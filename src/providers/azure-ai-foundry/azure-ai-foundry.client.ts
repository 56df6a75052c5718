import {
  KeptEndpoints,
  type WireClient,
  type WireEndpoint,
  type WirePath,
} from '../openai-wire/openai-wire.endpoint.js';
import type { AzureAiFoundrySettings } from './azure-ai-foundry.config.js';

/** The service’s own form: the version in the query, the key in a header. */
export function createClient(settings: AzureAiFoundrySettings): WireClient {
  const base = settings.baseUrl.replace(/\/+$/, '');
  // Fields the service has no word for belong to the model: unless told to pass them on, it refuses the request.
  const fixed = { 'content-type': 'application/json', 'extra-parameters': 'pass-through' };
  const headers = { ...fixed, 'api-key': settings.apiKey };
  return new KeptEndpoints((path: WirePath): Promise<WireEndpoint> => {
    return Promise.resolve({ url: `${base}${path}?api-version=${settings.apiVersion}`, headers });
  });
}
