import type { ChatRequest, ToolChoice } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import { buildTurns, type Turns } from './bedrock.messages.js';
import { traitsOf, type ModelTraits } from './bedrock.model.js';
import { ToolNames } from './bedrock.names.js';
import { buildReasoning, type Reasoning } from './bedrock.reasoning.js';
import { buildToolConfig, closeObjects, type JsonTool } from './bedrock.tools.js';
import type { ConverseBody, ConverseRequest, InferenceConfig } from './bedrock.wire.js';

type Warn = (warning: LossWarning) => void;

/** Parameters Converse has no field for; each is reported when it is asked for. */
const WITHOUT_FIELD = [
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'logprobs',
  'logitBias',
  'endUser',
] as const satisfies readonly (keyof ChatRequest)[];

/** Fields of Converse that callers may send under Converse's own names. */
const PASSED_FIELDS = new Set([
  'guardrailConfig',
  'performanceConfig',
  'requestMetadata',
  'additionalModelRequestFields',
]);
const SERVICE_TIERS = new Map([
  ['default', 'default'],
  ['flex', 'flex'],
  ['priority', 'priority'],
  ['reserved', 'reserved'],
] as const);

/**
 * A canonical request as Converse wants it. `model` tells the family (the foundation model's id). Pure; throws
 * GatewayError `invalid_value` or `unsupported_parameter`.
 */
export function buildConverseRequest(request: ChatRequest, model: string, warn: Warn): ConverseRequest {
  if ((request.choices ?? 1) > 1) {
    throw new GatewayError('unsupported_parameter', {
      param: 'n',
      message: 'This model gives one choice; "n" must be 1.',
    });
  }
  const traits = traitsOf(model);
  const names = new ToolNames();
  names.reserve((request.tools ?? []).map((tool) => tool.name));
  const turns = buildTurns(request, names, warn);
  const reasoning = buildReasoning(request, { traits, messages: turns.messages, warn });
  const format = buildFormat(request, { traits, reasoning, warn });
  const { jsonTool } = format;
  const toolConfig = buildToolConfig(request, {
    traits,
    names,
    hasToolBlocks: turns.hasToolBlocks,
    isReasoning: reasoning.isThinking,
    warn,
    ...(jsonTool === undefined ? {} : { jsonTool }),
  });
  reportLosses(request, { traits, reasoning, warn });
  const body: ConverseBody = {
    ...passedFields(request),
    ...buildMessages(turns, format.instruction),
    ...optional('inferenceConfig', buildInference(request, reasoning, warn)),
    ...optional('toolConfig', toolConfig),
    ...optional('outputConfig', format.outputConfig),
    ...optional('additionalModelRequestFields', buildModelFields(request, traits, reasoning)),
    ...serviceTier(request, warn),
  };
  return { body, answerKey: { renamedTools: names.renamed, ...optional('jsonTool', jsonTool?.name) } };
}

/** `{key: value}`, or nothing for an absent value or an object without keys. */
function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  if (value === undefined || (isJsonObject(value) && Object.keys(value).length === 0)) return {};
  return { [key]: value } as { [K in Key]?: Value };
}

function buildMessages(
  { system, messages }: Turns,
  instruction: string | undefined,
): Pick<ConverseBody, 'system' | 'messages'> {
  const blocks = instruction === undefined ? system : [...system, { text: instruction }];
  return blocks.length === 0 ? { messages } : { system: blocks, messages };
}

/** A budget for thinking is taken out of the output bound, which must stay above it. */
function buildInference(request: ChatRequest, reasoning: Reasoning, warn: Warn): InferenceConfig {
  const { stop } = request;
  const stopSequences = stop?.filter((text) => text !== '') ?? [];
  const hasSampling = request.temperature !== undefined || request.topP !== undefined;
  if (reasoning.isThinking && hasSampling) {
    warn({ field: 'temperature', kind: 'dropped', detail: 'a model that thinks takes no sampling parameters' });
  }
  return {
    ...optional('maxTokens', maxTokens(request.maxOutputTokens, reasoning, warn)),
    ...(reasoning.isThinking ? {} : optional('temperature', clamp('temperature', request.temperature, warn))),
    ...(reasoning.isThinking ? {} : optional('topP', clamp('topP', request.topP, warn))),
    ...(stopSequences.length === 0 ? {} : { stopSequences }),
  };
}

function maxTokens(asked: number | undefined, { budgetTokens = 0 }: Reasoning, warn: Warn): number | undefined {
  if (asked === undefined || asked > budgetTokens) return asked;
  const sent = asked + budgetTokens;
  warn({ field: 'maxOutputTokens', kind: 'approximated', detail: `raised to ${sent} to make room for thinking` });
  return sent;
}

function clamp(field: 'temperature' | 'topP', value: number | undefined, warn: Warn): number | undefined {
  if (value === undefined || (value >= 0 && value <= 1)) return value;
  const sent = value > 1 ? 1 : 0;
  warn({ field, kind: 'approximated', detail: `sent as ${sent}: the range is 0 to 1` });
  return sent;
}

