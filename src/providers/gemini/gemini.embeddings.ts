import type { EmbeddingsRequest, EmbeddingsResponse } from '../../contract/embeddings.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import { toUsage } from '../gemini-wire/usage.js';

/** One entry of a batchEmbedContents call. */
export interface GeminiEmbedding {
  readonly content: { readonly role: 'user'; readonly parts: { text: string }[] };
  readonly outputDimensionality?: number;
}

/** Inputs as entries of one batch. Throws `invalid_value` for lists of token ids, which mean nothing to this model. */
export function toGeminiEmbeddings(
  request: EmbeddingsRequest,
  warn: (warning: LossWarning) => void,
): readonly GeminiEmbedding[] {
  if (request.endUser !== undefined) {
    warn({ field: 'endUser', kind: 'dropped', detail: 'the provider takes no end user id' });
  }
  const dimensions = request.dimensions === undefined ? {} : { outputDimensionality: request.dimensions };
  return request.input.map((text) => {
    if (typeof text !== 'string') {
      throw new GatewayError('invalid_value', {
        param: 'input',
        message: 'This model embeds text; lists of token ids belong to another tokenizer.',
      });
    }
    return { content: { role: 'user', parts: [{ text }] }, ...dimensions };
  });
}

/** The vectors of a batch. Throws `provider_bad_response` unless there is one list of numbers for each input. */
export function fromGeminiEmbeddings(body: unknown, inputs: number): EmbeddingsResponse {
  const embeddings = isJsonObject(body) ? body['embeddings'] : undefined;
  if (!isJsonObject(body) || !Array.isArray(embeddings) || embeddings.length !== inputs) {
    throw new GatewayError('provider_bad_response');
  }
  const vectors = embeddings.map((entry) => vectorOf(isJsonObject(entry) ? entry['values'] : undefined));
  const usage = toUsage(body['usageMetadata']);
  return { vectors, ...(usage === undefined ? {} : { usage }) };
}

function vectorOf(values: unknown): readonly number[] {
  if (Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === 'number')) return values;
  throw new GatewayError('provider_bad_response');
}
