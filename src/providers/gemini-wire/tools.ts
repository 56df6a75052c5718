import type { ChatRequest, Tool } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';
import type { GeminiModel } from './model.js';
import { toGeminiSchema } from './schema.js';
import type { GeminiFunction, GeminiRequest, GeminiToolConfig } from './wire.js';

type Warn = (warning: LossWarning) => void;

/** Tools and the choice among them; empty without tools. */
export function toGeminiTools(
  request: ChatRequest,
  model: GeminiModel,
  warn: Warn,
): Pick<GeminiRequest, 'tools' | 'toolConfig'> {
  const { tools } = request;
  if (tools === undefined || tools.length === 0) return {};
  if (request.parallelToolCalls === false) {
    warn({ field: 'parallelToolCalls', kind: 'dropped', detail: 'the provider has no such switch' });
  }
  const functionDeclarations = tools.map((tool, index) => toFunction(tool, index, { model, warn }));
  const toolConfig = toToolConfig(request, tools);
  return { tools: [{ functionDeclarations }], ...(toolConfig === undefined ? {} : { toolConfig }) };
}

function toFunction(tool: Tool, index: number, target: { model: GeminiModel; warn: Warn }): GeminiFunction {
  const { name, description, parameters } = tool;
  const described = { name, ...(description === undefined || description === '' ? {} : { description }) };
  if (parameters === undefined) return described;
  // Recorded traffic: generation 2 and later take JSON Schema as it is.
  if (target.model.generation >= 2 && !target.model.isGemma) return { ...described, parametersJsonSchema: parameters };
  const dropped = new Set<string>();
  const field = `tools[${index}].parameters`;
  const schema = toGeminiSchema(parameters, { param: field, onDropped: (keyword) => dropped.add(keyword) });
  if (dropped.size > 0) {
    target.warn({ field, kind: 'approximated', detail: `schema keywords dropped: ${[...dropped].join(', ')}` });
  }
  return schema === undefined ? described : { ...described, parameters: schema };
}

/** Strict tools ask for VALIDATED, which is AUTO with calls that must match their schema. */
function toToolConfig(request: ChatRequest, tools: readonly Tool[]): GeminiToolConfig | undefined {
  const choice = request.toolChoice;
  switch (choice?.type) {
    case 'none':
      return { functionCallingConfig: { mode: 'NONE' } };
    case 'required':
      return { functionCallingConfig: { mode: 'ANY' } };
    case 'tool':
      return { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [choice.name] } };
    case 'auto':
    case undefined:
      if (tools.some((tool) => tool.strict === true)) return { functionCallingConfig: { mode: 'VALIDATED' } };
      return choice === undefined ? undefined : { functionCallingConfig: { mode: 'AUTO' } };
  }
}
