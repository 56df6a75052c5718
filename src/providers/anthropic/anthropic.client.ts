import Anthropic from '@anthropic-ai/sdk';
import type { AnthropicSettings } from './anthropic.config.js';

/** The operations we call, by the SDK's own paths. */
export type AnthropicPath = '/v1/messages' | '/v1/messages/count_tokens';

/** Where one operation is, and what goes with every request to it. */
export interface AnthropicEndpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The official client, asked only how a request is addressed and authenticated: URL and headers are what its public
 * `buildRequest` makes of them. That costs some 12 µs a call, and the answer depends on nothing but the path, so it is
 * asked once for each. It sends nothing itself.
 */
export class AnthropicClient {
  /** Texts that must not reach callers inside a provider's error message. */
  readonly secrets: readonly string[];
  private readonly sdk: Anthropic;
  private readonly built = new Map<AnthropicPath, Promise<AnthropicEndpoint>>();

  constructor(settings: AnthropicSettings) {
    const { apiKey, authToken, baseUrl } = settings;
    const { host, hostname } = new URL(baseUrl);
    this.secrets = [host, hostname, apiKey, authToken].filter((secret) => secret !== undefined);
    this.sdk = createSdk(settings);
  }

  endpoint(path: AnthropicPath): Promise<AnthropicEndpoint> {
    const known = this.built.get(path);
    if (known !== undefined) return known;
    const building = this.build(path);
    this.built.set(path, building);
    return building;
  }

  private async build(path: AnthropicPath): Promise<AnthropicEndpoint> {
    const { url, req } = await this.sdk.buildRequest({ method: 'post', path, body: {} });
    return { url, headers: Object.fromEntries(req.headers) };
  }
}

/**
 * Everything the SDK would read from the environment is given, so that the environment cannot change a request: null
 * where it is to be nothing, because undefined means the variable. ANTHROPIC_CUSTOM_HEADERS alone cannot be turned off.
 * The SDK sends keys as bearer tokens, which only its newest API version is documented to take.
 */
function createSdk({ apiKey, authToken, baseUrl, version, betas }: AnthropicSettings): Anthropic {
  return new Anthropic({
    apiKey: apiKey ?? null,
    authToken: authToken ?? null,
    webhookKey: null,
    baseURL: baseUrl.replace(/\/+$/, ''),
    maxRetries: 0,
    logLevel: 'off',
    defaultHeaders: {
      'anthropic-version': version,
      ...(betas.length === 0 ? {} : { 'anthropic-beta': betas.join(',') }),
      ...(apiKey === undefined ? {} : { 'x-api-key': apiKey, authorization: null }),
    },
  });
}
