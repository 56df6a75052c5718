import type { ChatRequest, ReasoningEffort, ResponseFormat, Tool, ToolChoice } from '../../contract/chat-request.js';
import type { EmbeddingsRequest } from '../../contract/embeddings.js';
import type { JsonObject, JsonValue } from '../../contract/json.js';
import type { Warn, WireFlavour } from './openai-wire.flavour.js';
import { CACHE_DETAIL, toWireMessages } from './openai-wire.messages.js';
import type { WireChatRequest, WireTool } from './openai-wire.types.js';

/** What a body is made for. */
export interface BodyOptions {
  /** The name by which the provider knows the model. */
  readonly model: string;
  readonly warn: Warn;
  readonly flavour: WireFlavour;
}

/**
 * Fields of OpenAI's own chat dialect that the contract has no word for and OpenAI takes as they are. Servers that
 * refuse unknown fields are sent these and no others.
 */
export const OPENAI_EXTRA = [
  'audio',
  'metadata',
  'modalities',
  'moderation',
  'prediction',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'store',
  'verbosity',
  'web_search_options',
] as const satisfies readonly (keyof WireChatRequest)[];

/** The body of a chat completions call. Its values are JSON as the caller gave them, and undefined where it gave none. */
export function toWireChat(request: ChatRequest, options: BodyOptions & { readonly stream: boolean }): JsonObject {
  const { warn, flavour } = options;
  const body = {
    model: options.model,
    messages: toWireMessages(request.messages, { warn, reasoningField: flavour.reasoningField }),
    ...(request.tools === undefined
      ? {}
      : { tools: request.tools.map((tool, index) => toWireTool(tool, index, warn)) }),
    ...(request.toolChoice === undefined ? {} : { tool_choice: toWireToolChoice(request.toolChoice) }),
    ...(request.responseFormat === undefined ? {} : { response_format: toWireFormat(request.responseFormat) }),
    ...(request.logprobs === undefined ? {} : { logprobs: true, top_logprobs: request.logprobs.top }),
    ...(request.stop === undefined ? {} : { stop: [...request.stop] }),
    ...(request.logitBias === undefined ? {} : { logit_bias: request.logitBias }),
    // max_tokens is refused by reasoning models; its successor is taken by all of OpenAI's.
    max_completion_tokens: request.maxOutputTokens,
    parallel_tool_calls: request.parallelToolCalls,
    temperature: request.temperature,
    top_p: request.topP,
    seed: request.seed,
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
    n: request.choices,
    reasoning_effort: toEffort(request, warn),
    service_tier: request.serviceTier,
    user: request.endUser,
    ...passedExtra(request.extra, options),
    ...(options.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  };
  return body as unknown as JsonObject;
}

/** The body of an embeddings call. */
export function toWireEmbeddings(request: EmbeddingsRequest, options: BodyOptions): JsonObject {
  const body = {
    model: options.model,
    input: request.input,
    ...(options.flavour.vectors === 'base64' ? { encoding_format: 'base64' } : {}),
    ...(request.dimensions === undefined ? {} : { dimensions: request.dimensions }),
    ...(request.endUser === undefined ? {} : { user: request.endUser }),
    ...passedExtra(request.extra, options),
  };
  return body as unknown as JsonObject;
}

function passedExtra(extra: Readonly<Record<string, JsonValue>> = {}, { warn, flavour }: BodyOptions): JsonObject {
  const { passedExtra: known, title } = flavour;
  if (known === undefined) return extra;
  const passed: JsonObject = {};
  for (const [name, value] of Object.entries(extra)) {
    if (known.has(name)) passed[name] = value;
    else warn({ field: name, kind: 'dropped', detail: `${title} has no such parameter` });
  }
  return passed;
}

/** Budgets up to these many tokens, and the effort that comes nearest; above them it is high. */
const EFFORTS: readonly (readonly [number, ReasoningEffort])[] = [
  [0, 'none'],
  [2_048, 'low'],
  [8_192, 'medium'],
];

/** The wire knows efforts, no budgets: the caller's own effort stands, else the nearest one does. */
function toEffort({ reasoningEffort, reasoningBudgetTokens: budget }: ChatRequest, warn: Warn): string | undefined {
  if (budget === undefined) return reasoningEffort;
  const effort = reasoningEffort ?? EFFORTS.find(([most]) => budget <= most)?.[1] ?? 'high';
  warn({ field: 'reasoningBudgetTokens', kind: 'approximated', detail: `reasoning effort ${effort}` });
  return effort;
}

function toWireTool(tool: Tool, index: number, warn: Warn): WireTool {
  const { name, description, parameters, strict, cache } = tool;
  if (cache !== undefined) warn({ field: `tools[${index}].cache`, kind: 'approximated', detail: CACHE_DETAIL });
  return {
    type: 'function',
    function: {
      name,
      ...(description === undefined ? {} : { description }),
      ...(parameters === undefined ? {} : { parameters }),
      ...(strict === undefined ? {} : { strict }),
    },
  };
}

function toWireToolChoice(choice: ToolChoice): WireChatRequest['tool_choice'] {
  return choice.type === 'tool' ? { type: 'function', function: { name: choice.name } } : choice.type;
}

function toWireFormat(format: ResponseFormat): WireChatRequest['response_format'] {
  switch (format.type) {
    case 'text':
      return { type: 'text' };
    case 'json-object':
      return { type: 'json_object' };
    case 'json-schema': {
      const { name, description, schema, strict } = format;
      return {
        type: 'json_schema',
        json_schema: {
          name,
          schema,
          ...(description === undefined ? {} : { description }),
          ...(strict === undefined ? {} : { strict }),
        },
      };
    }
  }
}
