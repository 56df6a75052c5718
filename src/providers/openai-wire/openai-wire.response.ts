import type { ChatChoice, ChatResponse, ContentBlock, FinishReason } from '../../contract/chat-response.js';
import type { EmbeddingsResponse } from '../../contract/embeddings.js';
import { GatewayError } from '../../contract/errors.js';
import type { JsonValue } from '../../contract/json.js';
import { tokenCount } from '../../contract/usage.js';
import { readContent } from './openai-wire.content.js';
import { errorOfEvent } from './openai-wire.error.js';
import { readUsage } from './openai-wire.usage.js';
import type { WireChat, WireChoice, WireEmbeddings } from './openai-wire.types.js';

/** A whole chat completion; `provider_bad_response` when it has no choice. */
export function fromWireChat(answer: unknown): ChatResponse {
  const wire = objectOr<WireChat>(answer);
  const choices = (wire.choices ?? []).flatMap((choice) => (choice === null ? [] : [fromWireChoice(choice, wire)]));
  if (choices.length === 0) throw new GatewayError('provider_bad_response', { cause: 'no choices' });
  const usage = readUsage(wire.usage, 'final');
  return {
    choices,
    ...textField('id', wire.id),
    ...textField('model', wire.model),
    ...createdField(wire.created),
    ...(usage === undefined ? {} : { usage }),
  };
}

/** The vectors of an embeddings answer in the order of the inputs. */
export function fromWireEmbeddings(answer: unknown, inputs: number): EmbeddingsResponse {
  const wire = objectOr<WireEmbeddings>(answer);
  const vectors = new Array<readonly number[]>(inputs);
  (wire.data ?? []).forEach((entry, position) => {
    const vector = toVector(entry?.embedding);
    if (vector !== undefined) vectors[entry?.index ?? position] = vector;
  });
  for (let index = 0; index < inputs; index += 1) {
    if (vectors[index] === undefined) {
      throw new GatewayError('provider_bad_response', { cause: `no vector for input ${index}` });
    }
  }
  const usage = readUsage(wire.usage, 'final');
  return { vectors: vectors.slice(0, inputs), ...textField('model', wire.model), ...(usage && { usage }) };
}

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  length: 'length',
  model_length: 'length',
  // The server ran out of something in the middle: the answer is cut, as by a limit.
  insufficient_system_resource: 'length',
  error: 'length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter',
};

/** Why a choice ended; reasons nobody knows yet count as a plain stop. */
export function toFinishReason(reason: string): FinishReason {
  return FINISH_REASONS[reason] ?? 'stop';
}

/** The id of a tool call the provider gave none: unique in the answer, and across answers that have ids. */
export function missingCallId(answerId: string, choice: number, index: number): string {
  return `call_${answerId.replace(/[^A-Za-z0-9]/g, '').slice(-24)}_${choice}_${index}`;
}

function fromWireChoice(choice: WireChoice, wire: WireChat): ChatChoice {
  const { message } = choice;
  if (choice.error != null) throw errorOfEvent(choice.error);
  const content: ContentBlock[] = [];
  const said = readContent(message ?? {});
  const annotations = (message?.annotations ?? []) as readonly JsonValue[];
  if (said.reasoning !== '') content.push({ type: 'reasoning', text: said.reasoning });
  if (said.text !== '') content.push({ type: 'text', text: said.text, ...(annotations.length > 0 && { annotations }) });
  if (message?.refusal) content.push({ type: 'refusal', text: message.refusal });
  (message?.tool_calls ?? []).forEach((call, index) => {
    if (call === null || !('function' in call)) return;
    const id = call.id || missingCallId(wire.id ?? '', choice.index ?? 0, index);
    const text = call.function?.arguments;
    content.push({ type: 'tool-call', id, name: call.function?.name ?? '', arguments: text ? text : '{}' });
  });
  const logprobs = choice.logprobs as JsonValue | undefined;
  return {
    content,
    finishReason: toFinishReason(choice.finish_reason ?? 'stop'),
    ...(logprobs == null ? {} : { logprobs }),
  };
}

function toVector(embedding: unknown): readonly number[] | undefined {
  if (Array.isArray(embedding)) return embedding as number[];
  if (typeof embedding !== 'string') return undefined;
  const bytes = Buffer.from(embedding, 'base64');
  const vector = new Array<number>(bytes.length >> 2);
  for (let index = 0; index < vector.length; index += 1) vector[index] = bytes.readFloatLE(index * 4);
  return vector;
}

function objectOr<Wire extends object>(answer: unknown): Partial<Wire> & Wire {
  if (typeof answer !== 'object' || answer === null) throw new GatewayError('provider_bad_response');
  return answer as Wire;
}

/** `{name: value}` for text that is there, else `{}`. */
function textField<Name extends string>(name: Name, value: unknown): { readonly [Key in Name]?: string } {
  return (typeof value === 'string' && value !== '' ? { [name]: value } : {}) as { readonly [Key in Name]?: string };
}

function createdField(value: unknown): { createdSeconds?: number } {
  const createdSeconds = tokenCount(value);
  return createdSeconds === undefined || createdSeconds === 0 ? {} : { createdSeconds };
}
