import type { ChatRequest } from '../../contract/chat-request.js';
import type { ChatResponse } from '../../contract/chat-response.js';
import type { AbilityCall, ChatAbility, PartStream, Provider, TokenCountAbility } from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';
import { readTokenCount, toCountBody } from '../anthropic-wire/count.js';
import { MessagesPartStream } from '../anthropic-wire/part-stream.js';
import { buildMessagesRequest } from '../anthropic-wire/request.js';
import { readMessagesResponse } from '../anthropic-wire/response.js';
import { MessagesStreamReader } from '../anthropic-wire/stream.js';
import type { MessagesRequest } from '../anthropic-wire/wire.js';
import type { AnthropicSender } from './anthropic.sender.js';

/** The kind's name in the configuration. */
export const ANTHROPIC_KIND = 'anthropic';

/** One account at Anthropic. Connections belong to the transport, so that closing has nothing to release. */
export class AnthropicProvider implements Provider, ChatAbility, TokenCountAbility {
  readonly kind = ANTHROPIC_KIND;
  /** The API stops generating when its client goes. */
  readonly onDisconnect = 'abort';
  readonly chat: ChatAbility = this;
  readonly tokenCount: TokenCountAbility = this;

  constructor(
    readonly name: string,
    private readonly sender: AnthropicSender,
    private readonly transport: Transport,
  ) {}

  async complete(call: AbilityCall<ChatRequest>): Promise<ChatResponse> {
    const { model, context } = call;
    const { body, key } = translate(call, false);
    const text = JSON.stringify({ model, ...body });
    const answer = await this.sender.send({ path: '/v1/messages', body: text, context });
    return readMessagesResponse(answer.body, key);
  }

  async stream(call: AbilityCall<ChatRequest>): Promise<PartStream> {
    const { model, context } = call;
    const { body, key } = translate(call, true);
    const text = JSON.stringify({ model, ...body });
    const { source } = await this.sender.open({ path: '/v1/messages', body: text, context });
    const reader = new MessagesStreamReader(key, this.sender.secrets);
    return new MessagesPartStream(source, this.transport.createSplitter(), reader);
  }

  async count(call: AbilityCall<ChatRequest>): Promise<{ readonly promptTokens: number }> {
    const { model, context } = call;
    const text = JSON.stringify({ model, ...toCountBody(translate(call, false).body) });
    const answer = await this.sender.send({ path: '/v1/messages/count_tokens', body: text, context });
    return readTokenCount(answer.body);
  }

  async close(): Promise<void> {}
}

function translate({ request, model, warn }: AbilityCall<ChatRequest>, stream: boolean): MessagesRequest {
  return buildMessagesRequest(request, { model, stream, warn });
}
