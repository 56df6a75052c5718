import type { ChatRequest } from '../../contract/chat-request.js';
import type { ChatResponse } from '../../contract/chat-response.js';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../../contract/embeddings.js';
import { GatewayError } from '../../contract/errors.js';
import type { AbilityCall, ChatAbility, EmbeddingsAbility, PartStream, Provider } from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';
import type { WireFlavour } from './openai-wire.flavour.js';
import { OpenAINative } from './openai-wire.native.js';
import { OpenAIPartStream } from './openai-wire.part-stream.js';
import { toWireChat, toWireEmbeddings } from './openai-wire.request.js';
import { fromWireChat, fromWireEmbeddings } from './openai-wire.response.js';
import type { OpenAISender } from './openai-wire.sender.js';

/** What the abilities of one provider are made of. */
export interface WireParts {
  readonly sender: OpenAISender;
  readonly transport: Transport;
  readonly flavour: WireFlavour;
}

/** The abilities of a server that speaks OpenAI's wire. */
export function wireAbilities(parts: WireParts): Pick<Provider, 'chat' | 'embeddings' | 'native'> {
  const embeddings: EmbeddingsAbility = { embed: (call) => embed(parts, call) };
  return {
    chat: chatAbility(parts),
    native: new OpenAINative(parts.sender, parts.transport, parts.flavour),
    ...(parts.flavour.vectors === undefined ? {} : { embeddings }),
  };
}

function chatAbility(parts: WireParts): ChatAbility {
  const { sender, transport } = parts;
  const { mend } = parts.flavour;
  return {
    async complete(call): Promise<ChatResponse> {
      const { model, context } = call;
      const answer = await sender.send({
        path: '/chat/completions',
        model,
        body: chatBody(parts, call, false),
        context,
      });
      return fromWireChat(parse(mend === undefined ? answer.body : mend.whole(answer.body)));
    },
    async stream(call): Promise<PartStream> {
      const { model, context } = call;
      const { source } = await sender.open({
        path: '/chat/completions',
        model,
        body: chatBody(parts, call, true),
        context,
      });
      const whole = mend === undefined ? source : mend.stream(source, transport.createSplitter());
      return new OpenAIPartStream(whole, transport.createSplitter());
    },
  };
}

function chatBody({ flavour }: WireParts, call: AbilityCall<ChatRequest>, stream: boolean): string {
  const { request, model, warn } = call;
  const body = toWireChat(request, { model, stream, warn, flavour });
  return JSON.stringify(flavour.adaptChat === undefined ? body : flavour.adaptChat(body, warn));
}

async function embed(
  { sender, flavour }: WireParts,
  { request, model, context, warn }: AbilityCall<EmbeddingsRequest>,
): Promise<EmbeddingsResponse> {
  const body = JSON.stringify(toWireEmbeddings(request, { model, warn, flavour }));
  const answer = await sender.send({ path: '/embeddings', model, body, context });
  return fromWireEmbeddings(parse(answer.body), request.input.length);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new GatewayError('provider_bad_response', { cause: error });
  }
}
