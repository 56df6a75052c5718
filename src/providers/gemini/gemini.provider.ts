import type { ChatRequest } from '../../contract/chat-request.js';
import type { ChatResponse } from '../../contract/chat-response.js';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../../contract/embeddings.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject } from '../../contract/json.js';
import type {
  AbilityCall,
  ChatAbility,
  EmbeddingsAbility,
  PartStream,
  Provider,
  TokenCountAbility,
} from '../../contract/provider.js';
import { tokenCount } from '../../contract/usage.js';
import { GEMINI_KIND, type GeminiClient } from './gemini.client.js';
import { fromGeminiEmbeddings, toGeminiEmbeddings } from './gemini.embeddings.js';
import { fromErrorAnswer } from '../gemini-wire/error.js';
import { GeminiPartStream } from '../gemini-wire/part-stream.js';
import { toGeminiRequest } from '../gemini-wire/request.js';
import { fromGeminiResponse } from '../gemini-wire/response.js';
import type { GeminiRequest } from '../gemini-wire/wire.js';

const EVENT_STREAM = 'text/event-stream';

/** One account of the Gemini API. Connections belong to the transport, so that closing has nothing to release. */
export class GeminiProvider implements Provider {
  readonly kind = GEMINI_KIND;
  /** Nobody is left to read the answer, and reading on would only let the provider generate and bill more. */
  readonly onDisconnect = 'abort';
  readonly chat: ChatAbility;
  readonly embeddings: EmbeddingsAbility;
  readonly tokenCount: TokenCountAbility;

  constructor(
    readonly name: string,
    private readonly client: GeminiClient,
  ) {
    this.chat = { complete: (call) => this.complete(call), stream: (call) => this.stream(call) };
    this.embeddings = { embed: (call) => this.embed(call) };
    this.tokenCount = { count: (call) => this.count(call) };
  }

  async close(): Promise<void> {}

  private toRequest({ request, model, warn }: AbilityCall<ChatRequest>): GeminiRequest {
    return toGeminiRequest(request, { model, service: this.client.service, warn });
  }

  private async complete(call: AbilityCall<ChatRequest>): Promise<ChatResponse> {
    const answer = await this.client.generate(call.model, this.toRequest(call), call.context);
    if (!isSuccess(answer.status)) throw fromErrorAnswer(answer, this.client.service.secrets);
    return fromGeminiResponse(parse(answer.body), this.client.service);
  }

  private async stream(call: AbilityCall<ChatRequest>): Promise<PartStream> {
    const answer = await this.client.generateStream(call.model, this.toRequest(call), call.context);
    if (!isSuccess(answer.status)) {
      throw fromErrorAnswer({ ...answer, body: await this.client.collect(answer) }, this.client.service.secrets);
    }
    // A missing type is let through: what is no event stream ends without a finish reason, which is an error.
    const contentType = answer.headers['content-type'] ?? EVENT_STREAM;
    if (String(contentType).startsWith(EVENT_STREAM)) return new GeminiPartStream(answer.source, this.client.service);
    answer.source.destroy();
    throw new GatewayError('provider_bad_response');
  }

  private async embed({ request, model, context, warn }: AbilityCall<EmbeddingsRequest>): Promise<EmbeddingsResponse> {
    const answer = await this.client.embed(model, toGeminiEmbeddings(request, warn), context);
    return fromGeminiEmbeddings(answer, request.input.length);
  }

  private async count(call: AbilityCall<ChatRequest>): Promise<{ promptTokens: number }> {
    const answer = await this.client.countTokens(call.model, this.toRequest(call), call.context);
    const promptTokens = tokenCount(isJsonObject(answer) ? answer['totalTokens'] : undefined);
    if (promptTokens === undefined) throw new GatewayError('provider_bad_response');
    return { promptTokens };
  }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new GatewayError('provider_bad_response', { cause });
  }
}
