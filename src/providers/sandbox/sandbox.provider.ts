import { Injectable } from '@nestjs/common';
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
  ProviderKind,
} from '../../contract/provider.js';
import { SandboxClient } from './sandbox.client.js';
import type { SandboxSettings } from './sandbox.config.js';
import { inputsOf, inputTokens, unitVector } from './sandbox.embeddings.js';
import { lastUserText, lossesOf, readInstructions } from './sandbox.request.js';
import { type Answer, composeAnswer, wholeResponse } from './sandbox.response.js';
import { stepsOf } from './sandbox.steps.js';
import { SandboxStream } from './sandbox.stream.js';
import { usageOf } from './sandbox.tokens.js';

const KIND = 'sandbox';
const MAX_DIMENSIONS = 4_096;

/** Creates sandboxes: providers that answer without any cloud. */
@Injectable()
export class SandboxProviders implements ProviderKind<SandboxSettings> {
  readonly kind = KIND;

  create(name: string, settings: SandboxSettings): Provider {
    const client = new SandboxClient(name, settings);
    return {
      name,
      kind: KIND,
      onDisconnect: settings.onDisconnect,
      chat: new SandboxChat(name, settings, client),
      embeddings: new SandboxEmbeddings(settings, client),
      close: () => Promise.resolve(),
    };
  }
}

class SandboxChat implements ChatAbility {
  constructor(
    private readonly name: string,
    private readonly settings: SandboxSettings,
    private readonly client: SandboxClient,
  ) {}

  async complete(call: AbilityCall<ChatRequest>): Promise<ChatResponse> {
    return wholeResponse((await this.answer(call, false)).answer);
  }

  async stream(call: AbilityCall<ChatRequest>): Promise<PartStream> {
    const startedAtMs = performance.now();
    const { answer, instructions } = await this.answer(call, true);
    return new SandboxStream({
      tokensPerSecond: this.settings.tokensPerSecond,
      ...instructions,
      steps: stepsOf(answer),
      promptTokens: answer.promptTokens,
      context: call.context,
      startedAtMs,
    });
  }

  private async answer(call: AbilityCall<ChatRequest>, isStream: boolean) {
    const { request, model, context, warn } = call;
    for (const loss of lossesOf(request)) warn(loss);
    const instructions = readInstructions(lastUserText(request.messages));
    await this.client.accept({ instructions, model, context, isStream });
    const createdSeconds = Math.floor(Date.now() / 1_000);
    const speaker = { provider: this.name, model, requestId: context.requestId, createdSeconds };
    const answer: Answer = composeAnswer(request, instructions, speaker);
    return { answer, instructions };
  }
}

class SandboxEmbeddings implements EmbeddingsAbility {
  constructor(
    private readonly settings: SandboxSettings,
    private readonly client: SandboxClient,
  ) {}

  async embed({ request, model, context }: AbilityCall<EmbeddingsRequest>): Promise<EmbeddingsResponse> {
    const inputs = inputsOf(request);
    const instructions = readInstructions(inputs.join('\n'));
    await this.client.accept({ instructions, model, context, isStream: false });
    const dimensions = request.dimensions ?? this.settings.dimensions;
    if (dimensions > MAX_DIMENSIONS) {
      const message = `The sandbox makes vectors of at most ${MAX_DIMENSIONS} dimensions.`;
      throw new GatewayError('provider_rejected', { message, param: 'dimensions' });
    }
    const vectors = inputs.map((input) => unitVector(input, dimensions));
    return { model, vectors, usage: usageOf(inputTokens(request), 0, 'final') };
  }
}
