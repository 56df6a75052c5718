import type { JsonValue } from './json.js';
import type { MeasuredUsage } from './usage.js';

/** Texts (or token lists) to embed. */
export interface EmbeddingsRequest {
  /** One vector per entry, in order; at least one entry. */
  readonly input: readonly string[] | readonly (readonly number[])[];
  /** Length of the vectors asked for; absent = the model's own. */
  readonly dimensions?: number;
  readonly endUser?: string;
  /** Fields of the caller's dialect this contract has no word for; a provider uses or reports each. */
  readonly extra?: Readonly<Record<string, JsonValue>>;
}

export interface EmbeddingsResponse {
  readonly model?: string;
  /** One vector per input, in order. */
  readonly vectors: readonly (readonly number[])[];
  readonly usage?: MeasuredUsage;
}
