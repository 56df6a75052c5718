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
 * What a relayed stream is charged: the provider's own usage where it told one (explicit zeros are the truth), else an
 * estimate of the prompt and of what was generated.
 */
export function relayedUsage(end: RelayEnd, promptTokens: number): MeasuredUsage {
  if (end.usage === undefined) return estimatedUsage(promptTokens, end.generatedBytes);
  return end.how === 'complete' ? end.usage : { ...end.usage, source: 'partial' };
}
