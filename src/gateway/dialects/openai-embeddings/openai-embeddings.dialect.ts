import { z } from 'zod';
import type { CallEnvelope } from '../../../contract/call.js';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../../../contract/embeddings.js';
import type { JsonObject, JsonValue } from '../../../contract/json.js';
import type { EmbeddingsDialect, PresentOptions } from '../dialect.js';
import { checkNumbers, fieldNames, invalidValue, modelField, type NumberRules } from '../fields.js';

/** Most inputs of one call, as OpenAI bounds it. */
const MAX_INPUTS = 2_048;

const NUMBERS: NumberRules = { dimensions: { integer: true, min: 1, max: 65_536 } };

/** Fields with a meaning here; any other is the provider's to use or to report. */
const KNOWN = new Set(['model', 'input', 'dimensions', 'encoding_format', 'user']);

/** An embeddings request in OpenAI's shape (source: OpenAI API reference, "Create embeddings"). */
export const embeddingsRequest = z.looseObject({
  model: z.string().min(1).describe('A model of GET /v1/models.'),
  input: z.union([
    z.string(),
    z.array(z.string()).min(1).max(MAX_INPUTS),
    z.array(z.int()).min(1),
    z.array(z.array(z.int()).min(1)).min(1).max(MAX_INPUTS),
  ]),
  dimensions: z.int().min(1).nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  user: z.string().nullish(),
});

const isTokenId = (value: JsonValue): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function inputs({ input }: JsonObject): readonly string[] | readonly (readonly number[])[] {
  if (typeof input === 'string') return [input];
  if (!Array.isArray(input) || input.length === 0) {
    throw invalidValue('input', '"input" must be a text, a list of texts, or token ids; it must not be empty.');
  }
  if (input.every((entry) => typeof entry === 'string')) return bounded(input);
  if (input.every(isTokenId)) return [input];
  return bounded(
    input.map((entry, index) => {
      if (Array.isArray(entry) && entry.length > 0 && entry.every(isTokenId)) return entry;
      throw invalidValue(`input[${index}]`, 'Every entry of "input" must be a text, or every one a list of token ids.');
    }),
  );
}

function bounded<T>(entries: readonly T[]): readonly T[] {
  if (entries.length > MAX_INPUTS) throw invalidValue('input', `"input" may have at most ${MAX_INPUTS} entries.`);
  return entries;
}

function envelope(body: JsonObject, bodyBytes: number): CallEnvelope {
  const model = modelField(body);
  inputs(body);
  checkNumbers(body, NUMBERS);
  const { encoding_format: format } = body;
  if (format !== undefined && format !== null && format !== 'float' && format !== 'base64') {
    throw invalidValue('encoding_format', '"encoding_format" must be "float" or "base64".');
  }
  return {
    operation: 'embeddings',
    dialect: 'openai-embeddings',
    model,
    stream: false,
    bodyBytes,
    maxOutputTokens: 0,
    choices: 1,
  };
}

function extraFields(body: JsonObject): Record<string, JsonValue> | undefined {
  const fields = Object.entries(body).filter(
    (field): field is [string, JsonValue] => !KNOWN.has(field[0]) && field[1] !== undefined && field[1] !== null,
  );
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

function toCanonical(body: JsonObject): EmbeddingsRequest {
  const extra = extraFields(body);
  return {
    input: inputs(body),
    ...(typeof body['dimensions'] === 'number' ? { dimensions: body['dimensions'] } : {}),
    ...(typeof body['user'] === 'string' ? { endUser: body['user'] } : {}),
    ...(extra === undefined ? {} : { extra }),
  };
}

/** Little-endian 32-bit floats in base64, as `encoding_format: base64` is defined. */
function base64Vector(vector: readonly number[]): string {
  const floats = Float32Array.from(vector);
  return Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString('base64');
}

function present(response: EmbeddingsResponse, body: JsonObject, options: PresentOptions): string {
  const encode = body['encoding_format'] === 'base64' ? base64Vector : (vector: readonly number[]) => vector;
  const promptTokens = response.usage?.promptTokens ?? 0;
  return JSON.stringify({
    object: 'list',
    data: response.vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encode(vector) })),
    model: response.model ?? options.model,
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  });
}

/** OpenAI Embeddings. */
export const openAiEmbeddingsDialect: EmbeddingsDialect = {
  name: 'openai-embeddings',
  operation: 'embeddings',
  envelope,
  fieldName: fieldNames({ endUser: 'user' }),
  toNative: (body, upstreamModel) => ({ ...body, model: upstreamModel }),
  toCanonical,
  present,
};
