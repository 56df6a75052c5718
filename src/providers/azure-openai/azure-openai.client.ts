import { AzureOpenAI, OpenAI } from 'openai';
import type { AttemptContext } from '../../contract/provider.js';
import type { WireClient, WireEndpoint, WirePath } from '../openai-wire/openai-wire.endpoint.js';
import type { AzureOpenAISettings } from './azure-openai.config.js';
import { credentialLoader, EntraToken, type CredentialLoader } from './azure-openai.credential.js';

interface Built {
  readonly endpoint: WireEndpoint;
  /** The Entra token inside the headers; absent = an API key. */
  readonly token?: string;
}

/** Endpoints kept per resource; far more than a resource has deployments. */
const MAX_BUILT = 1_024;

/**
 * The official client, asked only how a request is addressed and authenticated: URL, api-version and headers are what
 * its public `buildRequest` makes of them. That costs some 15 µs a call, and the answer depends on nothing but path,
 * deployment and token, so it is kept for each of them. It sends nothing itself.
 */
export class AzureOpenAIClient implements WireClient {
  private readonly built = new Map<string, Built>();
  private readonly sdk: OpenAI;
  private readonly entra: EntraToken | undefined;

  constructor(settings: AzureOpenAISettings, loadCredential?: CredentialLoader) {
    const { entra } = settings;
    this.entra = entra && new EntraToken(entra.scope, loadCredential ?? credentialLoader(entra));
    this.sdk = createSdk(settings, this.entra);
  }

  /** Rejects only with GatewayError: `provider_authentication` when no token can be had. */
  async endpoint(path: WirePath, deployment: string, context: AttemptContext): Promise<WireEndpoint> {
    const token = this.entra && (await this.entra.getFor(context));
    const key = `${path} ${deployment}`;
    const known = this.built.get(key);
    if (known !== undefined && known.token === token) return known.endpoint;
    const endpoint = await this.build(path, deployment);
    if (this.built.size >= MAX_BUILT) this.built.clear();
    this.built.set(key, token === undefined ? { endpoint } : { endpoint, token });
    return endpoint;
  }

  private async build(path: WirePath, deployment: string): Promise<WireEndpoint> {
    const { url, req } = await this.sdk.buildRequest({ method: 'post', path, body: { model: deployment } });
    return { url, headers: Object.fromEntries(req.headers) };
  }
}

/**
 * Everything the SDK would read from the environment is given, so that the environment cannot change a request: null
 * where it is to be nothing, because undefined means the variable. OPENAI_CUSTOM_HEADERS alone cannot be turned off.
 */
function createSdk(settings: AzureOpenAISettings, entra: EntraToken | undefined): OpenAI {
  const { endpoint, api, apiVersion, apiKey } = settings;
  const base = endpoint.replace(/\/+$/, '');
  const common = { maxRetries: 0, organization: null, project: null, adminAPIKey: null, logLevel: 'off' } as const;
  const provider = entra && ((): Promise<string> => entra.get());
  if (api === 'v1') return new OpenAI({ ...common, baseURL: `${base}/openai/v1`, apiKey: provider ?? apiKey ?? null });
  const credential = provider === undefined ? { apiKey } : { apiKey: '', azureADTokenProvider: provider };
  return new AzureOpenAI({ ...common, ...credential, baseURL: `${base}/openai`, apiVersion });
}
