import type { ChatRequest, ToolChoice } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import type { ModelTraits } from './bedrock.model.js';
import type { ToolNames } from './bedrock.names.js';
import type { Reasoning } from './bedrock.reasoning.js';
import type { ConverseBody } from './bedrock.wire.js';

type Extra = ChatRequest['extra'];
type Warn = (warning: LossWarning) => void;

/** Fields of Converse that callers may send under Converse's own names; each is an object. */
const PASSED_FIELDS = ['guardrailConfig', 'performanceConfig', 'requestMetadata'] as const;
const MODEL_FIELDS = 'additionalModelRequestFields';
const BETAS = 'anthropic_beta';

const MAX_METADATA = 16;
const METADATA_TEXT = /^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$/;

/** The caller's fields that are Converse's own. Throws GatewayError `invalid_value`. */
export function buildPassedFields(extra: Extra, { isStream, warn }: { isStream: boolean; warn: Warn }): ConverseBody {
  const passed: Record<string, JsonObject> = {};
  for (const field of PASSED_FIELDS) {
    const value = extra?.[field];
    if (value !== undefined) passed[field] = asObject(value, field);
  }
  const { guardrailConfig, requestMetadata } = passed;
  if (requestMetadata !== undefined) checkMetadata(requestMetadata);
  if (!isStream && guardrailConfig?.['streamProcessingMode'] !== undefined) {
    const { streamProcessingMode: _mode, ...rest } = guardrailConfig;
    passed['guardrailConfig'] = rest;
    warn({ field: 'guardrailConfig.streamProcessingMode', kind: 'dropped', detail: 'the answer is not streamed' });
  }
  return passed;
}

function checkMetadata(metadata: JsonObject): void {
  const param = 'requestMetadata';
  const entries = Object.entries(metadata);
  if (entries.length > MAX_METADATA) throw invalid(param, `has more than ${MAX_METADATA} entries`);
  for (const [key, value] of entries) {
    if (key === '' || !METADATA_TEXT.test(key)) throw invalid(param, 'has a key that is not allowed');
    if (typeof value !== 'string' || !METADATA_TEXT.test(value)) {
      throw invalid(`${param}.${key}`, 'must be a text of at most 256 letters, digits, blanks and any of :_@$#=/+,.-');
    }
  }
}

interface FieldRules {
  readonly traits: ModelTraits;
  readonly reasoning: Reasoning;
  readonly names: ToolNames;
  readonly warn: Warn;
}

/**
 * The fields that are the model's own: those the caller sent, with ours under them. Reports every field of the caller's
 * dialect that is used nowhere. Throws GatewayError `invalid_value`.
 */
export function buildModelFields(request: ChatRequest, rules: FieldRules): JsonObject {
  const { traits, reasoning, warn } = rules;
  const { extra = {} } = request;
  const isClaude = traits.family === 'claude';
  const topK = reasoning.isThinking ? undefined : extra['top_k'];
  const used = new Set<string>([...PASSED_FIELDS, MODEL_FIELDS]);
  if (isClaude) used.add('thinking').add(BETAS);
  if (typeof topK === 'number') used.add('top_k');
  for (const field of Object.keys(extra)) {
    if (used.has(field)) continue;
    const isSampling = field === 'top_k' && reasoning.isThinking;
    const detail = isSampling ? 'a model that thinks takes no sampling parameters' : 'Converse has no such parameter';
    warn({ field, kind: 'dropped', detail });
  }
  const derived = {
    ...(typeof topK === 'number' ? topKField(traits, topK) : {}),
    ...serialChoice(request, rules),
    ...reasoning.fields,
  };
  const own = extra[MODEL_FIELDS] === undefined ? {} : asObject(extra[MODEL_FIELDS], MODEL_FIELDS);
  if (!isClaude) return merge(derived, own);
  // Thinking was taken from both places already, and may have been changed.
  const { thinking: _thinking, tools, ...rest } = own;
  const hosted = Array.isArray(tools) ? hostedTools(tools, warn) : [];
  const betas = [...readBetas(extra[BETAS], BETAS), ...readBetas(own[BETAS], `${MODEL_FIELDS}.${BETAS}`)];
  const all = [...new Set([...betas, ...hosted.flatMap(betaOf)])];
  return {
    ...merge(derived, rest),
    ...(hosted.length === 0 ? {} : { tools: hosted }),
    ...(all.length === 0 ? {} : { [BETAS]: all }),
  };
}

/** Both, key by key; where they differ the second wins. */
function merge(derived: JsonObject, own: JsonObject): JsonObject {
  const merged: JsonObject = { ...derived };
  for (const [key, value] of Object.entries(own)) {
    const ours = merged[key];
    merged[key] = isJsonObject(ours) && isJsonObject(value) ? merge(ours, value) : value;
  }
  return merged;
}

function topKField({ family }: ModelTraits, topK: number): JsonObject {
  return family.startsWith('nova') ? { inferenceConfig: { topK } } : { top_k: topK };
}

/** Anthropic's own form of the tool choice, which alone can forbid parallel calls. */
function serialChoice(request: ChatRequest, { traits, reasoning, names }: FieldRules): JsonObject {
  const { tools = [], toolChoice } = request;
  const hasTools = tools.length > 0 && toolChoice?.type !== 'none';
  if (request.parallelToolCalls !== false || !traits.parallelControl || !hasTools) return {};
  const choice = reasoning.isThinking ? { type: 'auto' } : claudeChoice(toolChoice, names);
  return { tool_choice: { ...choice, disable_parallel_tool_use: true } };
}

function claudeChoice(choice: ToolChoice | undefined, names: ToolNames): JsonObject {
  if (choice?.type === 'tool') return { type: 'tool', name: names.onWire(choice.name) };
  return { type: choice?.type === 'required' ? 'any' : 'auto' };
}

/** Anthropic's own tools that Bedrock hosts; it searches no web. */
function hostedTools(tools: readonly JsonValue[], warn: Warn): JsonValue[] {
  return tools.filter((tool, at) => {
    if (!hostedType(tool).startsWith('web_search_')) return true;
    warn({ field: `${MODEL_FIELDS}.tools[${at}]`, kind: 'dropped', detail: 'Bedrock offers no web search' });
    return false;
  });
}

/** The beta a hosted tool needs: the day in its name, or the day of the set of tools it came with. */
function betaOf(tool: JsonValue): string[] {
  const [, name, year, month, day] = /^(computer|bash|text_editor)_(\d{4})(\d\d)(\d\d)$/.exec(hostedType(tool)) ?? [];
  const date = `${year}-${month}-${day}`;
  const isSet = name === 'computer' || date === '2024-10-22' || date === '2025-01-24';
  return name !== undefined && isSet ? [`computer-use-${date}`] : [];
}

function hostedType(tool: JsonValue): string {
  return isJsonObject(tool) && typeof tool['type'] === 'string' ? tool['type'] : '';
}

/** A list of names, or one text with commas. */
function readBetas(value: JsonValue | undefined, param: string): string[] {
  if (value === undefined) return [];
  const names = typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value;
  if (Array.isArray(names) && names.every((name) => typeof name === 'string'))
    return names.filter((name) => name !== '');
  throw invalid(param, 'must be a list of names');
}

function asObject(value: JsonValue | undefined, param: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw invalid(param, 'must be an object');
}

function invalid(param: string, problem: string): GatewayError {
  return new GatewayError('invalid_value', { param, message: `"${param}" ${problem}.` });
}
