import { GatewayError } from '../../contract/errors.js';
import type { JsonObject, JsonValue } from '../../contract/json.js';
import { fromGeminiResponse as fromResponse } from './response.js';
import type { GeminiService } from './service.js';
import { toUsage } from './usage.js';

const service: GeminiService = { issuer: 'clouds', hasCallIds: true, hasTierField: true, secrets: [] };

const fromGeminiResponse = (body: unknown, createId?: () => string): ReturnType<typeof fromResponse> =>
  fromResponse(body, service, createId);

function answer(parts: JsonValue[], changes: JsonObject = {}): JsonObject {
  return { candidates: [{ content: { parts, role: 'model' }, finishReason: 'STOP', ...changes }] };
}

const call = (changes: JsonObject = {}): JsonObject => ({ functionCall: { name: 'f', args: { a: 1 }, ...changes } });

describe('fromGeminiResponse', () => {
  it('H01: joins texts and keeps thoughts apart', () => {
    const body = answer([{ text: 'hm', thought: true }, { text: 'a' }, { text: '' }, { text: 'b' }]);
    expect(fromGeminiResponse(body).choices).toEqual([
      {
        content: [
          { type: 'reasoning', text: 'hm' },
          { type: 'text', text: 'ab' },
        ],
        finishReason: 'stop',
      },
    ]);
  });

  it('H15: tells id, model and time', () => {
    const told = { responseId: 'r1', modelVersion: 'gemini-2.5-flash', createTime: '2026-02-17T11:12:40.135001Z' };
    expect(fromGeminiResponse({ ...answer([{ text: 'a' }]), ...told })).toMatchObject({
      id: 'r1',
      model: 'gemini-2.5-flash',
      createdSeconds: Date.parse('2026-02-17T11:12:40Z') / 1_000,
    });
  });

  it('H02/H03/H04: names calls that have no id, and ends them as a round of tool calls', () => {
    let made = 0;
    const body = answer([call(), call({ id: '' }), call({ id: 'given', args: undefined })]);
    expect(fromGeminiResponse(body, () => `id-${(made += 1)}`).choices).toEqual([
      {
        content: [
          { type: 'tool-call', id: 'id-1', name: 'f', arguments: '{"a":1}' },
          { type: 'tool-call', id: 'id-2', name: 'f', arguments: '{"a":1}' },
          { type: 'tool-call', id: 'given', name: 'f', arguments: '{}' },
        ],
        finishReason: 'tool-calls',
      },
    ]);
  });

  it('H02: makes ids that differ', () => {
    const [choice] = fromGeminiResponse(answer([call(), call()])).choices;
    const ids = choice?.content.map((block) => (block.type === 'tool-call' ? block.id : ''));
    expect(new Set(ids).size).toBe(2);
    expect(ids?.every((id) => /^call_[0-9a-f]{24}$/.test(id))).toBe(true);
  });

  it('H16/H17: keeps signatures with what they sign, and takes none for a thought', () => {
    const state = { issuer: 'clouds', value: 'c2ln' };
    const body = answer([
      { ...call(), thoughtSignature: 'c2ln' },
      { text: 'a', thoughtSignature: 'c2ln' },
    ]);
    expect(fromGeminiResponse(body, () => 'id').choices[0]?.content).toEqual([
      { type: 'tool-call', id: 'id', name: 'f', arguments: '{"a":1}', state },
      { type: 'text', text: 'a' },
      { type: 'reasoning', text: '', state },
    ]);
  });

  it.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content-filter'],
    ['BLOCKLIST', 'content-filter'],
    ['PROHIBITED_CONTENT', 'content-filter'],
    ['SPII', 'content-filter'],
    ['IMAGE_SAFETY', 'content-filter'],
    ['RECITATION', 'content-filter'],
    ['LANGUAGE', 'content-filter'],
    ['MALFORMED_FUNCTION_CALL', 'stop'],
    ['UNEXPECTED_TOOL_CALL', 'stop'],
    ['OTHER', 'stop'],
    ['A_REASON_OF_TOMORROW', 'stop'],
  ])('H06/H07: ends %s as %s', (finishReason, expected) => {
    expect(fromGeminiResponse(answer([{ text: 'a' }], { finishReason })).choices[0]?.finishReason).toBe(expected);
  });

  it('ends a call that was cut short by its bound, not as a round of calls', () => {
    const body = answer([call()], { finishReason: 'MAX_TOKENS' });
    expect(fromGeminiResponse(body).choices[0]?.finishReason).toBe('length');
  });

  it.each<[string, JsonObject]>([
    ['no parts', { content: {} }],
    ['no content', { content: undefined }],
    ['parts that are none', { content: { parts: 'x' } }],
  ])('H09: takes a candidate with %s for an empty answer', (_name, changes) => {
    const body = answer([], { ...changes, finishReason: 'MAX_TOKENS' });
    expect(fromGeminiResponse(body).choices).toEqual([{ content: [], finishReason: 'length' }]);
  });

  it('H13: orders candidates by index', () => {
    const candidates = [1, 0].map((index) => ({
      index,
      content: { parts: [{ text: `${index}` }] },
      finishReason: 'STOP',
    }));
    const texts = fromGeminiResponse({ candidates }).choices.map(({ content }) => content[0]);
    expect(texts).toEqual([
      { type: 'text', text: '0' },
      { type: 'text', text: '1' },
    ]);
  });

  it('H08: answers a blocked prompt with an empty choice, and keeps its usage', () => {
    const body = {
      promptFeedback: { blockReason: 'SAFETY' },
      usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 },
    };
    expect(fromGeminiResponse(body)).toEqual({
      choices: [{ content: [], finishReason: 'content-filter' }],
      usage: expect.objectContaining({ promptTokens: 9, completionTokens: 0 }),
    });
  });

  it.each([[{}], [null], [[]], [{ candidates: [] }], ['text']])('H27: refuses %j, which is no answer', (body) => {
    expect(() => fromGeminiResponse(body)).toThrow(GatewayError);
  });

  it('H14: writes log probabilities in the form of OpenAI', () => {
    const logprobsResult = {
      chosenCandidates: [
        { token: 'Hé', logProbability: -0.5, tokenId: 1 },
        { token: '!', logProbability: 0 },
      ],
      topCandidates: [{ candidates: [{ token: 'Ho', logProbability: -1 }] }],
    };
    expect(fromGeminiResponse(answer([{ text: 'Hé!' }], { logprobsResult })).choices[0]?.logprobs).toEqual({
      content: [
        {
          token: 'Hé',
          logprob: -0.5,
          bytes: [72, 195, 169],
          top_logprobs: [{ token: 'Ho', logprob: -1, bytes: [72, 111] }],
        },
        { token: '!', logprob: 0, bytes: [33], top_logprobs: [] },
      ],
      refusal: null,
    });
  });

  it('H28: leaves the content alone where no source has an address', () => {
    const body = answer([{ text: 'a' }], { groundingMetadata: { webSearchQueries: ['q'] } });
    expect(fromGeminiResponse(body).choices[0]?.content).toEqual([{ type: 'text', text: 'a' }]);
  });

  it('H28: tells the sources of a passage with its last text', () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://news.example/1', title: 'News' } }],
      groundingSupports: [{ segment: { text: 'It rains.' }, groundingChunkIndices: [0] }],
    };
    const body = answer([{ text: 'Hé. ' }, { text: 'It rains.' }], { groundingMetadata });
    const cited = { url: 'https://news.example/1', title: 'News', start_index: 4, end_index: 13 };
    expect(fromGeminiResponse(body).choices[0]?.content).toEqual([
      { type: 'text', text: 'Hé. It rains.', annotations: [{ type: 'url_citation', url_citation: cited }] },
    ]);
  });
});

