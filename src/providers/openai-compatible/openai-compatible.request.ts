import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import type { Warn } from '../openai-wire/openai-wire.flavour.js';
import { featureOf, type Feature } from './openai-compatible.features.js';
import type { Differences } from './openai-compatible.presets.js';

/** Makes of a chat body what the server takes. Nothing is touched but what is declared; the body itself never is. */
export function adaptChat(body: JsonObject, differences: Differences, warn: Warn): JsonObject {
  const { maxTokensField, seedField, streamUsage, systemRole, unsupported } = differences;
  const adapted = { ...body };
  for (const feature of unsupported) takeOut(adapted, feature, warn);
  if (maxTokensField === 'max_tokens') rename(adapted, 'max_completion_tokens', 'max_tokens');
  if (maxTokensField === 'max_completion_tokens') rename(adapted, 'max_tokens', 'max_completion_tokens');
  if (seedField === 'random_seed') rename(adapted, 'seed', 'random_seed');
  if (!streamUsage) delete adapted['stream_options'];
  const { messages } = adapted;
  if (systemRole !== undefined && Array.isArray(messages)) adapted['messages'] = withRole(messages, systemRole);
  return adapted;
}

/** Where a body has both, `max_completion_tokens` stands: it is the newer word of the two. */
function rename(body: JsonObject, from: string, to: string): void {
  const value = body[from];
  delete body[from];
  if (value === undefined || value === null) return;
  if (from === 'max_tokens' && body[to] != null) return;
  body[to] = value;
}

function takeOut(body: JsonObject, feature: Feature, warn: Warn): void {
  const { field, wire, isIdle } = featureOf(feature);
  const values = wire.map((name) => body[name]).filter((value) => value !== undefined && value !== null);
  if (values.length === 0) return;
  const isAsked = values.some((value) => isIdle?.(value) !== true);
  if (field === 'responseFormat') {
    if (isAsked) withoutFormat(body, feature, warn);
    return;
  }
  for (const name of wire) delete body[name];
  if (isAsked) warn({ field, kind: 'dropped', detail: 'the server does not support it' });
}

/** JSON of any form is the nearest a server without schemas can do. */
function withoutFormat(body: JsonObject, feature: Feature, warn: Warn): void {
  if (feature === 'json_schema') {
    body['response_format'] = { type: 'json_object' };
    warn({ field: 'responseFormat', kind: 'approximated', detail: 'JSON without the schema' });
    return;
  }
  delete body['response_format'];
  warn({ field: 'responseFormat', kind: 'dropped', detail: 'the server does not support it' });
}

function withRole(messages: readonly JsonValue[], role: 'system' | 'developer'): JsonValue[] {
  const other = role === 'system' ? 'developer' : 'system';
  return messages.map((message) =>
    isJsonObject(message) && message['role'] === other ? { ...message, role } : message,
  );
}
