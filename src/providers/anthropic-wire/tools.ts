import type { ChatRequest, Tool, ToolChoice } from '../../contract/chat-request.js';
import type { JsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import type { CacheMarks } from './cache.js';
import type { ClaudeTraits } from './model.js';
import type { ToolNames } from './names.js';
import type { WireTool, WireToolChoice } from './wire.js';

export interface ToolRules {
  readonly traits: ClaudeTraits;
  readonly names: ToolNames;
  readonly marks: CacheMarks;
  readonly warn: (warning: LossWarning) => void;
}

/** A tool that stands in for a JSON schema. */
export interface JsonTool {
  readonly name: string;
  readonly description?: string;
  readonly schema: JsonObject;
}

/** The caller's tools in the API's form. */
export function buildTools(tools: readonly Tool[], rules: ToolRules): WireTool[] {
  return tools.map((tool, index) => {
    const wire = buildTool(tool, rules);
    rules.marks.mark(wire, tool.cache, `tools[${index}]`);
    return wire;
  });
}

function buildTool({ name, description, parameters, strict }: Tool, { traits, names, warn }: ToolRules): WireTool {
  if (strict === true && !traits.strictTools) {
    warn({ field: `tools.${name}.strict`, kind: 'dropped', detail: 'the model does not follow schemas strictly' });
  }
  return {
    name: names.onWire(name),
    ...(description === undefined || description.trim() === '' ? {} : { description }),
    input_schema: inputSchema(parameters),
    ...(strict === undefined || !traits.strictTools ? {} : { strict }),
  };
}

/** The stand-in in the API's form. */
export function buildJsonTool({ name, description, schema }: JsonTool): WireTool {
  return {
    name,
    description: description ?? 'Give the answer by calling this tool.',
    input_schema: inputSchema(schema),
  };
}

/** The root must say that it is an object; all else is kept word for word. */
function inputSchema(schema: JsonObject | undefined): WireTool['input_schema'] {
  return { ...schema, type: 'object' };
}

export interface ChoiceRules {
  readonly names: ToolNames;
  readonly jsonTool: JsonTool | undefined;
  /** False when the model cannot be forced to call a tool, by its kind or because it thinks with a budget. */
  readonly canForce: boolean;
  readonly warn: (warning: LossWarning) => void;
}

/** The choice in the API's form; undefined = its default, `auto`. Only for requests with tools. */
export function buildToolChoice(request: ChatRequest, rules: ChoiceRules): WireToolChoice | undefined {
  const serial = request.parallelToolCalls === false ? { disable_parallel_tool_use: true } : {};
  const choice = wantedChoice(request, rules.jsonTool);
  switch (choice?.type) {
    case undefined:
      return request.parallelToolCalls === false ? { type: 'auto', ...serial } : undefined;
    case 'none':
      return { type: 'none' };
    case 'auto':
      return { type: 'auto', ...serial };
    case 'required':
    case 'tool':
      if (!rules.canForce) {
        rules.warn({ field: 'toolChoice', kind: 'approximated', detail: 'the model chooses itself: auto' });
        return { type: 'auto', ...serial };
      }
      if (choice.type === 'required') return { type: 'any', ...serial };
      return { type: 'tool', name: rules.names.onWire(choice.name), ...serial };
  }
}

/** Beside the caller's tools the stand-in is one of several: any of them will do, unless the caller named one. */
function wantedChoice(request: ChatRequest, jsonTool: JsonTool | undefined): ToolChoice | undefined {
  if (jsonTool === undefined) return request.toolChoice;
  const hasOwnTools = request.toolChoice?.type !== 'none' && (request.tools ?? []).length > 0;
  if (!hasOwnTools) return { type: 'tool', name: jsonTool.name };
  return request.toolChoice?.type === 'tool' ? request.toolChoice : { type: 'required' };
}
