import type { EmbeddingsRequest, EmbeddingsResponse } from '../../contract/embeddings.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import { tokenCount } from '../../contract/usage.js';
import type { WholeResponse } from '../../transport/upstream.js';
import { badResponse } from './bedrock.error.js';
import { foundationModel } from './bedrock.model.js';

/** One InvokeModel call of an embeddings request. */
export interface InvokePart {
  readonly body: string;
  /** How many vectors its answer must hold. */
  readonly count: number;
}

type Vector = readonly number[];
type Warn = (warning: LossWarning) => void;

/** What the caller wants of the vectors. */
interface VectorWish {
  readonly dimensions: number | undefined;
  /** The caller's fields the family knows (`parameters`). */
  readonly extra: JsonObject;
}

/** How a family of embedding models is asked and understood. */
interface EmbeddingFamily {
  /** Texts one call takes. */
  readonly textsPerCall: number;
  readonly body: (texts: readonly string[], wish: VectorWish) => JsonObject;
  readonly vectors: (answer: JsonObject) => unknown;
  /** Whether the length of the vectors can be chosen. */
  readonly hasDimensions: boolean;
  /** Fields of its own that callers may send by their names. */
  readonly parameters: readonly string[];
}

const TITAN_V1: EmbeddingFamily = {
  textsPerCall: 1,
  hasDimensions: false,
  parameters: [],
  body: ([inputText]) => ({ inputText }),
  vectors: ({ embedding }) => [embedding],
};

/** `float` is not named to version 3, which answers with floats anyway. */
const COHERE_V3: EmbeddingFamily = {
  textsPerCall: 96,
  hasDimensions: false,
  parameters: ['input_type', 'truncate'],
  body: (texts, { extra }) => ({ texts: [...texts], input_type: 'search_document', ...extra }),
  vectors: readCohere,
};

const FAMILIES: readonly (readonly [pattern: RegExp, family: EmbeddingFamily])[] = [
  [
    /^amazon\.titan-embed-text-v2/,
    {
      ...TITAN_V1,
      hasDimensions: true,
      parameters: ['normalize'],
      body: ([inputText], { dimensions, extra }) => ({ inputText, dimensions, ...extra }),
    },
  ],
  [/^amazon\.titan-embed-(text-v1|g1-text)/, TITAN_V1],
  [
    /^amazon\.nova-2-multimodal-embeddings/,
    {
      textsPerCall: 1,
      hasDimensions: true,
      parameters: ['embeddingPurpose', 'truncationMode'],
      body: ([value], { dimensions, extra: { embeddingPurpose = 'GENERIC_INDEX', truncationMode = 'NONE' } }) => ({
        taskType: 'SINGLE_EMBEDDING',
        singleEmbeddingParams: {
          embeddingPurpose,
          text: { value, truncationMode },
          embeddingDimension: dimensions,
        },
      }),
      vectors: ({ embeddings }) =>
        Array.isArray(embeddings) ? embeddings.map((one) => (isJsonObject(one) ? one['embedding'] : one)) : undefined,
    },
  ],
  [
    /^cohere\.embed-v4/,
    {
      ...COHERE_V3,
      hasDimensions: true,
      body: (texts, { extra, dimensions }) => ({
        texts: [...texts],
        input_type: 'search_document',
        embedding_types: ['float'],
        output_dimension: dimensions,
        ...extra,
      }),
    },
  ],
  [/^cohere\.embed-/, COHERE_V3],
];

/**
 * The InvokeModel calls an embeddings request takes: Titan and Nova embed one text a call, Cohere up to 96. Throws
 * GatewayError `not_supported`, `invalid_value` or `unsupported_parameter`.
 */
export function buildInvokeParts(request: EmbeddingsRequest, model: string, warn: Warn): InvokePart[] {
  const family = familyOf(model);
  reportLosses(request, family, warn);
  const known = Object.entries(request.extra ?? {}).filter(([field]) => family.parameters.includes(field));
  const wish = { dimensions: request.dimensions, extra: Object.fromEntries(known) };
  if (request.dimensions !== undefined && !family.hasDimensions) {
    throw new GatewayError('unsupported_parameter', {
      param: 'dimensions',
      message: 'The length of the vectors of this model cannot be chosen.',
    });
  }
  const texts = request.input.map((text) => {
    if (typeof text === 'string') return text;
    throw new GatewayError('invalid_value', { param: 'input', message: 'This model embeds texts; send no token ids.' });
  });
  const parts: InvokePart[] = [];
  for (let at = 0; at < texts.length; at += family.textsPerCall) {
    const batch = texts.slice(at, at + family.textsPerCall);
    parts.push({ body: JSON.stringify(family.body(batch, wish)), count: batch.length });
  }
  return parts;
}

function reportLosses(request: EmbeddingsRequest, family: EmbeddingFamily, warn: Warn): void {
  const asked = [...(request.endUser === undefined ? [] : ['endUser']), ...Object.keys(request.extra ?? {})];
  for (const field of asked) {
    if (family.parameters.includes(field)) continue;
    warn({ field, kind: 'dropped', detail: 'the model has no such parameter' });
  }
}

/** Reads the answer to one part. Throws GatewayError `provider_bad_response`. */
export function readInvokeAnswer(response: WholeResponse, part: InvokePart, model: string): EmbeddingsResponse {
  const answer = parse(response.body);
  const vectors = familyOf(model).vectors(answer);
  if (!Array.isArray(vectors) || vectors.length !== part.count || !vectors.every(isVector)) {
    throw badResponse(`the answer does not hold ${part.count} vectors`);
  }
  const header = response.headers['x-amzn-bedrock-input-token-count'];
  const promptTokens = tokenCount(answer['inputTextTokenCount']) ?? tokenCount(Number(header ?? NaN));
  return { vectors, ...(promptTokens === undefined ? {} : { usage: usageOf(promptTokens) }) };
}

/** One answer out of those to the parts, in order; usage is told only when every part told it. */
export function joinAnswers(answers: readonly EmbeddingsResponse[]): EmbeddingsResponse {
  const counts = answers.map((answer) => answer.usage?.promptTokens ?? NaN);
  const promptTokens = tokenCount(counts.reduce((sum, count) => sum + count, 0));
  const vectors = answers.flatMap((answer) => answer.vectors);
  return { vectors, ...(promptTokens === undefined ? {} : { usage: usageOf(promptTokens) }) };
}

function usageOf(promptTokens: number): NonNullable<EmbeddingsResponse['usage']> {
  const none = { cachedPromptTokens: 0, cacheWriteTokens: 0, completionTokens: 0, reasoningTokens: 0 };
  return { promptTokens, ...none, source: 'final' };
}

function familyOf(model: string): EmbeddingFamily {
  const id = foundationModel(model);
  const match = FAMILIES.find(([pattern]) => pattern.test(id));
  if (match === undefined) throw new GatewayError('not_supported', { message: 'This model makes no embeddings.' });
  return match[1];
}

/** A list of vectors, or one list per type where types were asked for. */
function readCohere({ embeddings }: JsonObject): unknown {
  return isJsonObject(embeddings) ? embeddings['float'] : embeddings;
}

function isVector(value: unknown): value is Vector {
  return Array.isArray(value) && value.length > 0 && value.every((number) => typeof number === 'number');
}

function parse(body: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (isJsonObject(value)) return value;
  } catch {
    // Told below, as an answer that is no object.
  }
  throw badResponse('the answer is no JSON object');
}
