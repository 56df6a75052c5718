import { isJsonObject } from '../../contract/json.js';
import { tokenCount, type MeasuredUsage } from '../../contract/usage.js';

/**
 * `usageMetadata` as a usage; undefined when it is missing or holds a count that is none. Counted over recorded
 * traffic: the total is prompt + tool use prompt + candidates + thoughts, cached tokens are inside the prompt, and
 * counts of zero are left out.
 */
export function toUsage(metadata: unknown): MeasuredUsage | undefined {
  if (!isJsonObject(metadata)) return undefined;
  const read = (key: string): number | undefined => tokenCount(metadata[key] ?? 0);
  const prompt = tokenCount(metadata['promptTokenCount']);
  const toolUse = read('toolUsePromptTokenCount');
  const cached = read('cachedContentTokenCount');
  const candidates = read('candidatesTokenCount');
  const thoughts = read('thoughtsTokenCount');
  if (prompt === undefined || toolUse === undefined || cached === undefined) return undefined;
  if (candidates === undefined || thoughts === undefined) return undefined;
  const promptTokens = prompt + toolUse;
  const completionTokens = candidates + thoughts;
  if (!Number.isSafeInteger(promptTokens) || !Number.isSafeInteger(completionTokens)) return undefined;
  return {
    promptTokens,
    cachedPromptTokens: Math.min(cached, promptTokens),
    cacheWriteTokens: 0,
    completionTokens,
    reasoningTokens: thoughts,
    ...audio(
      'audioPromptTokens',
      promptTokens,
      metadata['promptTokensDetails'],
      metadata['toolUsePromptTokensDetails'],
    ),
    ...audio('audioCompletionTokens', completionTokens, metadata['candidatesTokensDetails']),
    source: 'final',
  };
}

/** Audio among the tokens counted; nothing where none is told, and never more than there are. */
function audio(
  key: 'audioPromptTokens' | 'audioCompletionTokens',
  total: number,
  ...details: readonly unknown[]
): Partial<Record<'audioPromptTokens' | 'audioCompletionTokens', number>> {
  let tokens = 0;
  for (const list of details) {
    for (const entry of Array.isArray(list) ? (list as unknown[]) : []) {
      if (isJsonObject(entry) && entry['modality'] === 'AUDIO') tokens += tokenCount(entry['tokenCount']) ?? 0;
    }
  }
  return tokens === 0 ? {} : { [key]: Math.min(tokens, total) };
}
