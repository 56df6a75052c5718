import { isJsonObject } from '../../contract/json.js';
import { tokenCount, type MeasuredUsage, type UsageSource } from '../../contract/usage.js';

/**
 * OpenAI's usage object as the contract's; undefined when a total is not a count. Details that are no counts are 0,
 * and none is larger than the total it is part of.
 */
export function readUsage(value: unknown, source: UsageSource): MeasuredUsage | undefined {
  if (!isJsonObject(value)) return undefined;
  const promptTokens = tokenCount(value['prompt_tokens']);
  // Embeddings answers tell none.
  const completionTokens = 'completion_tokens' in value ? tokenCount(value['completion_tokens']) : 0;
  if (promptTokens === undefined || completionTokens === undefined) return undefined;
  return {
    promptTokens,
    cachedPromptTokens: detail(value['prompt_tokens_details'], 'cached_tokens', promptTokens),
    cacheWriteTokens: 0,
    completionTokens,
    reasoningTokens: detail(value['completion_tokens_details'], 'reasoning_tokens', completionTokens),
    source,
  };
}

function detail(details: unknown, name: string, total: number): number {
  const value = isJsonObject(details) ? tokenCount(details[name]) : undefined;
  return Math.min(value ?? 0, total);
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
