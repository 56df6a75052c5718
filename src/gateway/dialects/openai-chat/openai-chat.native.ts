import { isJsonObject, type JsonValue } from '../../../contract/json.js';
import type { LossWarning } from '../../../contract/provider.js';

type Warn = (warning: LossWarning) => void;

const DETAIL = 'state of another provider';

/** True for an entry of `reasoning_details`, or a value of `extra_content`, as this gateway writes them. */
const isOurs = (value: JsonValue | undefined): boolean => isJsonObject(value) && typeof value['state'] === 'string';

function withoutCallState(call: JsonValue, path: string, warn: Warn): JsonValue {
  if (!isJsonObject(call) || !isJsonObject(call['extra_content'])) return call;
  if (!Object.values(call['extra_content']).some(isOurs)) return call;
  warn({ field: `${path}.extra_content`, kind: 'dropped', detail: DETAIL });
  const { extra_content: _state, ...rest } = call;
  return rest;
}

function withoutState(message: JsonValue, path: string, warn: Warn): JsonValue {
  if (!isJsonObject(message)) return message;
  let kept = message;
  const { tool_calls: calls, reasoning_details: details } = message;
  if (Array.isArray(calls)) {
    const plain = calls.map((call, index) => withoutCallState(call, `${path}.tool_calls[${index}]`, warn));
    if (plain.some((call, index) => call !== calls[index])) kept = { ...kept, tool_calls: plain };
  }
  if (Array.isArray(details) && details.some(isOurs)) {
    warn({ field: `${path}.reasoning_details`, kind: 'dropped', detail: DETAIL });
    const { reasoning_details: _details, reasoning_content: _text, ...rest } = kept;
    kept = rest;
  }
  return kept;
}

/**
 * Messages as a provider that speaks the dialect itself may see them. The state that answers of translated providers
 * carry (`reasoning_details` with their text, `tool_calls[].extra_content`) is an addition of this gateway: strict
 * models refuse fields they do not know, and state is of use to its issuer alone. Messages without it are not copied.
 */
export function withoutForeignState(messages: readonly JsonValue[], warn: Warn): JsonValue[] {
  return messages.map((message, index) => withoutState(message, `messages[${index}]`, warn));
}
