import type { EmbeddingsRequest } from '../../contract/embeddings.js';
import { hashOf, seededRandom } from './sandbox.random.js';
import { textTokens } from './sandbox.tokens.js';

/** A vector of length 1 that depends on the input alone. */
export function unitVector(input: string, dimensions: number): number[] {
  const random = seededRandom(hashOf(input));
  const vector = Array.from({ length: dimensions }, () => random() * 2 - 1);
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

/** Each input as text, so that equal inputs have equal vectors. */
export function inputsOf({ input }: EmbeddingsRequest): string[] {
  return input.map((each) => (typeof each === 'string' ? each : each.join(',')));
}

/** Tokens of all inputs; a list of token ids counts its length. */
export function inputTokens({ input }: EmbeddingsRequest): number {
  return input.reduce<number>((sum, each) => sum + (typeof each === 'string' ? textTokens(each) : each.length), 0);
}
