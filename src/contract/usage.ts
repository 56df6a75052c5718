/**
 * Tokens of one answer. The two totals contain their parts: cached and cache-write tokens are inside
 * `promptTokens`, reasoning tokens inside `completionTokens`. All values are non-negative safe integers.
 */
export interface Usage {
  /** Everything the model read. */
  readonly promptTokens: number;
  /** Of these, read from the provider's prompt cache. */
  readonly cachedPromptTokens: number;
  /** Of these, written to the provider's prompt cache. */
  readonly cacheWriteTokens: number;
  /** Everything the model generated. */
  readonly completionTokens: number;
  /** Of these, reasoning the caller may not see. */
  readonly reasoningTokens: number;
  /** Of the prompt, audio; absent = none or not told. */
  readonly audioPromptTokens?: number;
  /** Of the completion, audio; absent = none or not told. */
  readonly audioCompletionTokens?: number;
}

/**
 * How far a usage can be trusted: `final` came with the end of the answer, `partial` was the last the provider
 * told before the answer was cut, `estimate` is ours, `none` means that nothing was dispatched or billed.
 */
export type UsageSource = 'final' | 'partial' | 'estimate' | 'none';

/** A usage with its source. */
export interface MeasuredUsage extends Usage {
  readonly source: UsageSource;
}

export const NO_USAGE: MeasuredUsage = {
  promptTokens: 0,
  cachedPromptTokens: 0,
  cacheWriteTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  source: 'none',
};

/**
 * A provider's count as a non-negative safe integer. Zero is kept; anything else that is not such a number
 * (null, text, negative, fractional, infinite) is undefined, so that a bad count can never become a credit.
 */
export function tokenCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
