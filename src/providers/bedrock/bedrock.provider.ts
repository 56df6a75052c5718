import type { ChatRequest } from '../../contract/chat-request.js';
import type { ChatResponse } from '../../contract/chat-response.js';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../../contract/embeddings.js';
import type {
  AbilityCall,
  AttemptContext,
  ChatAbility,
  EmbeddingsAbility,
  PartStream,
  Provider,
  TokenCountAbility,
} from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';
import type { OpenResponse, WholeResponse } from '../../transport/upstream.js';
import type { BedrockClient } from './bedrock.client.js';
import type { BedrockSettings } from './bedrock.config.js';
import { countBody, countedModel, readCount } from './bedrock.count.js';
import { buildInvokeParts, joinAnswers, readInvokeAnswer } from './bedrock.embeddings.js';
import { badResponse, readFailure } from './bedrock.error.js';
import { ConversePartStream } from './bedrock.part-stream.js';
import { buildConverseRequest } from './bedrock.request.js';
import { readConverseResponse } from './bedrock.response.js';
import { ConverseStreamReader } from './bedrock.stream.js';
import { KIND, type ConverseRequest } from './bedrock.wire.js';

const EVENT_STREAM = 'application/vnd.amazon.eventstream';

/** InvokeModel calls of one embeddings request in flight at once. */
const PARALLEL_INVOKES = 8;
const MAX_FAILURE_BYTES = 1_048_576;

export interface BedrockParts {
  readonly settings: BedrockSettings;
  readonly client: BedrockClient;
  readonly transport: Transport;
}

/** One AWS account and region: chat over Converse, embeddings over InvokeModel, counts over CountTokens. */
export class BedrockProvider implements Provider, ChatAbility, EmbeddingsAbility, TokenCountAbility {
  readonly kind = KIND;
  /** Bedrock goes on generating, and bills, when its client is gone. */
  readonly onDisconnect = 'drain';
  readonly chat: ChatAbility = this;
  readonly embeddings: EmbeddingsAbility = this;
  readonly tokenCount: TokenCountAbility = this;

  constructor(
    readonly name: string,
    private readonly parts: BedrockParts,
  ) {}

  async complete(call: AbilityCall<ChatRequest>): Promise<ChatResponse> {
    const { body, answerKey } = this.translate(call, false);
    const { model, context } = call;
    const response = await this.send({ action: 'converse', model, body: JSON.stringify(body), context });
    return readConverseResponse(response.body, answerKey);
  }

  async stream(call: AbilityCall<ChatRequest>): Promise<PartStream> {
    const { body, answerKey } = this.translate(call, true);
    const { client, transport } = this.parts;
    const { model, context } = call;
    const request = await client.request({ action: 'converse-stream', model, body: JSON.stringify(body), context });
    const response = await transport.open(request);
    if (response.status !== 200) throw await this.readOpenFailure(response);
    // A missing type is let through: the frames' checksums tell soon enough.
    const contentType = response.headers['content-type'] ?? EVENT_STREAM;
    if (!String(contentType).startsWith(EVENT_STREAM)) {
      response.source.destroy();
      throw badResponse('the answer is no event stream');
    }
    return new ConversePartStream(response.source, new ConverseStreamReader(answerKey, client.secrets));
  }

  /**
   * Titan and Nova take one text a call, so one request can be several calls, eight at a time. The first failure ends
   * them all; what the others were billed is then not told.
   */
  async embed({ request, model, context, warn }: AbilityCall<EmbeddingsRequest>): Promise<EmbeddingsResponse> {
    const family = this.foundationModel(model);
    const parts = buildInvokeParts(request, family, warn);
    const abort = new AbortController();
    const signal = AbortSignal.any([context.signal, abort.signal]);
    const answers: EmbeddingsResponse[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let at = next++; at < parts.length; at = next++) {
        const part = parts[at];
        if (part === undefined) return;
        const call = { action: 'invoke' as const, model, body: part.body, context: { ...context, signal } };
        answers[at] = readInvokeAnswer(await this.send(call), part, family);
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(PARALLEL_INVOKES, parts.length) }, work));
    } finally {
      abort.abort();
    }
    return joinAnswers(answers);
  }

  /** Counts with the foundation model itself: CountTokens knows no inference profiles. */
  async count(call: AbilityCall<ChatRequest>): Promise<{ promptTokens: number }> {
    const { body } = this.translate(call, false);
    const model = countedModel(this.foundationModel(call.model));
    const response = await this.send({ action: 'count-tokens', model, body: countBody(body), context: call.context });
    return { promptTokens: readCount(response.body) };
  }

  close(): Promise<void> {
    this.parts.client.close();
    return Promise.resolve();
  }

  private translate({ request, model, warn }: AbilityCall<ChatRequest>, isStream: boolean): ConverseRequest {
    return buildConverseRequest(request, { model: this.foundationModel(model), isStream, warn });
  }

  private foundationModel(model: string): string {
    return this.parts.settings.baseModels[model] ?? model;
  }

  private async send(call: SendCall): Promise<WholeResponse> {
    const response = await this.parts.transport.send(await this.parts.client.request(call));
    if (response.status !== 200) throw readFailure(response, this.parts.client);
    return response;
  }

  private async readOpenFailure(response: OpenResponse): Promise<Error> {
    const { status, headers, source } = response;
    const body = await this.parts.transport.collect(source, MAX_FAILURE_BYTES);
    return readFailure({ status, headers, body }, this.parts.client);
  }
}

interface SendCall {
  readonly action: 'converse' | 'invoke' | 'count-tokens';
  readonly model: string;
  readonly body: string;
  readonly context: AttemptContext;
}
