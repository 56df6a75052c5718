import type { ChatRequest, ResponseFormat, Tool, ToolChoice } from '../../contract/chat-request.js';
import type { EmbeddingsRequest } from '../../contract/embeddings.js';
import type { LossWarning } from '../../contract/provider.js';
import { toWireMessages } from './azure-openai.messages.js';
import type { WireChatRequest, WireEmbeddingRequest, WireTool } from './azure-openai.wire.js';

type Warn = (warning: LossWarning) => void;

export interface ChatBodyOptions {
  /** The deployment's name. */
  readonly model: string;
  readonly stream: boolean;
  readonly warn: Warn;
}

/**
 * Fields of OpenAI's own chat dialect that the contract has no word for and Azure takes as they are. What is not
 * listed is reported as lost: Azure refuses bodies with unknown fields.
 */
const PASSED_EXTRA = [
  'audio',
  'data_sources',
  'metadata',
  'modalities',
  'prediction',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'store',
  'verbosity',
  'web_search_options',
] as const satisfies readonly (keyof WireChatRequest)[];

const PASSED: ReadonlySet<string> = new Set(PASSED_EXTRA);

/** The body of a chat completions call. */
export function toWireChat(request: ChatRequest, options: ChatBodyOptions): WireChatRequest {
  const { warn } = options;
  const body = {
    model: options.model,
    messages: toWireMessages(request.messages, warn),
    ...(request.tools === undefined ? {} : { tools: request.tools.map(toWireTool) }),
    ...(request.toolChoice === undefined ? {} : { tool_choice: toWireToolChoice(request.toolChoice) }),
    ...(request.responseFormat === undefined ? {} : { response_format: toWireFormat(request.responseFormat) }),
    ...(request.logprobs === undefined ? {} : { logprobs: true, top_logprobs: request.logprobs.top }),
    ...(request.stop === undefined ? {} : { stop: [...request.stop] }),
    ...(request.logitBias === undefined ? {} : { logit_bias: request.logitBias }),
    // max_tokens is refused by reasoning models; its successor is taken by all.
    max_completion_tokens: request.maxOutputTokens,
    parallel_tool_calls: request.parallelToolCalls,
    temperature: request.temperature,
    top_p: request.topP,
    seed: request.seed,
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
    n: request.choices,
    reasoning_effort: request.reasoningEffort,
    service_tier: request.serviceTier,
    user: request.endUser,
    ...passedExtra(request, warn),
    ...(options.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  };
  // Tiers are named by the provider and checked by it; the SDK's type lists those of its own day.
  return body as unknown as WireChatRequest;
}

/** The body of an embeddings call. Vectors come back as base64, which is half the bytes and far cheaper to read. */
export function toWireEmbeddings(request: EmbeddingsRequest, model: string): WireEmbeddingRequest {
  return {
    model,
    input: request.input as WireEmbeddingRequest['input'],
    encoding_format: 'base64',
    ...(request.dimensions === undefined ? {} : { dimensions: request.dimensions }),
    ...(request.endUser === undefined ? {} : { user: request.endUser }),
  };
}

function passedExtra({ extra = {} }: ChatRequest, warn: Warn): Record<string, unknown> {
  const passed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(extra)) {
    if (PASSED.has(name)) passed[name] = value;
    else warn({ field: name, kind: 'dropped', detail: 'Azure OpenAI has no such parameter' });
  }
  return passed;
}

function toWireTool(tool: Tool): WireTool {
  const { name, description, parameters, strict } = tool;
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
