import type { GatewayError } from '../../contract/errors.js';
import { NATIVE_EVENT, type NativeTap } from '../../contract/provider.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import { errorOfChunk } from './openai-wire.error.js';
import { readUsage } from './openai-wire.usage.js';
import type { WireChunk, WireChunkChoice, WireDelta } from './openai-wire.types.js';

/** Watches a chat completion stream go by: usage, commit, end and failure. It changes nothing. */
export class OpenAITap implements NativeTap {
  private told: MeasuredUsage | undefined;
  private isToldAlone = false;
  private error: GatewayError | undefined;
  private isDone = false;
  private readonly finished = new Set<number>();
  private bytes = 0;

  /** @param choices how many answers were asked for. */
  constructor(private readonly choices: number) {}

  event(data: string): number {
    if (data === '') return NATIVE_EVENT.none;
    if (data === '[DONE]') {
      this.isDone = true;
      return NATIVE_EVENT.terminal;
    }
    try {
      return this.chunk(JSON.parse(data) as WireChunk | null);
    } catch {
      return NATIVE_EVENT.malformed;
    }
  }

  usage(): MeasuredUsage | undefined {
    if (this.told === undefined || this.isToldAlone || this.isComplete()) return this.told;
    return { ...this.told, source: 'partial' };
  }

  failure(): GatewayError | undefined {
    return this.error;
  }

  isComplete(): boolean {
    return this.isDone || this.finished.size >= this.choices;
  }

  generatedBytes(): number {
    return this.bytes;
  }

  private chunk(chunk: WireChunk | null): number {
    if (typeof chunk !== 'object' || chunk === null) return NATIVE_EVENT.malformed;
    const choices = chunk.choices ?? [];
    const usage = chunk.usage == null ? undefined : readUsage(chunk.usage, 'final');
    if (usage !== undefined) {
      this.told = usage;
      this.isToldAlone = choices.length === 0;
    }
    const failure = errorOfChunk(chunk);
    if (failure !== undefined) {
      this.error = failure;
      return NATIVE_EVENT.error;
    }
    // Azure's first event has no choices and no usage: it opens the stream with the prompt's filter results.
    if (choices.length === 0) return chunk.usage == null ? NATIVE_EVENT.none : NATIVE_EVENT.usageOnly;
    const before = this.bytes;
    for (const choice of choices) if (choice !== null) this.choice(choice);
    return this.bytes > before ? NATIVE_EVENT.content : NATIVE_EVENT.none;
  }

  private choice(choice: WireChunkChoice): void {
    if (typeof choice.finish_reason === 'string') this.finished.add(choice.index ?? 0);
    if (choice.delta != null) this.bytes += deltaBytes(choice.delta);
  }
}

/** UTF-8 bytes of what a delta adds: text, refusal, reasoning, and names and arguments of tool calls. */
function deltaBytes(delta: WireDelta): number {
  const reasoning = delta.reasoning_content ?? delta.reasoning;
  let bytes = textBytes(delta.content) + textBytes(delta.refusal) + textBytes(reasoning);
  for (const call of delta.tool_calls ?? []) {
    bytes += textBytes(call?.function?.name) + textBytes(call?.function?.arguments);
  }
  const { function_call: legacy } = delta;
  return legacy == null ? bytes : bytes + textBytes(legacy.name) + textBytes(legacy.arguments);
}

function textBytes(value: unknown): number {
  return typeof value === 'string' && value !== '' ? Buffer.byteLength(value) : 0;
}
