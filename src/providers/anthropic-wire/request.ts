import type { ChatRequest } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import { CacheMarks } from './cache.js';
import { buildTurns } from './messages.js';
import { traitsOf, type ClaudeTraits } from './model.js';
import { ToolNames } from './names.js';
import { buildReasoning, type Reasoning } from './reasoning.js';
import { reportLosses, sampling, serviceTier, stopSequences } from './parameters.js';
import { outputSchema } from './schema.js';
import { buildJsonTool, buildToolChoice, buildTools, type JsonTool } from './tools.js';
import type { MessagesBody, MessagesRequest, TextBlock } from './wire.js';

export interface RequestOptions {
  /** The Claude model's own name (`claude-sonnet-4-5`, with or without a date): it tells what the model can do. */
  readonly model: string;
  readonly stream: boolean;
  readonly warn: (warning: LossWarning) => void;
}

/** Fields of the API that callers may send under the API's own names. */
export const PASSED_FIELDS: ReadonlySet<string> = new Set([
  ...['cache_control', 'container', 'context_management', 'inference_geo', 'mcp_servers', 'speed'],
]);

/**
 * A canonical request as the Messages API wants it, less `model`. Pure; throws GatewayError `invalid_value` or
 * `unsupported_parameter`.
 */
export function buildMessagesRequest(request: ChatRequest, options: RequestOptions): MessagesRequest {
  if ((request.choices ?? 1) > 1) {
    throw new GatewayError('unsupported_parameter', {
      param: 'n',
      message: 'This model gives one choice; "n" must be 1.',
    });
  }
  const { warn } = options;
  const traits = traitsOf(options.model);
  const names = new ToolNames((request.tools ?? []).map((tool) => tool.name));
  const marks = new CacheMarks();
  const tools = buildTools(request.tools ?? [], { traits, names, marks, warn });
  const turns = buildTurns(request.messages, { names, marks, laterSystem: traits.laterSystem, warn });
  const reasoning = buildReasoning(request, { traits, messages: turns.messages, warn });
  const canForce = traits.forcedTools && reasoning.budgetTokens === undefined;
  const format = buildFormat(request, { traits, canForce, warn });
  const { jsonTool } = format;
  // Tools that may not be called are not declared beside the stand-in, whose call is forced.
  if (jsonTool !== undefined) {
    if (request.toolChoice?.type === 'none') tools.splice(0);
    tools.push(buildJsonTool(jsonTool));
  }
  const toolChoice = tools.length === 0 ? undefined : buildToolChoice(request, { names, jsonTool, canForce, warn });
  marks.clamp(request.extra?.['cache_control'] === undefined ? 0 : 1, warn);
  reportLosses(request, { passed: PASSED_FIELDS, reasoning, traits, hasTools: tools.length > 0, warn });
  const system = format.instruction === undefined ? turns.system : [...turns.system, format.instruction];
  const body: MessagesBody = {
    ...passedFields(request),
    max_tokens: maxTokens(request, { traits, reasoning, warn }),
    ...(system.length === 0 ? {} : { system }),
    messages: turns.messages,
    ...(tools.length === 0 ? {} : { tools }),
    ...optional('tool_choice', toolChoice),
    ...optional('thinking', reasoning.thinking),
    ...optional('output_config', outputConfig(reasoning, format.schema)),
    ...sampling(request, { traits, reasoning, warn }),
    ...optional('stop_sequences', stopSequences(request.stop, warn)),
    ...optional('metadata', request.endUser === undefined ? undefined : { user_id: request.endUser }),
    ...optional('service_tier', serviceTier(request.serviceTier, warn)),
    ...(options.stream ? { stream: true as const } : {}),
  };
  return { body, key: { renamedTools: names.renamed, ...optional('jsonTool', jsonTool?.name) } };
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]?: Value });
}

function passedFields({ extra = {} }: ChatRequest): JsonObject {
  return Object.fromEntries(Object.entries(extra).filter(([key]) => PASSED_FIELDS.has(key)));
}

function outputConfig({ effort }: Reasoning, schema: JsonObject | undefined): MessagesBody['output_config'] {
  if (effort === undefined && schema === undefined) return undefined;
  return { ...optional('effort', effort), ...(schema && { format: { type: 'json_schema', schema } }) };
}

interface FormatRules {
  readonly traits: ClaudeTraits;
  readonly canForce: boolean;
  readonly warn: RequestOptions['warn'];
}

interface BoundRules {
  readonly traits: ClaudeTraits;
  readonly reasoning: Reasoning;
  readonly warn: RequestOptions['warn'];
}

/** The API requires a bound, and a budget for thinking is taken out of it. */
function maxTokens({ maxOutputTokens: asked }: ChatRequest, { traits, reasoning, warn }: BoundRules): number {
  const { budgetTokens = 0 } = reasoning;
  const bound = asked ?? traits.maxOutputTokens;
  if (bound > budgetTokens) return bound;
  const sent = bound + budgetTokens;
  warn({ field: 'maxOutputTokens', kind: 'approximated', detail: `raised to ${sent} to make room for thinking` });
  return sent;
}

interface Format {
  /** For `output_config.format`. */
  readonly schema?: JsonObject;
  readonly jsonTool?: JsonTool;
  readonly instruction?: TextBlock;
}

/** How the answer is brought into the form asked for. */
function buildFormat(request: ChatRequest, { traits, canForce, warn }: FormatRules): Format {
  const format = request.responseFormat;
  if (format === undefined || format.type === 'text') return {};
  if (format.type === 'json-object') {
    warn({ field: 'responseFormat', kind: 'emulated', detail: 'the model is told to answer with a JSON object' });
    return { instruction: instruction('Answer with one valid JSON object and nothing else: no prose, no code fence.') };
  }
  const { name, description, schema: asked } = format;
  if (traits.jsonSchema === 'native') {
    const { schema, isLoosened } = outputSchema(asked);
    if (isLoosened) {
      const detail = 'constraints the model cannot be held to were put into descriptions';
      warn({ field: 'responseFormat', kind: 'approximated', detail });
    }
    return { schema };
  }
  // Only an object can be a tool's input, and a model that thinks may not be forced to call one.
  if (canForce && (asked['type'] === 'object' || isJsonObject(asked['properties']))) {
    warn({ field: 'responseFormat', kind: 'emulated', detail: 'the answer is taken from a forced tool call' });
    return { jsonTool: { name: jsonToolName(name, request), ...optional('description', description), schema: asked } };
  }
  warn({ field: 'responseFormat', kind: 'emulated', detail: 'the model is told the schema of its answer' });
  const text = `Answer with one JSON value of this JSON schema and nothing else: no prose, no code fence.\n${JSON.stringify(asked)}`;
  return { instruction: instruction(text) };
}

function instruction(text: string): TextBlock {
  return { type: 'text', text };
}

/** The schema's name as a tool's, unlike all tools of the caller. */
function jsonToolName(name: string, { tools = [] }: ChatRequest): string {
  const taken = new Set(tools.map((tool) => tool.name));
  let free = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 100) || 'json';
  while (taken.has(free)) free = `${free}_answer`;
  return free;
}
