import fc from 'fast-check';
import { readUsage, usageOfBody } from './openai-wire.usage.js';

const body = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const USAGE = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };

describe('readUsage', () => {
  const read = (usage: object): unknown => readUsage(usage, 'final');

  it('counts reasoning that only the total shows', () => {
    const xai = { prompt_tokens: 307, completion_tokens: 26, total_tokens: 560 };
    expect(read({ ...xai, completion_tokens_details: { reasoning_tokens: 227 } })).toMatchObject({
      completionTokens: 253,
      reasoningTokens: 227,
    });
    expect(read(xai)).toMatchObject({ completionTokens: 253, reasoningTokens: 227 });
    expect(read({ ...xai, total_tokens: 1 })).toMatchObject({ completionTokens: 26, reasoningTokens: 0 });
    expect(read({ ...xai, total_tokens: 'many' })).toMatchObject({ completionTokens: 26 });
  });

  it('reads cache hits by every name, cache writes within the rest of the prompt, and audio', () => {
    const totals = { prompt_tokens: 100, completion_tokens: 50 };
    expect(read({ ...totals, prompt_cache_hit_tokens: 64 })).toMatchObject({ cachedPromptTokens: 64 });
    const prompt = { cached_tokens: 60, cache_write_tokens: 70, audio_tokens: 7 };
    expect(read({ ...totals, prompt_tokens_details: prompt, completion_tokens_details: { audio_tokens: 8 } })).toEqual({
      promptTokens: 100,
      cachedPromptTokens: 60,
      cacheWriteTokens: 40,
      completionTokens: 50,
      reasoningTokens: 0,
      audioPromptTokens: 7,
      audioCompletionTokens: 8,
      source: 'final',
    });
  });
});

describe('usageOfBody', () => {
  it.each([
    ['at the end', { id: 'a', usage: USAGE }],
    ['in the middle', { usage: USAGE, service_tier: 'default' }],
    [
      'behind a text that names it',
      { choices: [{ message: { content: 'the "usage": {"prompt_tokens":99} key' } }], usage: USAGE },
    ],
    [
      'before another object that has one',
      { usage: USAGE, nested: { usage: { prompt_tokens: 9, completion_tokens: 9 } } },
    ],
    ['before a value of that name', { usage: USAGE, kind: 'usage' }],
  ])('reads it %s', (_name, answer) => {
    expect(usageOfBody(body(answer))).toMatchObject({ promptTokens: 3, completionTokens: 4, source: 'final' });
  });

  it('takes an embeddings usage, which has no completion', () => {
    expect(usageOfBody(body({ data: [], usage: { prompt_tokens: 8, total_tokens: 8 } }))).toMatchObject({
      promptTokens: 8,
      completionTokens: 0,
    });
  });

  it.each([[{}], [{ usage: null }], [{ nested: { usage: USAGE } }], [{ choices: ['usage'] }]])(
    'finds none in %j',
    (answer) => {
      expect(usageOfBody(body(answer))).toBeUndefined();
    },
  );

  it('throws when the body is no JSON', () => {
    expect(() => usageOfBody(Buffer.from('<html></html>'))).toThrow(SyntaxError);
    expect(() => usageOfBody(Buffer.from('{"usage":{"prompt_tokens":1'))).toThrow(SyntaxError);
  });

  it('agrees with parsing the whole, whatever surrounds it', () => {
    const usage = fc.record({ prompt_tokens: fc.nat(99), completion_tokens: fc.nat(99) });
    const key = fc.constantFrom('a', 'usage', '"usage"', 'choices');
    const answer = fc.dictionary(key, fc.oneof(usage, fc.jsonValue(), fc.constant('"usage":{}')));
    fc.assert(
      fc.property(answer, (value) => {
        const expected = readUsage((JSON.parse(JSON.stringify(value)) as { usage?: unknown }).usage, 'final');
        expect(usageOfBody(body(value))).toEqual(expected);
      }),
    );
  });
});
