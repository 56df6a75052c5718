import type { MeasuredUsage } from '../contract/usage.js';

/** Tokens per byte of a body before anything was learned of its model. */
export const INITIAL_TOKENS_PER_BYTE = 0.25;
const LOWEST_RATIO = 0.02;
const HIGHEST_RATIO = 1;
/** Weight of a new observation; about the last twenty requests count. */
const WEIGHT = 0.1;

interface ModelStatistics {
  tokensPerByte: number;
  /** Mean of generated tokens per choice; undefined until the first answer. */
  outputMean: number | undefined;
  /** Mean distance from that mean. */
  outputDeviation: number;
}

/** What an estimate of generated tokens is made of. */
export interface OutputBound {
  /** The caller's own bound per choice; absent = none given. */
  readonly asked: number | undefined;
  /** Assumed while nothing is known, and never exceeded by what was learned. */
  readonly fallback: number;
  readonly choices: number;
}

/**
 * Sizes of reservations, from the length of the body and what settled requests of the same model have shown. It never
 * tokenises: that would block the event loop.
 */
export class TokenEstimator {
  readonly #models = new Map<string, ModelStatistics>();

  /** Tokens a body of so many bytes probably holds; at least 1 for a body that is not empty. */
  prompt(model: string, bodyBytes: number): number {
    const ratio = this.#models.get(model)?.tokensPerByte ?? INITIAL_TOKENS_PER_BYTE;
    return Math.ceil(bodyBytes * ratio);
  }

  /** Tokens to reserve for all choices of an answer: the caller's bound, else what answers usually take at most. */
  output(model: string, bound: OutputBound): number {
    return (bound.asked ?? this.#usualOutput(model, bound.fallback)) * bound.choices;
  }

  /** Learns from a provider's final count; anything less certain teaches nothing. */
  learn(model: string, call: { readonly bodyBytes: number; readonly choices: number }, usage: MeasuredUsage): void {
    if (usage.source !== 'final') return;
    const known = this.#statistics(model);
    if (call.bodyBytes > 0 && usage.promptTokens > 0) {
      const mean = known.tokensPerByte + WEIGHT * (usage.promptTokens / call.bodyBytes - known.tokensPerByte);
      known.tokensPerByte = Math.min(HIGHEST_RATIO, Math.max(LOWEST_RATIO, mean));
    }
    const output = usage.completionTokens / Math.max(1, call.choices);
    if (known.outputMean === undefined) {
      known.outputMean = output;
      known.outputDeviation = output / 2;
      return;
    }
    known.outputDeviation += WEIGHT * (Math.abs(output - known.outputMean) - known.outputDeviation);
    known.outputMean += WEIGHT * (output - known.outputMean);
  }

  #usualOutput(model: string, fallback: number): number {
    const known = this.#models.get(model);
    if (known?.outputMean === undefined) return fallback;
    return Math.min(fallback, Math.ceil(known.outputMean + 2 * known.outputDeviation));
  }

  #statistics(model: string): ModelStatistics {
    let known = this.#models.get(model);
    if (known === undefined) {
      known = { tokensPerByte: INITIAL_TOKENS_PER_BYTE, outputMean: undefined, outputDeviation: 0 };
      this.#models.set(model, known);
    }
    return known;
  }
}