describe('toUsage', () => {
  it('H10/H12: counts thoughts as completion and tool use as prompt, with cached tokens inside the prompt', () => {
    const metadata = {
      promptTokenCount: 100,
      toolUsePromptTokenCount: 20,
      cachedContentTokenCount: 64,
      candidatesTokenCount: 5,
      thoughtsTokenCount: 7,
      totalTokenCount: 132,
    };
    expect(toUsage(metadata)).toEqual({
      promptTokens: 120,
      cachedPromptTokens: 64,
      cacheWriteTokens: 0,
      completionTokens: 12,
      reasoningTokens: 7,
      source: 'final',
    });
  });

  it('H11: takes absent counts for zero', () => {
    expect(toUsage({ promptTokenCount: 3, totalTokenCount: 3 })).toMatchObject({
      promptTokens: 3,
      completionTokens: 0,
    });
  });

  it('H12: never counts more cached tokens than there are', () => {
    expect(toUsage({ promptTokenCount: 3, cachedContentTokenCount: 9 })?.cachedPromptTokens).toBe(3);
  });

  it('counts audio apart, in both directions', () => {
    const metadata = {
      promptTokenCount: 40,
      toolUsePromptTokenCount: 5,
      candidatesTokenCount: 9,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 10 },
        { modality: 'AUDIO', tokenCount: 30 },
      ],
      toolUsePromptTokensDetails: [{ modality: 'AUDIO', tokenCount: 5 }],
      candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 9_000 }],
    };
    expect(toUsage(metadata)).toMatchObject({ audioPromptTokens: 35, audioCompletionTokens: 9 });
    expect(
      toUsage({ promptTokenCount: 4, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 4 }, 7] }),
    ).not.toHaveProperty('audioPromptTokens');
  });

  it.each<[unknown]>([
    [undefined],
    [null],
    ['7'],
    [{}],
    [{ trafficType: 'ON_DEMAND' }],
    [{ promptTokenCount: '7' }],
    [{ promptTokenCount: -1 }],
    [{ promptTokenCount: 1, candidatesTokenCount: -5 }],
    [{ promptTokenCount: 1, candidatesTokenCount: 0.5 }],
    [{ promptTokenCount: 1, thoughtsTokenCount: Infinity }],
    [{ promptTokenCount: Number.MAX_SAFE_INTEGER, toolUsePromptTokenCount: 1 }],
  ])('is none for %j', (metadata) => {
    expect(toUsage(metadata)).toBeUndefined();
  });
});
