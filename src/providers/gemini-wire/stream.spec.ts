import type { ChatPart } from '../../contract/chat-response.js';
import type { JsonObject } from '../../contract/json.js';
import type { GeminiService } from './service.js';
import { GeminiStreamReader } from './stream.js';

const service: GeminiService = { issuer: 'clouds', hasCallIds: true, hasTierField: true, secrets: ['secret-key'] };

function event(parts: JsonObject[], changes: JsonObject = {}): JsonObject {
  const { finishReason, index, ...rest } = changes;
  return { candidates: [{ content: { parts, role: 'model' }, finishReason, index }], ...rest };
}

function read(...events: (JsonObject | string)[]): ChatPart[] {
  let made = 0;
  const reader = new GeminiStreamReader(service, () => `id-${(made += 1)}`);
  const data = events.map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry)));
  return [...data.flatMap((entry) => reader.push(entry)), ...reader.end()];
}

const call = (name: string): JsonObject => ({ functionCall: { name, args: { of: name } } });
const usageMetadata = { promptTokenCount: 4, candidatesTokenCount: 2, thoughtsTokenCount: 1 };

describe('GeminiStreamReader', () => {
  it('H22: tells start, texts, the end of the choice and the last usage, once', () => {
    const parts = read(
      event([{ text: 'a' }], { responseId: 'r', modelVersion: 'm', usageMetadata: { promptTokenCount: 9 } }),
      event([{ text: 'b' }], { finishReason: 'STOP', usageMetadata }),
    );
    expect(parts).toEqual([
      { type: 'start', id: 'r', model: 'm' },
      { type: 'text-delta', text: 'a' },
      { type: 'text-delta', text: 'b' },
      { type: 'choice-finish', reason: 'stop' },
      { type: 'finish', usage: expect.objectContaining({ promptTokens: 4, completionTokens: 3, reasoningTokens: 1 }) },
    ]);
  });

  it('H05/H19: counts calls over events and ends them as a round of tool calls though STOP comes later', () => {
    const parts = read(event([call('x')]), event([call('y')]), event([{ text: '' }], { finishReason: 'STOP' }));
    expect(parts.slice(1)).toEqual([
      { type: 'tool-call-start', index: 0, id: 'id-1', name: 'x' },
      { type: 'tool-call-delta', index: 0, arguments: '{"of":"x"}' },
      { type: 'tool-call-start', index: 1, id: 'id-2', name: 'y' },
      { type: 'tool-call-delta', index: 1, arguments: '{"of":"y"}' },
      { type: 'choice-finish', reason: 'tool-calls' },
      { type: 'finish' },
    ]);
  });

  it('H01/H16/H17: keeps thoughts and signatures', () => {
    const state = { issuer: 'clouds', value: 'c2ln' };
    const parts = read(
      event([{ text: 'hm', thought: true }]),
      event([{ ...call('x'), thoughtSignature: 'c2ln' }]),
      event([{ text: '', thoughtSignature: 'c2ln' }], { finishReason: 'STOP' }),
    );
    expect(parts).toEqual(
      expect.arrayContaining([
        { type: 'reasoning-delta', text: 'hm' },
        { type: 'tool-call-start', index: 0, id: 'id-1', name: 'x', state },
        { type: 'reasoning-delta', text: '', state },
      ]),
    );
  });

  it('H13: keeps choices apart', () => {
    const parts = read(
      event([{ text: 'b' }], { index: 1, finishReason: 'MAX_TOKENS' }),
      event([{ text: 'a' }], { index: 0, finishReason: 'STOP' }),
    );
    expect(parts.slice(1)).toEqual([
      { type: 'text-delta', text: 'b', choice: 1 },
      { type: 'text-delta', text: 'a' },
      { type: 'choice-finish', reason: 'stop' },
      { type: 'choice-finish', reason: 'length', choice: 1 },
      { type: 'finish' },
    ]);
  });

  it('takes the reasons that old models repeat on every event for one', () => {
    const parts = read(
      event([{ text: 'a' }], { finishReason: 'STOP' }),
      event([{ text: 'b' }], { finishReason: 'STOP' }),
    );
    expect(parts.filter(({ type }) => type === 'choice-finish')).toHaveLength(1);
  });

  it('H08: ends a blocked prompt by the filter', () => {
    expect(read({ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata }).slice(1)).toEqual([
      { type: 'choice-finish', reason: 'content-filter' },
      { type: 'finish', usage: expect.objectContaining({ promptTokens: 4 }) },
    ]);
  });

  it.each<[string, JsonObject[]]>([
    ['no event at all', []],
    ['no finish reason', [event([{ text: 'a' }])]],
    ['a choice without finish reason', [event([], { finishReason: 'STOP' }), event([{ text: 'b' }], { index: 1 })]],
  ])('is broken with %s', (_name, events) => {
    expect(read(...events).at(-1)).toMatchObject({ type: 'error', error: { code: 'provider_stream_broken' } });
  });

  it.each([
    [{ error: { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED' } }],
    [[{ error: { code: 429 } }]],
  ])('H23: ends with the failure in %j and says nothing after it', (failure) => {
    const parts = read(
      event([{ text: 'a' }]),
      JSON.stringify(failure),
      event([{ text: 'b' }], { finishReason: 'STOP' }),
    );
    expect(parts.slice(1)).toEqual([
      { type: 'text-delta', text: 'a' },
      { type: 'error', error: expect.objectContaining({ code: 'provider_rate_limited' }) },
    ]);
  });

  it.each(['{"candidates":', 'null', '7'])('ends with an error at %s', (data) => {
    expect(read(event([{ text: 'a' }]), data).at(-1)).toMatchObject({
      type: 'error',
      error: { code: 'provider_bad_response' },
    });
  });

  it('passes over comments and events of nothing', () => {
    expect(read('', {}, event([{ text: 'a' }], { finishReason: 'STOP' })).map(({ type }) => type)).toEqual([
      'start',
      'text-delta',
      'choice-finish',
      'finish',
    ]);
  });

  it('H22: keeps the last good usage when a later one is nonsense', () => {
    const parts = read(
      event([{ text: 'a' }], { usageMetadata }),
      event([], { finishReason: 'STOP', usageMetadata: { promptTokenCount: -1 } }),
    );
    expect(parts.at(-1)).toMatchObject({ usage: { promptTokens: 4 } });
  });

  it('H14: hands log probabilities on with their text', () => {
    const logprobsResult = { chosenCandidates: [{ token: 'a', logProbability: -1 }] };
    const candidate = { content: { parts: [{ text: 'a' }] }, finishReason: 'STOP', logprobsResult };
    expect(read({ candidates: [candidate] })[1]).toMatchObject({
      type: 'text-delta',
      logprobs: { content: [{ token: 'a', logprob: -1 }] },
    });
  });

  it('H28: tells sources at the end of the choice, by their place in the whole text', () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://news.example/1', title: 'News' } }],
      groundingSupports: [{ segment: { text: 'It rains.' }, groundingChunkIndices: [0] }],
    };
    const candidate = { content: { parts: [{ text: 'rains.' }] }, finishReason: 'STOP', groundingMetadata };
    const cited = { url: 'https://news.example/1', title: 'News', start_index: 6, end_index: 15 };
    expect(read(event([{ text: 'Look. ' }]), event([{ text: 'It ' }]), { candidates: [candidate] }).slice(-3)).toEqual([
      { type: 'annotation', annotation: { type: 'url_citation', url_citation: cited } },
      { type: 'choice-finish', reason: 'stop' },
      { type: 'finish' },
    ]);
  });

  it('H20: makes whole arguments of fragments and keeps the signature of the first', () => {
    const state = { issuer: 'clouds', value: 'c2ln' };
    const more = (partialArgs: JsonObject[], willContinue?: boolean): JsonObject =>
      event([{ functionCall: { partialArgs, willContinue } }]);
    const parts = read(
      event([{ functionCall: { name: 'f', willContinue: true }, thoughtSignature: 'c2ln' }]),
      more([{ jsonPath: '$.items[0].name', stringValue: 'ap', willContinue: true }], true),
      more([{ jsonPath: '$.items[0].name', stringValue: 'ple' }], true),
      more([{ jsonPath: '$.items[0].price', numberValue: 0.5 }], true),
      more([
        { jsonPath: '$.done', boolValue: false },
        { jsonPath: '$.note', nullValue: 'NULL_VALUE' },
      ]),
      event([call('y')]),
      event([], { finishReason: 'STOP' }),
    );
    expect(parts.slice(1, -2)).toEqual([
      { type: 'tool-call-start', index: 0, id: 'id-1', name: 'f', state },
      {
        type: 'tool-call-delta',
        index: 0,
        arguments: '{"items":[{"name":"apple","price":0.5}],"done":false,"note":null}',
      },
      { type: 'tool-call-start', index: 1, id: 'id-2', name: 'y' },
      { type: 'tool-call-delta', index: 1, arguments: '{"of":"y"}' },
    ]);
    expect(parts.at(-2)).toMatchObject({ reason: 'tool-calls' });
  });

  it('H20: closes a call whose last fragment never came with the choice', () => {
    const open = event([{ functionCall: { name: 'f', args: { a: 1 }, willContinue: true } }]);
    expect(read(open, event([], { finishReason: 'STOP' }))[2]).toMatchObject({ arguments: '{"a":1}' });
  });

  it('H20: ends with an error at a fragment that fits nowhere', () => {
    const open = event([{ functionCall: { name: 'f', willContinue: true } }]);
    for (const jsonPath of ['$.list[9999999]', '$', 'a', '$..a', '$.a[0', 7]) {
      const bad = event([{ functionCall: { partialArgs: [{ jsonPath, stringValue: 'x' }] } }]);
      expect(read(open, bad).at(-1)).toMatchObject({ type: 'error', error: { code: 'provider_bad_response' } });
    }
  });
});
