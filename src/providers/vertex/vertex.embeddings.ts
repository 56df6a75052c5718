import type { EmbeddingsRequest, EmbeddingsResponse } from '../../contract/embeddings.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import { tokenCount } from '../../contract/usage.js';

/** Body of the predict call of an embedding model. */
export interface VertexEmbeddings {
  readonly instances: readonly { readonly content: string }[];
  readonly parameters?: { readonly outputDimensionality: number };
}

/**
 * Inputs as instances of one call. Throws `invalid_value` for lists of token ids, and for several inputs to models
 * that take one.
 */
export function toVertexEmbeddings(
  request: EmbeddingsRequest,
  model: string,
  warn: (warning: LossWarning) => void,
): VertexEmbeddings {
  const lost = [...(request.endUser === undefined ? [] : ['endUser']), ...Object.keys(request.extra ?? {})];
  for (const field of lost) warn({ field, kind: 'dropped', detail: 'the provider has no such field' });
  if (request.input.length > 1 && model.startsWith('gemini-embedding')) {
    throw new GatewayError('invalid_value', { param: 'input', message: 'This model embeds one input a request.' });
  }
  const instances = request.input.map((content) => {
    if (typeof content === 'string') return { content };
    throw new GatewayError('invalid_value', {
      param: 'input',
      message: 'This model embeds text; lists of token ids belong to another tokenizer.',
    });
  });
  const { dimensions } = request;
  return dimensions === undefined ? { instances } : { instances, parameters: { outputDimensionality: dimensions } };
}

/** The vectors of a prediction. Throws `provider_bad_response` unless there is one list of numbers for each input. */
export function fromVertexEmbeddings(answer: JsonObject, inputs: number): EmbeddingsResponse {
  const { predictions } = answer;
  if (!Array.isArray(predictions) || predictions.length !== inputs) throw new GatewayError('provider_bad_response');
  const entries = predictions.map((entry) => {
    const embeddings = isJsonObject(entry) ? entry['embeddings'] : undefined;
    return isJsonObject(embeddings) ? embeddings : {};
  });
  const vectors = entries.map(({ values }) => {
    if (Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === 'number')) return values;
    throw new GatewayError('provider_bad_response');
  });
  const counts = entries.map(({ statistics }) =>
    tokenCount(isJsonObject(statistics) ? statistics['token_count'] : undefined),
  );
  const promptTokens = counts.reduce<number | undefined>(
    (sum, count) => (sum === undefined || count === undefined ? undefined : sum + count),
    0,
  );
  if (promptTokens === undefined) return { vectors };
  const none = { cachedPromptTokens: 0, cacheWriteTokens: 0, completionTokens: 0, reasoningTokens: 0 };
  return { vectors, usage: { promptTokens, ...none, source: 'final' } };
}
