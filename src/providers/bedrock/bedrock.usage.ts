import { isJsonObject } from '../../contract/json.js';
import { tokenCount, type MeasuredUsage } from '../../contract/usage.js';

/**
 * Converse's `usage` in the contract's sense. `inputTokens` leaves cache reads and writes out, so they are added.
 * Absent when the counts are missing or invalid. Converse tells no reasoning tokens; they are inside `outputTokens`.
 */
export function readUsage(usage: unknown): MeasuredUsage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const input = tokenCount(usage['inputTokens']);
  const completionTokens = tokenCount(usage['outputTokens']);
  const cachedPromptTokens = tokenCount(usage['cacheReadInputTokens']) ?? 0;
  const cacheWriteTokens = tokenCount(usage['cacheWriteInputTokens']) ?? 0;
  if (input === undefined || completionTokens === undefined) return undefined;
  const promptTokens = tokenCount(input + cachedPromptTokens + cacheWriteTokens);
  if (promptTokens === undefined) return undefined;
  return { promptTokens, cachedPromptTokens, cacheWriteTokens, completionTokens, reasoningTokens: 0, source: 'final' };
}
