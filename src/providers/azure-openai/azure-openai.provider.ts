import type { ChatRequest } from '../../contract/chat-request.js';
import type { ChatResponse } from '../../contract/chat-response.js';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../../contract/embeddings.js';
import { GatewayError } from '../../contract/errors.js';
import type {
  AbilityCall,
  ChatAbility,
  EmbeddingsAbility,
  NativeAbility,
  PartStream,
  Provider,
} from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';
import { AzureOpenAINative } from './azure-openai.native.js';
import { AzureOpenAIPartStream } from './azure-openai.part-stream.js';
import { toWireChat, toWireEmbeddings } from './azure-openai.request.js';
import { fromWireChat, fromWireEmbeddings } from './azure-openai.response.js';
import type { AzureOpenAISender } from './azure-openai.sender.js';

/** The kind's name in the configuration. */
export const AZURE_OPENAI_KIND = 'azure-openai';

/** One Azure OpenAI resource. Connections belong to the transport, so that closing has nothing to release. */
export class AzureOpenAIProvider implements Provider {
  readonly kind = AZURE_OPENAI_KIND;
  /** Azure stops generating when its client goes. */
  readonly onDisconnect = 'abort';
  readonly chat: ChatAbility;
  readonly embeddings: EmbeddingsAbility;
  readonly native: NativeAbility;

  constructor(
    readonly name: string,
    private readonly sender: AzureOpenAISender,
    private readonly transport: Transport,
  ) {
    this.chat = { complete: (call) => this.complete(call), stream: (call) => this.stream(call) };
    this.embeddings = { embed: (call) => this.embed(call) };
    this.native = new AzureOpenAINative(sender);
  }

  async close(): Promise<void> {}

  private async complete({ request, model, context, warn }: AbilityCall<ChatRequest>): Promise<ChatResponse> {
    const body = JSON.stringify(toWireChat(request, { model, stream: false, warn }));
    const answer = await this.sender.send({ path: '/chat/completions', model, body, context });
    return fromWireChat(parse(answer.body));
  }

  private async stream({ request, model, context, warn }: AbilityCall<ChatRequest>): Promise<PartStream> {
    const body = JSON.stringify(toWireChat(request, { model, stream: true, warn }));
    const { source } = await this.sender.open({ path: '/chat/completions', model, body, context });
    return new AzureOpenAIPartStream(source, this.transport.createSplitter());
  }

  private async embed({ request, model, context }: AbilityCall<EmbeddingsRequest>): Promise<EmbeddingsResponse> {
    const body = JSON.stringify(toWireEmbeddings(request, model));
    const answer = await this.sender.send({ path: '/embeddings', model, body, context });
    return fromWireEmbeddings(parse(answer.body), request.input.length);
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new GatewayError('provider_bad_response', { cause: error });
  }
}
