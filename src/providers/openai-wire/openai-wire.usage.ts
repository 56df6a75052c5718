import { isJsonObject, type JsonObject } from '../../contract/json.js';
import { tokenCount, type MeasuredUsage, type UsageSource } from '../../contract/usage.js';

/**
 * OpenAI's usage object as the contract's; undefined when a total is not a count. Details that are no counts are 0,
 * and none is larger than the total it is part of.
 */
export function readUsage(value: unknown, source: UsageSource): MeasuredUsage | undefined {
  if (!isJsonObject(value)) return undefined;
  const promptTokens = tokenCount(value['prompt_tokens']);
  // Embeddings answers tell none.
  const told = 'completion_tokens' in value ? tokenCount(value['completion_tokens']) : 0;
  if (promptTokens === undefined || told === undefined) return undefined;
  const prompt = detailsOf(value['prompt_tokens_details']);
  const completion = detailsOf(value['completion_tokens_details']);
  const uncounted = beyond(value['total_tokens'], promptTokens + told);
  const completionTokens = told + uncounted;
  const cachedPromptTokens = part(prompt['cached_tokens'] ?? value['prompt_cache_hit_tokens'], promptTokens);
  const audioPromptTokens = part(prompt['audio_tokens'], promptTokens);
  const audioCompletionTokens = part(completion['audio_tokens'], completionTokens);
  return {
    promptTokens,
    cachedPromptTokens,
    cacheWriteTokens: part(prompt['cache_write_tokens'], promptTokens - cachedPromptTokens),
    completionTokens,
    reasoningTokens: Math.max(part(completion['reasoning_tokens'], completionTokens), uncounted),
    ...(audioPromptTokens === 0 ? {} : { audioPromptTokens }),
    ...(audioCompletionTokens === 0 ? {} : { audioCompletionTokens }),
    source,
  };
}

/** xAI and Google leave reasoning out of the completion, so that only the total shows it. */
function beyond(total: unknown, sum: number): number {
  return Math.max((tokenCount(total) ?? 0) - sum, 0);
}

const NO_DETAILS: JsonObject = {};

function detailsOf(details: unknown): JsonObject {
  return isJsonObject(details) ? details : NO_DETAILS;
}

function part(value: unknown, total: number): number {
  return Math.min(tokenCount(value) ?? 0, total);
}

const USAGE_KEY = '"usage"';

/**
 * The usage of a whole answer without parsing all of it. The quotes inside JSON strings are escaped, so the last
 * `"usage"` of the bytes is a key or a value; when the bytes from there on close exactly one object, it is the
 * outermost object's key. Otherwise the whole is parsed. Throws SyntaxError when that is no JSON.
 */
export function usageOfBody(body: Buffer): MeasuredUsage | undefined {
  const at = body.lastIndexOf(USAGE_KEY);
  const tail = at === -1 ? undefined : parseTail(body.toString('utf8', at));
  const parsed: unknown = tail ?? JSON.parse(body.toString('utf8'));
  return isJsonObject(parsed) ? readUsage(parsed['usage'], 'final') : undefined;
}

function parseTail(text: string): unknown {
  try {
    return JSON.parse(`{${text}`);
  } catch {
    return undefined;
  }
}
