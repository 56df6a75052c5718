import type { ChatPart } from '../../contract/chat-response.js';
import { GatewayError } from '../../contract/errors.js';
import type { JsonValue } from '../../contract/json.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import { readContent } from './openai-wire.content.js';
import { errorOfChunk } from './openai-wire.error.js';
import { missingCallId, toFinishReason } from './openai-wire.response.js';
import { readUsage } from './openai-wire.usage.js';
import type { WireChunk, WireChunkChoice, WireDelta } from './openai-wire.types.js';

/** What is known of one choice so far. */
interface ChoiceState {
  /** Wire index of a tool call to its number in the choice. */
  readonly calls: Map<number, number>;
  isFinished: boolean;
}

/**
 * Turns the events of a chat completion stream into parts. It gives exactly one `finish` or one `error`, by `push` or
 * at the latest by `end`; after that it gives nothing.
 */
export class OpenAIStreamReader {
  private readonly choices = new Map<number, ChoiceState>();
  private id = '';
  private isStarted = false;
  private isOver = false;
  private told: MeasuredUsage | undefined;

  /** True after `finish` or `error`. */
  get over(): boolean {
    return this.isOver;
  }

  /** The last usage told; absent = none yet. */
  get usage(): MeasuredUsage | undefined {
    return this.told;
  }

  /** Parts of one event's data. */
  push(data: string): ChatPart[] {
    if (this.isOver || data === '') return [];
    if (data === '[DONE]') return this.finish();
    let chunk: WireChunk | null;
    try {
      chunk = JSON.parse(data) as WireChunk | null;
    } catch (error) {
      return this.fail(new GatewayError('provider_bad_response', { cause: error }));
    }
    if (typeof chunk !== 'object' || chunk === null) return this.fail(new GatewayError('provider_bad_response'));
    this.told = readUsage(chunk.usage, 'final') ?? this.told;
    const failure = errorOfChunk(chunk);
    return failure === undefined ? this.chunk(chunk) : this.fail(failure);
  }

  /** Parts due when the bytes have ended: a stream without its mark is whole only if every choice has ended. */
  end(): ChatPart[] {
    if (this.isOver) return [];
    const states = [...this.choices.values()];
    const isWhole = states.length > 0 && states.every(({ isFinished }) => isFinished);
    return isWhole ? this.finish() : this.fail(new GatewayError('provider_stream_broken'));
  }

  /** Ends with an error; for failures of the bytes themselves. */
  fail(error: GatewayError): ChatPart[] {
    if (this.isOver) return [];
    this.isOver = true;
    return [{ type: 'error', error }];
  }

  private finish(): ChatPart[] {
    this.isOver = true;
    return [{ type: 'finish', ...(this.told === undefined ? {} : { usage: this.told }) }];
  }

  private chunk(chunk: WireChunk): ChatPart[] {
    const choices = chunk.choices ?? [];
    const parts: ChatPart[] = [];
    if (choices.length === 0) return parts;
    // Azure's first event has no choices, and an empty id and model that must not become the answer's.
    if (!this.isStarted) parts.push(this.start(chunk));
    for (const choice of choices) if (choice !== null) this.choice(choice, parts);
    return parts;
  }

  private start({ id, model, created }: WireChunk): ChatPart {
    this.isStarted = true;
    this.id = id ?? '';
    return {
      type: 'start',
      ...(id ? { id } : {}),
      ...(model ? { model } : {}),
      ...(created ? { createdSeconds: created } : {}),
    };
  }

  private choice(choice: WireChunkChoice, parts: ChatPart[]): void {
    const index = choice.index ?? 0;
    const state = this.state(index);
    const place = index === 0 ? {} : { choice: index };
    if (choice.delta != null) {
      this.texts(choice, place, parts);
      this.calls(choice.delta, { state, index, parts });
    }
    if (typeof choice.finish_reason !== 'string' || state.isFinished) return;
    state.isFinished = true;
    parts.push({ type: 'choice-finish', reason: toFinishReason(choice.finish_reason), ...place });
  }

  private state(index: number): ChoiceState {
    let state = this.choices.get(index);
    if (state === undefined) this.choices.set(index, (state = { calls: new Map(), isFinished: false }));
    return state;
  }

  private texts({ delta, logprobs }: WireChunkChoice, place: { choice?: number }, parts: ChatPart[]): void {
    const { text, reasoning } = readContent(delta ?? {});
    if (reasoning !== '') parts.push({ type: 'reasoning-delta', text: reasoning, ...place });
    if (text !== '') {
      const probabilities = logprobs == null ? {} : { logprobs: logprobs as JsonValue };
      parts.push({ type: 'text-delta', text, ...probabilities, ...place });
    }
    if (delta?.refusal) parts.push({ type: 'refusal-delta', text: delta.refusal, ...place });
    for (const annotation of delta?.annotations ?? []) {
      parts.push({ type: 'annotation', annotation: annotation as JsonValue, ...place });
    }
  }

  private calls(delta: WireDelta, at: { state: ChoiceState; index: number; parts: ChatPart[] }): void {
    const { state, index: choice, parts } = at;
    const place = choice === 0 ? {} : { choice };
    for (const call of delta.tool_calls ?? []) {
      if (call === null) continue;
      const wireIndex = call.index ?? 0;
      let index = state.calls.get(wireIndex);
      if (index === undefined) {
        index = state.calls.size;
        state.calls.set(wireIndex, index);
        const id = call.id || missingCallId(this.id, choice, index);
        parts.push({ type: 'tool-call-start', index, id, name: call.function?.name ?? '', ...place });
      }
      const text = call.function?.arguments;
      if (text) parts.push({ type: 'tool-call-delta', index, arguments: text, ...place });
    }
  }
}
