import type { MeasuredUsage } from '../contract/usage.js';
import { NO_USAGE } from '../contract/usage.js';
import type { RelayEnd } from './relay/relay.js';

/** UTF-8 bytes a generated token is taken for where a provider told no usage. */
const BYTES_PER_TOKEN = 4;

/** An estimate of what a provider bills: the prompt, and what it generated so far. */
export function estimatedUsage(promptTokens: number, generatedBytes: number): MeasuredUsage {
  return {
    ...NO_USAGE,
    promptTokens,
    completionTokens: Math.ceil(generatedBytes / BYTES_PER_TOKEN),
    source: 'estimate',
  };
}

/**
 * What a relayed stream is charged: the provider's own usage where it told one, else an estimate of the prompt and of
 * what was generated. At the end of an answer explicit zeros are the truth; of an answer that was cut, a provider that
 * has told no output yet although there was some has only not counted it yet.
 */
export function relayedUsage(end: RelayEnd, promptTokens: number): MeasuredUsage {
  const { usage, generatedBytes } = end;
  if (usage === undefined) return estimatedUsage(promptTokens, generatedBytes);
  if (end.how === 'complete') return usage;
  if (usage.completionTokens > 0 || generatedBytes === 0) return { ...usage, source: 'partial' };
  const { completionTokens } = estimatedUsage(promptTokens, generatedBytes);
  return { ...usage, completionTokens, source: 'estimate' };
}
