import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import { readContent } from '../openai-wire/openai-wire.content.js';
import { missingCallId } from '../openai-wire/openai-wire.response.js';

/** Names other servers give to the tiers OpenAI has a name for. */
const TIERS: Readonly<Record<string, string>> = {
  on_demand: 'default',
  standard: 'default',
  performance: 'priority',
  provisioned: 'scale',
};

/** What an answer can need mending for; one without any of these passes unread. */
const SUSPECTS = ['"tool_calls"', '"service_tier"', '"content":[', '"content": ['].map((text) => Buffer.from(text));
const CONTENT = Buffer.from('"content"');

/** A whole answer with what OpenAI's dialect requires; the same bytes where nothing was missing. */
export function mendWhole(body: Buffer): Buffer {
  if (body.includes(CONTENT) && !SUSPECTS.some((suspect) => body.includes(suspect))) return body;
  const answer = parse(body.toString('utf8'));
  if (!isJsonObject(answer) || !Array.isArray(answer['choices'])) return body;
  let isMended = mendTier(answer);
  for (const [index, choice] of answer['choices'].entries()) {
    if (isJsonObject(choice) && isJsonObject(choice['message'])) {
      isMended = mendMessage(choice['message'], { answerId: textOf(answer['id']), choice: index }) || isMended;
    }
  }
  return isMended ? Buffer.from(JSON.stringify(answer)) : body;
}

/** The value where it is JSON; undefined where it is none. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A text, '' where it is none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Gives a tier OpenAI's name. True = it had another. */
export function mendTier(answer: JsonObject): boolean {
  const tier = TIERS[textOf(answer['service_tier'])];
  if (tier !== undefined) answer['service_tier'] = tier;
  return tier !== undefined;
}

/** Makes one text of content that came in parts, reasoning beside it. True = it had parts. */
export function mendContent(holder: JsonObject): boolean {
  if (!Array.isArray(holder['content'])) return false;
  const { text, reasoning } = readContent(holder);
  holder['content'] = text;
  if (reasoning !== '') holder['reasoning_content'] = reasoning;
  return true;
}

interface Place {
  readonly answerId: string;
  readonly choice: number;
}

function mendMessage(message: JsonObject, place: Place): boolean {
  let isMended = mendContent(message);
  if (message['content'] === undefined) {
    message['content'] = null;
    isMended = true;
  }
  const calls = message['tool_calls'];
  if (calls === null) {
    delete message['tool_calls'];
    return true;
  }
  if (!Array.isArray(calls)) return isMended;
  const seen = new Set<JsonValue | undefined>();
  for (const [index, call] of calls.entries()) {
    if (!isJsonObject(call)) continue;
    isMended = mendCall(call, missingCallId(place.answerId, place.choice, index), seen) || isMended;
  }
  return isMended;
}

/** A call without id, or with one that another call has, cannot be answered. */
function mendCall(call: JsonObject, id: string, seen: Set<JsonValue | undefined>): boolean {
  let isMended = false;
  const set = (holder: JsonObject, name: string, value: JsonValue): void => {
    holder[name] = value;
    isMended = true;
  };
  if (!hasId(call) || seen.has(call['id'])) set(call, 'id', id);
  seen.add(call['id']);
  const called = call['function'];
  if (!isJsonObject(called)) return isMended;
  if (typeof call['type'] !== 'string') set(call, 'type', 'function');
  const { arguments: args } = called;
  if (typeof args !== 'string') set(called, 'arguments', JSON.stringify(args ?? {}));
  return isMended;
}

/** True for a call that can be told by its id. Mistral has been seen to write `null` as a text. */
export function hasId({ id }: JsonObject): boolean {
  return typeof id === 'string' && id !== '' && id !== 'null';
}
