import type { ChatRequest, Tool, ToolChoice } from '../../contract/chat-request.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import type { CachePoints } from './bedrock.cache.js';
import type { ModelTraits } from './bedrock.model.js';
import type { ToolNames } from './bedrock.names.js';
import type { ToolConfig, WireTool } from './bedrock.wire.js';

export interface ToolRules {
  readonly traits: ModelTraits;
  readonly names: ToolNames;
  readonly cachePoints: CachePoints;
  /** True when the turns hold tool calls or results. */
  readonly hasToolBlocks: boolean;
  /** True when the model reasons: it then may not be forced to call a tool. */
  readonly isReasoning: boolean;
  /** The tool that stands in for a JSON schema; absent = none. */
  readonly jsonTool?: JsonTool;
  readonly warn: (warning: LossWarning) => void;
}

export interface JsonTool {
  readonly name: string;
  readonly description?: string;
  readonly schema: JsonObject;
}

/** Declared when the turns hold tool calls and the request has no tools to declare; Bedrock refuses them otherwise. */
const PLACEHOLDER: WireTool = {
  toolSpec: {
    name: 'no_tool_available',
    description: 'No tool is available any more. Never call this.',
    inputSchema: { json: { type: 'object' } },
  },
};

/** Converse's tools and choice; absent = no tools. */
export function buildToolConfig(request: ChatRequest, rules: ToolRules): ToolConfig | undefined {
  const isOff = request.toolChoice?.type === 'none';
  const tools = isOff ? [] : (request.tools ?? []).flatMap((tool, at) => buildTool(tool, `tools[${at}]`, rules));
  if (rules.jsonTool !== undefined) tools.push(buildJsonTool(rules.jsonTool));
  if (tools.length === 0) {
    if (!rules.hasToolBlocks) return undefined;
    if (isOff)
      rules.warn({
        field: 'toolChoice',
        kind: 'approximated',
        detail: 'the turns need a tool: a stand-in is declared',
      });
    return { tools: [PLACEHOLDER] };
  }
  const toolChoice = buildToolChoice(request, rules, tools);
  return { tools, ...(toolChoice === undefined ? {} : { toolChoice }) };
}

function buildTool(tool: Tool, field: string, { traits, names, cachePoints, warn }: ToolRules): WireTool[] {
  const name = names.onWire(tool.name);
  if (tool.strict === true && !traits.strictTools) {
    warn({ field: `tools.${tool.name}.strict`, kind: 'dropped', detail: 'the model does not follow schemas strictly' });
  }
  const description = tool.description?.trim() === '' ? undefined : tool.description;
  const toolSpec = {
    name,
    ...(description === undefined ? {} : { description }),
    inputSchema: { json: inputSchema(tool.parameters) },
    ...(tool.strict === undefined || !traits.strictTools ? {} : { strict: tool.strict }),
  };
  return [{ toolSpec }, ...cachePoints.after(tool.cache, `${field}.cache`, 'tool')];
}

/** The schema as it is; "The value at inputSchema.json.type must be one of the following: object". */
function inputSchema(parameters: JsonObject = {}): JsonObject {
  return parameters['type'] === undefined ? { type: 'object', ...parameters } : parameters;
}

function buildJsonTool({ name, description, schema }: JsonTool): WireTool {
  return {
    toolSpec: {
      name,
      description: description ?? 'Give the answer by calling this tool.',
      inputSchema: { json: schema },
    },
  };
}

/** Beside the caller's tools the stand-in is one of several: any of them will do, unless the caller named one. */
function wantedChoice(request: ChatRequest, rules: ToolRules): ToolChoice | undefined {
  if (rules.jsonTool === undefined) return request.toolChoice;
  const hasOwnTools = request.toolChoice?.type !== 'none' && (request.tools ?? []).length > 0;
  if (!hasOwnTools) return { type: 'tool', name: rules.jsonTool.name };
  return request.toolChoice?.type === 'tool' ? request.toolChoice : { type: 'required' };
}

function buildToolChoice(request: ChatRequest, rules: ToolRules, tools: WireTool[]): ToolConfig['toolChoice'] {
  const choice = wantedChoice(request, rules);
  if (choice === undefined || choice.type === 'none') return undefined;
  if (choice.type === 'auto') return { auto: {} };
  if (rules.isReasoning) {
    rules.warn({ field: 'toolChoice', kind: 'approximated', detail: 'a reasoning model chooses itself: auto' });
    return { auto: {} };
  }
  if (rules.traits.toolChoice === 'auto') {
    rules.warn({ field: 'toolChoice', kind: 'approximated', detail: 'the model cannot be forced to call a tool' });
    return undefined;
  }
  if (choice.type === 'required') return { any: {} };
  const name = rules.names.onWire(choice.name);
  if (rules.traits.toolChoice === 'tool') return { tool: { name } };
  return chooseByElimination(tools, name);
}

/** A model that can be forced to call some tool is left with the one named. */
function chooseByElimination(tools: WireTool[], name: string): ToolConfig['toolChoice'] {
  const named = tools.filter((tool) => tool.toolSpec?.name === name);
  if (named.length > 0) tools.splice(0, tools.length, ...named);
  return { any: {} };
}

/** Schema constraints want every object closed; an object that says otherwise keeps its word. */
export function closeObjects(schema: JsonValue): JsonValue {
  if (Array.isArray(schema)) return schema.map(closeObjects);
  if (!isJsonObject(schema)) return schema;
  const closed: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    if (value === undefined) continue;
    closed[key] = SCHEMA_MAPS.has(key) ? closeEach(value) : SCHEMAS.has(key) ? closeObjects(value) : value;
  }
  const isObject = schema['type'] === 'object' || isJsonObject(schema['properties']);
  if (isObject && closed['additionalProperties'] === undefined) closed['additionalProperties'] = false;
  return closed;
}

const SCHEMAS = new Set(['items', 'anyOf', 'allOf', 'oneOf', 'prefixItems', 'not']);
const SCHEMA_MAPS = new Set(['properties', '$defs', 'definitions']);

function closeEach(map: JsonValue): JsonValue {
  if (!isJsonObject(map)) return map;
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, closeObjects(value ?? null)]));
}
