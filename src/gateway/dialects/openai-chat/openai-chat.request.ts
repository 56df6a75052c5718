import type { z } from 'zod';
import type { ChatRequest, ResponseFormat, Tool, ToolChoice } from '../../../contract/chat-request.js';
import { GatewayError } from '../../../contract/errors.js';
import type { LossWarning } from '../../../contract/provider.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../contract/json.js';
import { invalidValue } from '../fields.js';
import { unknownFields } from '../unknown-fields.js';
import { wordsOf } from '../zod-words.js';
import { cachePoint, toMessage } from './openai-chat.messages.js';
import { chatCompletionRequest, type ChatCompletionBody } from './openai-chat.schema.js';

/** Fields the gateway answers itself or translates; every other field of the body is `extra`. */
const TRANSLATED = new Set(Object.keys(chatCompletionRequest.shape));

/** Legacy forms that have a successor every model here understands. */
const SUPERSEDED: Readonly<Record<string, string>> = { functions: 'tools', function_call: 'tool_choice' };

/** A path in the notation of OpenAI's errors: messages[0].content. */
function paramPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

/** The deepest issue, which names the field that is wrong rather than the union around it. */
function deepestIssue(issues: readonly z.core.$ZodIssue[]): { path: PropertyKey[]; words: string } {
  const [issue] = issues;
  if (issue === undefined) return { path: [], words: 'is not valid; see /docs' };
  if (issue.code === 'invalid_union') {
    const branches = issue.errors.filter((branch) => branch.some((inner) => inner.path.length > 0));
    const branch = branches[0];
    if (branch !== undefined) {
      const inner = deepestIssue(branch);
      return { path: [...issue.path, ...inner.path], words: inner.words };
    }
  }
  return { path: issue.path, words: wordsOf(issue) };
}

function parseBody(body: JsonObject): ChatCompletionBody {
  const parsed = chatCompletionRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  const { path, words } = deepestIssue(parsed.error.issues);
  const param = paramPath(path);
  throw invalidValue(param, `"${param === '' ? 'body' : param}" ${words}.`);
}

function toTool({
  function: declared,
  cache_control: control,
}: NonNullable<ChatCompletionBody['tools']>[number]): Tool {
  return {
    name: declared.name,
    ...(declared.description ? { description: declared.description } : {}),
    ...(declared.parameters ? { parameters: declared.parameters } : {}),
    ...(typeof declared.strict === 'boolean' ? { strict: declared.strict } : {}),
    ...cachePoint(control),
  };
}

/** What `thinking` asks for where the contract has a word for it; other kinds of it stay in `extra`. */
function thinkingFields({ thinking, reasoning_effort: effort }: ChatCompletionBody): Partial<ChatRequest> {
  if (thinking?.type === 'enabled' && thinking.budget_tokens !== undefined) {
    return { reasoningBudgetTokens: thinking.budget_tokens };
  }
  return thinking?.type === 'disabled' && !effort ? { reasoningEffort: 'none' } : {};
}

function toToolChoice(choice: NonNullable<ChatCompletionBody['tool_choice']>): ToolChoice {
  return typeof choice === 'string' ? { type: choice } : { type: 'tool', name: choice.function.name };
}

function toResponseFormat(format: NonNullable<ChatCompletionBody['response_format']>): ResponseFormat {
  if (format.type === 'text') return { type: 'text' };
  if (format.type === 'json_object') return { type: 'json-object' };
  const { name, description, schema, strict } = format.json_schema;
  return {
    type: 'json-schema',
    name,
    schema: schema ?? {},
    ...(description === undefined ? {} : { description }),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
}

/** True for a `thinking` that `thinkingFields` translates. */
function isTranslatedThinking(value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  return value['type'] === 'disabled' || (value['type'] === 'enabled' && value['budget_tokens'] !== undefined);
}

function extraFields(body: JsonObject): Record<string, JsonValue> | undefined {
  let extra: Record<string, JsonValue> | undefined;
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined || value === null) continue;
    if (name === 'thinking' ? isTranslatedThinking(value) : TRANSLATED.has(name)) continue;
    const successor = SUPERSEDED[name];
    if (successor !== undefined) {
      throw new GatewayError('unsupported_parameter', {
        status: 400,
        param: name,
        message: `"${name}" is an older form that this model does not take; use "${successor}".`,
      });
    }
    (extra ??= {})[name] = value;
  }
  return extra;
}

/** Fields whose inside is translated piece by piece, so that a piece nobody knows would be lost in silence. */
const TRANSLATED_DEEPLY = ['messages', 'tools', 'tool_choice', 'response_format'] as const;

function warnOfUnknown(body: JsonObject, warn: (warning: LossWarning) => void): void {
  for (const name of TRANSLATED_DEEPLY) {
    for (const field of unknownFields(chatCompletionRequest.shape[name], body[name], name)) {
      warn({ field, kind: 'dropped', detail: 'the gateway does not know this field' });
    }
  }
}

function ignore(): void {
  // Whoever asks without a listener wants the request alone.
}

/** Drops the keys whose value is null or undefined. */
function present<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

/** A body in OpenAI's shape as a canonical request. Throws `invalid_value` or `unsupported_parameter` with the path. */
export function toCanonicalChat(body: JsonObject, warn: (warning: LossWarning) => void = ignore): ChatRequest {
  const extra = extraFields(body);
  const wire = parseBody(body);
  warnOfUnknown(body, warn);
  const stop = typeof wire.stop === 'string' ? [wire.stop] : wire.stop;
  return {
    messages: wire.messages.map((message, index) => toMessage(message, `messages[${index}]`)),
    ...present({
      tools: wire.tools?.map(toTool),
      toolChoice: wire.tool_choice ? toToolChoice(wire.tool_choice) : undefined,
      parallelToolCalls: wire.parallel_tool_calls,
      responseFormat: wire.response_format ? toResponseFormat(wire.response_format) : undefined,
      maxOutputTokens: wire.max_completion_tokens ?? wire.max_tokens,
      temperature: wire.temperature,
      topP: wire.top_p,
      stop,
      seed: wire.seed,
      presencePenalty: wire.presence_penalty,
      frequencyPenalty: wire.frequency_penalty,
      choices: wire.n,
      logprobs: wire.logprobs ? { top: wire.top_logprobs ?? 0 } : undefined,
      logitBias: wire.logit_bias,
      reasoningEffort: wire.reasoning_effort,
      serviceTier: wire.service_tier,
      endUser: wire.user,
      ...thinkingFields(wire),
      extra,
    }),
  };
}
