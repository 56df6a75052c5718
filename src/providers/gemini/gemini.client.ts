import { GoogleGenerativeAI, type GenerativeModel } from '@google/generative-ai';
import { GatewayError, type ErrorCode } from '../../contract/errors.js';
import type { AttemptContext } from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';
import type { OpenResponse, UpstreamRequest, WholeResponse } from '../../transport/upstream.js';
import type { GeminiSettings } from './gemini.config.js';
import type { GeminiEmbedding } from './gemini.embeddings.js';
import type { GeminiService } from '../gemini-wire/service.js';
import { fromSdkError } from './gemini.error.js';
import type { GeminiRequest } from '../gemini-wire/wire.js';

/** The kind's name in the configuration, and the issuer of its thought signatures. */
export const GEMINI_KIND = 'gemini';

/** Longest body of a refusal that is read. */
const MAX_ERROR_BYTES = 262_144;

/**
 * The calls to one account. Counting and embeddings go through the SDK; generateContent, with and without stream,
 * goes through our transport, because the SDK
 * - costs about 145 µs of CPU a call where mapping and transport together cost 50 (loopback, 8 in parallel),
 * - throws errors without headers, so that Retry-After is lost, and has no connect timeout,
 * - streams without back-pressure, keeps every event, and rejects a promise nobody awaits when a stream breaks.
 */
export class GeminiClient {
  /** How this service speaks the shared wire. */
  readonly service: GeminiService;
  private readonly sdk: GoogleGenerativeAI;
  private readonly models = new Map<string, GenerativeModel>();
  private readonly headers: Readonly<Record<string, string>>;

  constructor(
    private readonly settings: GeminiSettings,
    private readonly transport: Transport,
  ) {
    const secrets = [settings.apiKey, new URL(settings.baseUrl).hostname];
    this.service = { issuer: GEMINI_KIND, hasCallIds: true, hasTierField: true, secrets };
    // The SDK takes no client of ours; its fetch shall still know the proxy and the certificate authorities.
    transport.carryFetch(new URL(settings.baseUrl).origin);
    this.sdk = new GoogleGenerativeAI(settings.apiKey);
    this.headers = { 'content-type': 'application/json', 'x-goog-api-key': settings.apiKey };
  }

  generate(model: string, body: GeminiRequest, context: AttemptContext): Promise<WholeResponse> {
    return this.transport.send(this.request(`${this.path(model)}:generateContent`, body, context));
  }

  /** Resolves with the headers, whatever the status. */
  generateStream(model: string, body: GeminiRequest, context: AttemptContext): Promise<OpenResponse> {
    return this.transport.open(this.request(`${this.path(model)}:streamGenerateContent?alt=sse`, body, context));
  }

  /** The body of a refusal. */
  collect(response: OpenResponse): Promise<Buffer> {
    return this.transport.collect(response.source, MAX_ERROR_BYTES);
  }

  /** The API's answer as the SDK parsed it. */
  async countTokens(model: string, body: GeminiRequest, context: AttemptContext): Promise<unknown> {
    const generateContentRequest = { model: resourceName(model), ...body };
    return this.guarded(context, (signal) =>
      // The SDK's types end before thought signatures and JSON Schema parameters; it passes the body on as it is.
      this.model(model).countTokens({ generateContentRequest } as never, { signal }),
    );
  }

  /** The API's answer as the SDK parsed it. */
  async embed(model: string, requests: readonly GeminiEmbedding[], context: AttemptContext): Promise<unknown> {
    return this.guarded(context, (signal) =>
      this.model(model).batchEmbedContents({ requests: [...requests] }, { signal }),
    );
  }

  private model(model: string): GenerativeModel {
    let known = this.models.get(model);
    if (known === undefined) {
      const { baseUrl, apiVersion } = this.settings;
      known = this.sdk.getGenerativeModel({ model }, { baseUrl: withoutSlash(baseUrl), apiVersion });
      this.models.set(model, known);
    }
    return known;
  }

  private path(model: string): string {
    const { baseUrl, apiVersion } = this.settings;
    const name = resourceName(model).split('/').map(encodeURIComponent).join('/');
    return `${withoutSlash(baseUrl)}/${apiVersion}/${name}`;
  }

  private request(url: string, body: GeminiRequest, context: AttemptContext): UpstreamRequest {
    return { method: 'POST', url, headers: this.headers, body: JSON.stringify(body), context };
  }

  /**
   * Runs an SDK call under our rules: the SDK ignores a signal that is aborted already, never clears its timeout's
   * timer, and never takes its listener off a signal. So it gets a signal of its own and no timeout.
   */
  private async guarded<Answer>(
    context: AttemptContext,
    call: (signal: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    if (context.signal.aborted) throw new GatewayError('client_closed');
    context.beforeSend?.();
    const controller = new AbortController();
    let stoppedBy: ErrorCode | undefined;
    const stop = (code: ErrorCode): void => {
      stoppedBy ??= code;
      controller.abort();
    };
    const closed = (): void => stop('client_closed');
    const timer = setTimeout(() => stop('provider_timeout'), context.timeouts.totalMs);
    context.signal.addEventListener('abort', closed, { once: true });
    context.onDispatch();
    try {
      return await call(controller.signal);
    } catch (thrown) {
      throw stoppedBy === undefined
        ? fromSdkError(thrown, this.service.secrets)
        : new GatewayError(stoppedBy, { cause: thrown });
    } finally {
      clearTimeout(timer);
      context.signal.removeEventListener('abort', closed);
    }
  }
}

/** The API's name of a model; plain names are under `models/`, as the SDK has it. */
function resourceName(model: string): string {
  return model.includes('/') ? model : `models/${model}`;
}

function withoutSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}
