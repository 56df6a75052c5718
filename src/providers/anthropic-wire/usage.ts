import { isJsonObject, type JsonObject } from '../../contract/json.js';
import { tokenCount, type MeasuredUsage } from '../../contract/usage.js';

/**
 * The wire's `usage` in the contract's sense. `input_tokens` leaves cache reads and writes out, so they are added.
 * Absent when the counts are missing or invalid.
 */
export function readUsage(usage: unknown): MeasuredUsage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const input = tokenCount(usage['input_tokens']);
  const completionTokens = tokenCount(usage['output_tokens']);
  const cachedPromptTokens = tokenCount(usage['cache_read_input_tokens']) ?? 0;
  const cacheWriteTokens = tokenCount(usage['cache_creation_input_tokens']) ?? 0;
  if (input === undefined || completionTokens === undefined) return undefined;
  const promptTokens = tokenCount(input + cachedPromptTokens + cacheWriteTokens);
  if (promptTokens === undefined) return undefined;
  const reasoningTokens = thinkingTokens(usage, completionTokens);
  return { promptTokens, cachedPromptTokens, cacheWriteTokens, completionTokens, reasoningTokens, source: 'final' };
}

/** Never more than all that was generated. */
function thinkingTokens({ output_tokens_details: details }: JsonObject, completionTokens: number): number {
  const thinking = isJsonObject(details) ? (tokenCount(details['thinking_tokens']) ?? 0) : 0;
  return Math.min(thinking, completionTokens);
}

/**
 * What a stream has told of its usage so far. Every count is the total so far, so that a later one replaces an earlier
 * one and is never added; a count that is left out or null keeps what was told before.
 */
export class UsageLedger {
  private told: JsonObject | undefined;

  take(usage: unknown): void {
    if (!isJsonObject(usage)) return;
    const known = Object.entries(usage).filter(([, value]) => value !== null);
    this.told = { ...this.told, ...Object.fromEntries(known) };
  }

  /** Absent = none told yet. */
  get usage(): MeasuredUsage | undefined {
    return readUsage(this.told);
  }
}
