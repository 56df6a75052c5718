import type { ChatRequest } from '../../contract/chat-request.js';
import type { ChatResponse } from '../../contract/chat-response.js';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../../contract/embeddings.js';
import { GatewayError } from '../../contract/errors.js';
import type {
  AbilityCall,
  ChatAbility,
  EmbeddingsAbility,
  PartStream,
  Provider,
  TokenCountAbility,
} from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';
import type { OpenResponse } from '../../transport/upstream.js';
import { readTokenCount } from '../anthropic-wire/count.js';
import { MessagesPartStream } from '../anthropic-wire/part-stream.js';
import { readMessagesResponse } from '../anthropic-wire/response.js';
import { MessagesStreamReader } from '../anthropic-wire/stream.js';
import { GeminiPartStream } from '../gemini-wire/part-stream.js';
import { fromGeminiResponse } from '../gemini-wire/response.js';
import { VERTEX_KIND, type VertexCall, type VertexClient } from './vertex.client.js';
import { fromVertexEmbeddings, toVertexEmbeddings } from './vertex.embeddings.js';
import { vertexModel } from './vertex.model.js';
import { toCountTokens, toGenerateContent, toRawCount, toRawPredict, type VertexChat } from './vertex.request.js';
import { parseVertexAnswer, readVertexCount } from './vertex.response.js';

const EVENT_STREAM = 'text/event-stream';

/** What a provider works with. */
export interface VertexParts {
  readonly client: VertexClient;
  readonly transport: Transport;
  readonly location: string;
}

/** One project at Vertex AI. Connections belong to the transport, so that closing has nothing to release. */
export class VertexProvider implements Provider, ChatAbility, TokenCountAbility, EmbeddingsAbility {
  readonly kind = VERTEX_KIND;
  /** Nobody is left to read the answer, and reading on would only let the provider generate and bill more. */
  readonly onDisconnect = 'abort';
  readonly chat: ChatAbility = this;
  readonly tokenCount: TokenCountAbility = this;
  readonly embeddings: EmbeddingsAbility = this;

  constructor(
    readonly name: string,
    private readonly parts: VertexParts,
  ) {}

  async complete(call: AbilityCall<ChatRequest>): Promise<ChatResponse> {
    const { client } = this.parts;
    const chat = chatOf(call);
    const { context } = call;
    if (chat.model.wire === 'messages') {
      const { body, key } = toRawPredict(chat, false);
      const answer = await client.send({ path: `${chat.model.path}:rawPredict`, body, context });
      return readMessagesResponse(answer.body, key);
    }
    const answer = await client.send(this.generate(chat, 'generateContent'));
    return fromGeminiResponse(parseVertexAnswer(answer.body), client.service);
  }

  async stream(call: AbilityCall<ChatRequest>): Promise<PartStream> {
    const { client, transport } = this.parts;
    const chat = chatOf(call);
    const { context } = call;
    if (chat.model.wire === 'messages') {
      const { body, key } = toRawPredict(chat, true);
      const answer = await client.open({ path: `${chat.model.path}:streamRawPredict`, body, context });
      const reader = new MessagesStreamReader(key, client.service.secrets);
      return new MessagesPartStream(eventsOf(answer), transport.createSplitter(), reader);
    }
    const answer = await client.open(this.generate(chat, 'streamGenerateContent?alt=sse'));
    return new GeminiPartStream(eventsOf(answer), client.service);
  }

  async count(call: AbilityCall<ChatRequest>): Promise<{ readonly promptTokens: number }> {
    const { client } = this.parts;
    const chat = chatOf(call);
    if (chat.model.wire === 'messages') {
      const path = chat.model.path.replace(/[^/]+$/, 'count-tokens:rawPredict');
      return readTokenCount((await client.send({ path, body: toRawCount(chat), context: call.context })).body);
    }
    const { body } = toGenerateContent(chat, client.service, this.parts.location);
    const path = `${chat.model.path}:countTokens`;
    return readVertexCount((await client.send({ path, body: toCountTokens(body), context: call.context })).body);
  }

  async embed({ request, model, context, warn }: AbilityCall<EmbeddingsRequest>): Promise<EmbeddingsResponse> {
    const { path, name, wire } = vertexModel(model);
    if (wire === 'messages') throw new GatewayError('not_supported');
    const body = toVertexEmbeddings(request, name, warn);
    const answer = await this.parts.client.send({ path: `${path}:predict`, body, context });
    return fromVertexEmbeddings(parseVertexAnswer(answer.body), request.input.length);
  }

  async close(): Promise<void> {}

  private generate(chat: VertexChat, method: string): VertexCall {
    const { client, location } = this.parts;
    const { context } = chat.call;
    return { path: `${chat.model.path}:${method}`, ...toGenerateContent(chat, client.service, location), context };
  }
}

function chatOf(call: AbilityCall<ChatRequest>): VertexChat {
  return { call, model: vertexModel(call.model) };
}

/** A missing type is let through: what is no event stream ends without a finish reason, which is an error. */
function eventsOf({ headers, source }: OpenResponse): OpenResponse['source'] {
  if (String(headers['content-type'] ?? EVENT_STREAM).startsWith(EVENT_STREAM)) return source;
  source.destroy();
  throw new GatewayError('provider_bad_response');
}
