import { GatewayError } from '../../../contract/errors.js';
import type { JsonObject } from '../../../contract/json.js';
import { embeddingsRequest, openAiEmbeddingsDialect } from './openai-embeddings.dialect.js';

const OPTIONS = { requestId: 'req_1', model: 'asked-for', nowSeconds: 1_700 };
const { envelope, present, toCanonical, toNative } = openAiEmbeddingsDialect;

function refusalOf(fields: JsonObject): GatewayError {
  try {
    envelope({ model: 'm', input: 'a', ...fields }, 1);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('the body was accepted');
}

const texts = (count: number): string[] => Array.from({ length: count }, () => 'a');

describe('the envelope of an embeddings call', () => {
  it('is never streamed and generates nothing', () => {
    expect(envelope({ model: 'm', input: 'a', stream: true }, 12)).toEqual({
      operation: 'embeddings',
      dialect: 'openai-embeddings',
      model: 'm',
      stream: false,
      bodyBytes: 12,
      maxOutputTokens: 0,
      choices: 1,
    });
  });

  it.each<[string, JsonObject, string]>([
    ['no input', { input: undefined }, 'input'],
    ['an empty input', { input: [] }, 'input'],
    ['a number', { input: 5 }, 'input'],
    ['texts and tokens together', { input: ['a', [1]] }, 'input[0]'],
    ['a list of tokens that is empty', { input: [[1], []] }, 'input[1]'],
    ['a token that is none', { input: [[1], [1.5]] }, 'input[1]'],
    ['a negative token', { input: [-1] }, 'input[0]'],
    ['too many texts', { input: texts(2_049) }, 'input'],
    ['too many lists of tokens', { input: texts(2_049).map(() => [1]) }, 'input'],
    ['dimensions that are none', { dimensions: 0 }, 'dimensions'],
    ['an unknown encoding', { encoding_format: 'hex' }, 'encoding_format'],
    ['no model', { model: null }, 'model'],
  ])('refuses %s by the name of the field', (_name, fields, param) => {
    expect(refusalOf(fields)).toMatchObject({ code: 'invalid_value', status: 400, param });
  });

  it('accepts as many inputs as OpenAI, and more tokens than that in one', () => {
    expect(() => envelope({ model: 'm', input: texts(2_048) }, 1)).not.toThrow();
    expect(() => envelope({ model: 'm', input: texts(2_049).map(() => 7) }, 1)).not.toThrow();
  });
});

describe('an embeddings request', () => {
  it.each([
    ['a text', 'a', ['a']],
    ['texts', ['a', 'b'], ['a', 'b']],
    ['one list of tokens', [1, 2], [[1, 2]]],
    ['lists of tokens', [[1], [2, 3]], [[1], [2, 3]]],
  ])('takes %s', (_name, input, expected) => {
    expect(toCanonical({ model: 'm', input })).toEqual({ input: expected });
    expect(embeddingsRequest.safeParse({ model: 'm', input }).success).toBe(true);
  });

  it('carries every parameter over, and what it has no word for', () => {
    expect(
      toCanonical({
        model: 'm',
        input: 'a',
        dimensions: 8,
        user: 'u-1',
        encoding_format: 'base64',
        task: 'query',
        other: null,
      }),
    ).toEqual({ input: ['a'], dimensions: 8, endUser: 'u-1', extra: { task: 'query' } });
    expect(openAiEmbeddingsDialect.fieldName('endUser')).toBe('user');
  });

  it('is sent on with the deployment’s model alone changed', () => {
    const body = { model: 'm', input: 'a', other: [1] };
    expect(toNative(body, 'deployment', () => undefined)).toEqual({ ...body, model: 'deployment' });
  });
});

describe('an embeddings answer', () => {
  const vectors = [
    [0.25, -1, 3],
    [1e-3, 0, 2],
  ];

  it('has the published shape, as numbers', () => {
    const usage = {
      promptTokens: 4,
      cachedPromptTokens: 0,
      cacheWriteTokens: 0,
      completionTokens: 0,
      reasoningTokens: 0,
      source: 'final',
    } as const;
    for (const body of [{}, { encoding_format: 'float' }, { encoding_format: null }]) {
      expect(JSON.parse(present({ vectors, model: 'e-9', usage }, body, OPTIONS))).toEqual({
        object: 'list',
        data: [
          { object: 'embedding', index: 0, embedding: vectors[0] },
          { object: 'embedding', index: 1, embedding: vectors[1] },
        ],
        model: 'e-9',
        usage: { prompt_tokens: 4, total_tokens: 4 },
      });
    }
  });

  it('as base64 is little-endian 32-bit floats', () => {
    const { data, model, usage } = JSON.parse(present({ vectors }, { encoding_format: 'base64' }, OPTIONS));
    const read = data.map(({ embedding }: { embedding: string }) => {
      const bytes = Buffer.from(embedding, 'base64');
      return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
    });
    expect(read).toEqual([vectors[0], [Math.fround(1e-3), 0, 2]]);
    expect({ model, usage }).toEqual({ model: 'asked-for', usage: { prompt_tokens: 0, total_tokens: 0 } });
  });
});
