import type { CallEnvelope } from '../../../contract/call.js';
import type { ChatRequest } from '../../../contract/chat-request.js';
import { isJsonObject, type JsonObject } from '../../../contract/json.js';
import type { LossWarning } from '../../../contract/provider.js';
import type { ChatDialect } from '../dialect.js';
import {
  booleanField,
  checkNumbers,
  fieldNames,
  invalidValue,
  modelField,
  numberField,
  type NumberRules,
} from '../fields.js';
import { openAiError } from '../openai-error.js';
import { withoutForeignState } from './openai-chat.native.js';
import { toCanonicalChat } from './openai-chat.request.js';
import { generatedChatBytes, presentChat } from './openai-chat.response.js';
import { DONE_EVENT, OpenAiChatStream } from './openai-chat.stream.js';

const MAX_TOKENS = 10_000_000;

const NUMBERS: NumberRules = {
  max_tokens: { integer: true, min: 1, max: MAX_TOKENS },
  max_completion_tokens: { integer: true, min: 1, max: MAX_TOKENS },
  n: { integer: true, min: 1, max: 128 },
  temperature: { integer: false, min: 0, max: 2 },
  top_p: { integer: false, min: 0, max: 1 },
  presence_penalty: { integer: false, min: -2, max: 2 },
  frequency_penalty: { integer: false, min: -2, max: 2 },
  top_logprobs: { integer: true, min: 0, max: 20 },
  seed: { integer: true, min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
};

/** Canonical names that OpenAI writes in another way. */
const FIELD_NAMES = {
  toolChoice: 'tool_choice',
  parallelToolCalls: 'parallel_tool_calls',
  responseFormat: 'response_format',
  maxOutputTokens: 'max_completion_tokens',
  topP: 'top_p',
  presencePenalty: 'presence_penalty',
  frequencyPenalty: 'frequency_penalty',
  choices: 'n',
  logitBias: 'logit_bias',
  reasoningEffort: 'reasoning_effort',
  reasoningBudgetTokens: 'thinking',
  serviceTier: 'service_tier',
  endUser: 'user',
} as const satisfies Partial<Record<keyof ChatRequest, string>>;

function checkMessages(body: JsonObject): void {
  const { messages } = body;
  if (!Array.isArray(messages)) throw invalidValue('messages', '"messages" must be a list of messages.');
  if (messages.length === 0) throw invalidValue('messages', '"messages" is empty; send at least one message.');
  for (let index = 0; index < messages.length; index += 1) {
    const message = messages[index];
    if (!isJsonObject(message) || typeof message['role'] !== 'string') {
      throw invalidValue(`messages[${index}]`, `"messages[${index}]" must be an object with a "role".`);
    }
  }
}

function envelope(body: JsonObject, bodyBytes: number): CallEnvelope {
  const model = modelField(body);
  checkMessages(body);
  checkNumbers(body, NUMBERS);
  const { stream_options: streamOptions } = body;
  if (streamOptions !== undefined && streamOptions !== null && !isJsonObject(streamOptions)) {
    throw invalidValue('stream_options', '"stream_options" must be an object.');
  }
  const maxOutputTokens = numberField(body, 'max_completion_tokens') ?? numberField(body, 'max_tokens');
  return {
    operation: 'chat',
    dialect: 'openai-chat',
    model,
    stream: booleanField(body, 'stream'),
    bodyBytes,
    choices: numberField(body, 'n') ?? 1,
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
  };
}

function toNative(body: JsonObject, upstreamModel: string, warn: (warning: LossWarning) => void): JsonObject {
  const native: JsonObject = { ...body, model: upstreamModel };
  if (Array.isArray(body['messages'])) native['messages'] = withoutForeignState(body['messages'], warn);
  if (body['stream'] === true) {
    const options = isJsonObject(body['stream_options']) ? body['stream_options'] : {};
    native['stream_options'] = { ...options, include_usage: true };
  }
  return native;
}

/** OpenAI Chat Completions. */
export const openAiChatDialect: ChatDialect = {
  name: 'openai-chat',
  operation: 'chat',
  envelope,
  fieldName: fieldNames(FIELD_NAMES),
  toNative,
  toCanonical: toCanonicalChat,
  present: presentChat,
  generatedBytes: generatedChatBytes,
  wantsStreamUsage: ({ stream_options: options }) => isJsonObject(options) && options['include_usage'] === true,
  presenter: (options) => new OpenAiChatStream(options),
  streamContentType: 'text/event-stream; charset=utf-8',
  streamError: (error) => `data: ${JSON.stringify(openAiError(error))}\n\n`,
  streamTerminal: DONE_EVENT,
};
