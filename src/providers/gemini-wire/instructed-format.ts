import type { ChatRequest, Message, ResponseFormat } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';
import type { GeminiModel } from './model.js';

/** The first generation whose models call functions and answer as JSON in the same request. */
const COMBINES_FROM = 3;

function instruction(format: Exclude<ResponseFormat, { type: 'text' }>): string {
  const plain = 'Unless you call a function, answer with one JSON value and nothing else.';
  return format.type === 'json-object'
    ? plain
    : `${plain} It must match this JSON Schema: ${JSON.stringify(format.schema)}`;
}

/**
 * A request whose JSON format is asked for in words where the model refuses it beside functions (observed: 400,
 * "Function calling with a response mime type: 'application/json' is unsupported"). Any other request as it is.
 */
export function withInstructedFormat(
  request: ChatRequest,
  model: GeminiModel,
  warn: (warning: LossWarning) => void,
): ChatRequest {
  const { responseFormat: format, tools = [], toolChoice, messages } = request;
  const callsFunctions = tools.length > 0 && toolChoice?.type !== 'none';
  if (format === undefined || format.type === 'text' || !callsFunctions || model.generation >= COMBINES_FROM)
    return request;
  warn({
    field: 'responseFormat',
    kind: 'emulated',
    detail: 'asked for in words: the model takes no format beside tools',
  });
  const told: Message = { role: 'system', content: [{ type: 'text', text: instruction(format) }] };
  const { responseFormat: _format, ...rest } = request;
  return { ...rest, messages: [told, ...messages] };
}
