import { z } from 'zod';

/** Where the provider should cache the prompt; Anthropic's form, which other gateways take in this dialect too. */
const cacheControl = z.looseObject({ type: z.string(), ttl: z.string().nullish() }).nullish();

const textPart = z.looseObject({ type: z.literal('text'), text: z.string(), cache_control: cacheControl });
const refusalPart = z.looseObject({ type: z.literal('refusal'), refusal: z.string() });

const userPart = z.discriminatedUnion('type', [
  textPart,
  z.looseObject({
    type: z.literal('image_url'),
    cache_control: cacheControl,
    image_url: z.looseObject({ url: z.string().min(1), detail: z.enum(['auto', 'low', 'high']).optional() }),
  }),
  z.looseObject({
    type: z.literal('input_audio'),
    input_audio: z.looseObject({ data: z.string(), format: z.string() }),
  }),
  z.looseObject({
    type: z.literal('file'),
    cache_control: cacheControl,
    file: z.looseObject({
      citations: z.looseObject({ enabled: z.boolean() }).nullish(),
      file_data: z.string().optional(),
      file_id: z.string().optional(),
      filename: z.string().optional(),
    }),
  }),
]);

/** State a provider wants back, under the name of its issuer. */
const stateHolder = z.record(z.string(), z.looseObject({ state: z.string().optional() }));

const toolCall = z.looseObject({
  // Clients that gather a stream send the index back; the order says the same.
  index: z.int().optional(),
  id: z.string().min(1),
  type: z.literal('function').optional(),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string() }),
  extra_content: stateHolder.nullish(),
  cache_control: cacheControl,
});

const instructionContent = z.union([z.string(), z.array(textPart)]);

const message = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('system'), content: instructionContent, cache_control: cacheControl }),
  z.looseObject({ role: z.literal('developer'), content: instructionContent, cache_control: cacheControl }),
  z.looseObject({
    role: z.literal('user'),
    cache_control: cacheControl,
    content: z.union([z.string(), z.array(userPart)]),
    name: z.string().optional(),
  }),
  z.looseObject({
    role: z.literal('assistant'),
    cache_control: cacheControl,
    content: z.union([z.string(), z.array(z.discriminatedUnion('type', [textPart, refusalPart]))]).nullish(),
    name: z.string().optional(),
    refusal: z.string().nullish(),
    // What an answer was annotated with goes back with it, and says nothing to the model.
    annotations: z.array(z.json()).nullish(),
    reasoning_content: z.string().nullish(),
    reasoning_details: z
      .array(
        z.looseObject({
          type: z.string().optional(),
          text: z.string().optional(),
          issuer: z.string().optional(),
          state: z.string().optional(),
        }),
      )
      .nullish(),
    tool_calls: z.array(toolCall).nullish(),
  }),
  z.looseObject({
    role: z.literal('tool'),
    cache_control: cacheControl,
    is_error: z.boolean().nullish(),
    tool_call_id: z.string().min(1),
    content: z.union([z.string(), z.array(userPart)]),
  }),
]);

const responseFormat = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    json_schema: z.looseObject({
      name: z.string().min(1),
      description: z.string().optional(),
      schema: z.record(z.string(), z.json()).optional(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

const tool = z.looseObject({
  type: z.literal('function'),
  cache_control: cacheControl,
  function: z.looseObject({
    name: z.string().min(1),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.json()).nullish(),
    strict: z.boolean().nullish(),
  }),
});

const toolChoice = z.union([
  z.enum(['auto', 'none', 'required']),
  z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string().min(1) }) }),
]);

/**
 * A chat completion request in OpenAI's shape (source: OpenAI API reference, "Create chat completion"). Fields not
 * named here are passed on to a provider that speaks the dialect, and reported where another one cannot express them.
 */
export const chatCompletionRequest = z.looseObject({
  model: z.string().min(1).describe('A model of GET /v1/models.'),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  max_tokens: z.int().min(1).nullish().describe('Older name of max_completion_tokens.'),
  n: z.int().min(1).max(128).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(16)]).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  logit_bias: z.record(z.string(), z.number()).nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: responseFormat.nullish(),
  thinking: z
    .looseObject({ type: z.string(), budget_tokens: z.int().min(0).optional() })
    .nullish()
    .describe('Tokens to think with, where the model takes a budget: {"type": "enabled", "budget_tokens": 2048}.'),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).nullish(),
  service_tier: z.string().nullish(),
  user: z.string().nullish(),
});

export type ChatCompletionBody = z.output<typeof chatCompletionRequest>;
export type WireMessage = ChatCompletionBody['messages'][number];
export type WireUserPart = z.output<typeof userPart>;
export type WireToolCall = z.output<typeof toolCall>;
export type WireCacheControl = z.output<typeof cacheControl>;