interface FormatRules {
  readonly traits: ModelTraits;
  readonly reasoning: Reasoning;
  readonly warn: Warn;
}

interface Format {
  readonly outputConfig?: ConverseBody['outputConfig'];
  readonly jsonTool?: JsonTool;
  /** An instruction for the system prompt. */
  readonly instruction?: string;
}

/** How the answer is brought into the form asked for. */
function buildFormat(request: ChatRequest, { traits, reasoning, warn }: FormatRules): Format {
  const format = request.responseFormat;
  if (format === undefined || format.type === 'text') return {};
  if (format.type === 'json-object') {
    warn({ field: 'responseFormat', kind: 'emulated', detail: 'the model is told to answer with a JSON object' });
    return { instruction: 'Answer with one valid JSON object and nothing else: no prose, no code fence.' };
  }
  const { name, schema } = format;
  const description = optional('description', format.description);
  if (traits.jsonSchema === 'native') {
    const jsonSchema = { name, schema: JSON.stringify(closeObjects(schema)), ...description };
    return { outputConfig: { textFormat: { type: 'json_schema', structure: { jsonSchema } } } };
  }
  // A model that thinks may not be forced to call a tool, and only an object can be a tool's input.
  if (traits.jsonSchema === 'tool' && !reasoning.isThinking && schema['type'] === 'object') {
    warn({ field: 'responseFormat', kind: 'emulated', detail: 'the answer is taken from a forced tool call' });
    return { jsonTool: { name: freeName(request), schema, ...description } };
  }
  warn({ field: 'responseFormat', kind: 'emulated', detail: 'the model is told the schema in its instructions' });
  const text = `Answer with JSON that matches this schema and nothing else: no prose, no code fence.\n${JSON.stringify(schema)}`;
  return { instruction: text };
}

function freeName(request: ChatRequest): string {
  let name = 'json_answer';
  while (request.tools?.some((tool) => tool.name === name) === true) name += '_';
  return name;
}

function buildModelFields(request: ChatRequest, traits: ModelTraits, reasoning: Reasoning): JsonObject {
  const own = request.extra?.['additionalModelRequestFields'];
  if (own !== undefined && !isJsonObject(own)) {
    const param = 'additionalModelRequestFields';
    throw new GatewayError('invalid_value', { param, message: `"${param}" must be an object.` });
  }
  const topK = request.extra?.['top_k'];
  const hasTools = request.tools !== undefined && request.tools.length > 0 && request.toolChoice?.type !== 'none';
  const isSerial = request.parallelToolCalls === false && traits.parallelControl && hasTools;
  return {
    ...(typeof topK === 'number' && !reasoning.isThinking ? topKField(traits, topK) : {}),
    ...(isSerial ? { tool_choice: { ...claudeChoice(request.toolChoice), disable_parallel_tool_use: true } } : {}),
    ...reasoning.fields,
    ...own,
  };
}

/** Anthropic's own form of the choice, which alone can forbid parallel calls. */
function claudeChoice(choice: ToolChoice | undefined): JsonObject {
  if (choice?.type === 'tool') return { type: 'tool', name: choice.name };
  return { type: choice?.type === 'required' ? 'any' : 'auto' };
}

function topKField({ family }: ModelTraits, topK: number): JsonObject {
  return family.startsWith('nova') ? { inferenceConfig: { topK } } : { top_k: topK };
}

function serviceTier(request: ChatRequest, warn: Warn): Pick<ConverseBody, 'serviceTier'> {
  const { serviceTier: asked } = request;
  if (asked === undefined || asked === 'auto') return {};
  const type = new Map<string, 'default' | 'flex' | 'priority' | 'reserved'>(SERVICE_TIERS).get(asked);
  if (type !== undefined) return { serviceTier: { type } };
  warn({ field: 'serviceTier', kind: 'dropped', detail: 'Bedrock knows default, flex, priority and reserved' });
  return {};
}

function passedFields(request: ChatRequest): ConverseBody {
  const passed: Record<string, JsonValue> = {};
  for (const [key, value] of Object.entries(request.extra ?? {})) {
    if (PASSED_FIELDS.has(key) && key !== 'additionalModelRequestFields') passed[key] = value;
  }
  return passed;
}

function reportLosses(request: ChatRequest, { traits, reasoning, warn }: FormatRules): void {
  for (const field of WITHOUT_FIELD) {
    if (request[field] !== undefined) warn({ field, kind: 'dropped', detail: 'Converse has no such parameter' });
  }
  if (request.parallelToolCalls === false && !traits.parallelControl && request.tools !== undefined) {
    warn({ field: 'parallelToolCalls', kind: 'dropped', detail: 'the model decides itself how many tools it calls' });
  }
  for (const field of Object.keys(request.extra ?? {})) {
    if (PASSED_FIELDS.has(field)) continue;
    if (field === 'thinking' && traits.family === 'claude') continue;
    if (field === 'top_k' && !reasoning.isThinking) continue;
    warn({ field, kind: 'dropped', detail: 'Converse has no such parameter' });
  }
}
