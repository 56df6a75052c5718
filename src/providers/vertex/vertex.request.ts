import type { ChatRequest } from '../../contract/chat-request.js';
import type { AbilityCall } from '../../contract/provider.js';
import { toCountBody } from '../anthropic-wire/count.js';
import { buildMessagesRequest } from '../anthropic-wire/request.js';
import type { AnswerKey, MessagesBody } from '../anthropic-wire/wire.js';
import { toGeminiRequest } from '../gemini-wire/request.js';
import type { GeminiService } from '../gemini-wire/service.js';
import type { GeminiRequest } from '../gemini-wire/wire.js';
import type { VertexModel } from './vertex.model.js';

/** What the cloud wants in a Messages body in place of the version header. */
const MESSAGES_VERSION = { anthropic_version: 'vertex-2023-10-16' } as const;

/** A chat call and the model it is for. */
export interface VertexChat {
  readonly call: AbilityCall<ChatRequest>;
  readonly model: VertexModel;
}

/** A canonical request for generateContent; the tier asked for goes into headers. */
export function toGenerateContent(
  { call: { request, warn }, model }: VertexChat,
  service: GeminiService,
  location: string,
): { readonly body: GeminiRequest; readonly headers: Readonly<Record<string, string>> } {
  const body = toGeminiRequest(request, { model: model.name, service, warn });
  const { serviceTier: tier } = request;
  if (tier !== 'flex' && tier !== 'priority') return { body, headers: {} };
  if (location === 'global') return { body, headers: { 'x-vertex-ai-llm-shared-request-type': tier } };
  warn({ field: 'serviceTier', kind: 'dropped', detail: 'the provider offers tiers at the global location only' });
  return { body, headers: {} };
}

/** A generateContent body as one for counting, which knows no choice among tools. */
export function toCountTokens({ contents, systemInstruction, tools, generationConfig }: GeminiRequest): object {
  return { contents, systemInstruction, tools, generationConfig };
}

/** A canonical request for rawPredict and streamRawPredict; the model is in the path. */
export function toRawPredict(
  { call: { request, warn }, model }: VertexChat,
  stream: boolean,
): { readonly body: MessagesBody; readonly key: AnswerKey } {
  const { body, key } = buildMessagesRequest(request, { model: model.name, stream, warn });
  return { body: { ...MESSAGES_VERSION, ...body }, key };
}

/** A canonical request for counting what rawPredict would read; the model is in the body. */
export function toRawCount(chat: VertexChat): object {
  return { ...MESSAGES_VERSION, model: chat.model.name, ...toCountBody(toRawPredict(chat, false).body) };
}
