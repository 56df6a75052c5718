import type { ChatRequest } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import { CachePoints } from './bedrock.cache.js';
import { buildModelFields, buildPassedFields } from './bedrock.fields.js';
import { buildTurns, type Turns } from './bedrock.messages.js';
import { traitsOf, type ModelTraits } from './bedrock.model.js';
import { ToolNames } from './bedrock.names.js';
import { buildReasoning, type Reasoning } from './bedrock.reasoning.js';
import { issuerOf } from './bedrock.state.js';
import { buildToolConfig, closeObjects, type JsonTool } from './bedrock.tools.js';
import type { ConverseBody, ConverseRequest, InferenceConfig, ToolConfig } from './bedrock.wire.js';

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

const SERVICE_TIERS = new Map([
  ['default', 'default'],
  ['flex', 'flex'],
  ['priority', 'priority'],
  ['reserved', 'reserved'],
] as const);

export interface RequestOptions {
  /** The foundation model's id, which tells the family. */
  readonly model: string;
  /** True for ConverseStream. */
  readonly isStream: boolean;
  readonly warn: Warn;
}

/**
 * A canonical request as Converse wants it. Pure; throws GatewayError `invalid_value` or `unsupported_parameter`.
 */
export function buildConverseRequest(request: ChatRequest, { model, isStream, warn }: RequestOptions): ConverseRequest {
  if ((request.choices ?? 1) > 1) {
    throw new GatewayError('unsupported_parameter', {
      param: 'n',
      message: 'This model gives one choice; "n" must be 1.',
    });
  }
  const traits = traitsOf(model);
  const names = new ToolNames();
  names.reserve([...(request.tools ?? []).map((tool) => tool.name), ...calledTools(request.messages)]);
  const cachePoints = new CachePoints(traits, warn);
  const turns = buildTurns(request, { traits, names, cachePoints, warn });
  const reasoning = buildReasoning(request, { traits, messages: turns.messages, warn });
  const format = buildFormat(request, { traits, reasoning, warn });
  const { jsonTool } = format;
  const toolConfig = buildToolConfig(request, {
    traits,
    names,
    cachePoints,
    hasToolBlocks: turns.hasToolBlocks,
    isReasoning: reasoning.isThinking,
    warn,
    ...optional('jsonTool', jsonTool),
  });
  limitCachePoints(cachePoints, turns, toolConfig);
  reportLosses(request, { traits, warn });
  const body: ConverseBody = {
    ...buildPassedFields(request.extra, { isStream, warn }),
    ...buildMessages(turns, format.instruction),
    ...optional('inferenceConfig', buildInference(request, reasoning, warn)),
    ...optional('toolConfig', toolConfig),
    ...optional('outputConfig', format.outputConfig),
    ...optional('additionalModelRequestFields', buildModelFields(request, { traits, reasoning, names, warn })),
    ...serviceTier(request, warn),
  };
  const issuer = issuerOf(traits);
  return { body, answerKey: { renamedTools: names.renamed, issuer, ...optional('jsonTool', jsonTool?.name) } };
}

function calledTools(messages: ChatRequest['messages']): string[] {
  return messages.flatMap(({ content }) => content.flatMap((part) => (part.type === 'tool-call' ? [part.name] : [])));
}

function limitCachePoints(cachePoints: CachePoints, turns: Turns, toolConfig: ToolConfig | undefined): void {
  const lists = [toolConfig?.tools ?? [], turns.system, ...turns.messages.map(({ content }) => content ?? [])];
  cachePoints.limit(lists);
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
  for (const field of ['temperature', 'topP'] as const) {
    if (!reasoning.isThinking || request[field] === undefined) continue;
    warn({ field, kind: 'dropped', detail: 'a model that thinks takes no sampling parameters' });
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

function serviceTier(request: ChatRequest, warn: Warn): Pick<ConverseBody, 'serviceTier'> {
  const { serviceTier: asked } = request;
  if (asked === undefined || asked === 'auto') return {};
  const type = new Map<string, 'default' | 'flex' | 'priority' | 'reserved'>(SERVICE_TIERS).get(asked);
  if (type !== undefined) return { serviceTier: { type } };
  warn({ field: 'serviceTier', kind: 'dropped', detail: 'Bedrock knows default, flex, priority and reserved' });
  return {};
}

function reportLosses(request: ChatRequest, { traits, warn }: Pick<FormatRules, 'traits' | 'warn'>): void {
  for (const field of WITHOUT_FIELD) {
    if (request[field] !== undefined) warn({ field, kind: 'dropped', detail: 'Converse has no such parameter' });
  }
  if (request.parallelToolCalls === false && !traits.parallelControl && request.tools !== undefined) {
    warn({ field: 'parallelToolCalls', kind: 'dropped', detail: 'the model decides itself how many tools it calls' });
  }
}
