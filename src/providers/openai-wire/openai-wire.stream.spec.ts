import type { ChatPart } from '../../contract/chat-response.js';
import { OpenAIStreamReader } from './openai-wire.stream.js';

function chunk(choices: unknown[], more: object = {}): string {
  return JSON.stringify({ id: 'chatcmpl-1', created: 5, model: 'm', choices, ...more });
}

function delta(value: object, more: object = {}): string {
  return chunk([{ index: 0, delta: value, finish_reason: null, ...more }]);
}

function read(...events: string[]): ChatPart[] {
  const reader = new OpenAIStreamReader();
  return [...events.flatMap((data) => reader.push(data)), ...reader.end()];
}

const FIRST = JSON.stringify({ choices: [], created: 0, id: '', model: '', prompt_filter_results: [{}] });
const START = { type: 'start', id: 'chatcmpl-1', model: 'm', createdSeconds: 5 };
const FINISH = delta({}, { finish_reason: 'stop' });
const USAGE = chunk([], { usage: { prompt_tokens: 1, completion_tokens: 2 } });

describe('OpenAIStreamReader', () => {
  it("O01, O07: reads a whole stream, Azure's first event not being its start, usage after the last choice", () => {
    expect(
      read(FIRST, delta({ role: 'assistant', content: '' }), delta({ content: 'Hi' }), FINISH, USAGE, '[DONE]'),
    ).toEqual([
      START,
      { type: 'text-delta', text: 'Hi' },
      { type: 'choice-finish', reason: 'stop' },
      { type: 'finish', usage: expect.objectContaining({ promptTokens: 1, completionTokens: 2, source: 'final' }) },
    ]);
  });

  it('O18: puts interleaved tool calls together by their index', () => {
    const call = (index: number, more: object): object => ({ tool_calls: [{ index, ...more }] });
    const parts = read(
      delta(call(3, { id: 'a', function: { name: 'f', arguments: '' } })),
      delta(call(5, { id: 'b', function: { name: 'g', arguments: '{"y"' } })),
      delta(call(3, { function: { arguments: '{}' } })),
      delta(call(5, { function: { arguments: ':2}' } })),
      delta({}, { finish_reason: 'tool_calls' }),
      '[DONE]',
    );
    expect(parts.slice(1, -2)).toEqual([
      { type: 'tool-call-start', index: 0, id: 'a', name: 'f' },
      { type: 'tool-call-start', index: 1, id: 'b', name: 'g' },
      { type: 'tool-call-delta', index: 1, arguments: '{"y"' },
      { type: 'tool-call-delta', index: 0, arguments: '{}' },
      { type: 'tool-call-delta', index: 1, arguments: ':2}' },
    ]);
  });

  it('O19: gives a call without id one of its own', () => {
    expect(read(delta({ tool_calls: [{ index: 0, function: { name: 'f' } }] }))[1]).toMatchObject({
      id: 'call_chatcmpl1_0_0',
    });
  });

  it('keeps choices apart, and finishes each once', () => {
    const parts = read(
      chunk([
        { index: 1, delta: { content: 'b' } },
        { index: 0, delta: { content: 'a' } },
      ]),
      chunk([{ index: 1, delta: {}, finish_reason: 'length' }]),
      chunk([{ index: 1, delta: {}, finish_reason: 'length' }]),
      chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
    );
    expect(parts.slice(1)).toEqual([
      { type: 'text-delta', text: 'b', choice: 1 },
      { type: 'text-delta', text: 'a' },
      { type: 'choice-finish', reason: 'length', choice: 1 },
      { type: 'choice-finish', reason: 'stop' },
      { type: 'finish' },
    ]);
  });

  it('gives reasoning, refusals and log probabilities', () => {
    const logprobs = { content: [] };
    expect(
      read(delta({ reasoning_content: 'Hm' }), delta({ content: 'a' }, { logprobs }), delta({ refusal: 'No' }), FINISH),
    ).toEqual([
      START,
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'text-delta', text: 'a', logprobs },
      { type: 'refusal-delta', text: 'No' },
      { type: 'choice-finish', reason: 'stop' },
      { type: 'finish' },
    ]);
  });

  it('O08: is whole when all tokens went into reasoning nobody sees', () => {
    const usage = { prompt_tokens: 9, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 5 } };
    expect(read(delta({ role: 'assistant', content: '' }, { finish_reason: 'length' }), chunk([], { usage }))).toEqual([
      START,
      { type: 'choice-finish', reason: 'length' },
      { type: 'finish', usage: expect.objectContaining({ completionTokens: 5, reasoningTokens: 5 }) },
    ]);
  });

  it('reads reasoning by either name, content in parts and annotations', () => {
    const annotation = { type: 'url_citation', url_citation: { url: 'https://a.example', title: 'A' } };
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'More' }] },
      { type: 'text', text: 'Hi' },
    ];
    expect(
      read(
        delta({ reasoning: 'Hm', content: '' }),
        delta({ reasoning_content: 'Same', reasoning: 'Same' }),
        delta({ content }),
        delta({ annotations: [annotation] }),
        FINISH,
      ).slice(1, -2),
    ).toEqual([
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'reasoning-delta', text: 'Same' },
      { type: 'reasoning-delta', text: 'More' },
      { type: 'text-delta', text: 'Hi' },
      { type: 'annotation', annotation },
    ]);
  });

  it('takes usage from the last content', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2 };
    const last = { index: 0, delta: {}, finish_reason: 'stop' };
    expect(read(delta({ content: 'a' }), chunk([last], { usage })).at(-1)).toMatchObject({
      type: 'finish',
      usage: { promptTokens: 1, completionTokens: 2, source: 'final' },
    });
  });

  it('is whole without the mark when every choice has ended, with usage told since', () => {
    expect(read(delta({ content: 'a' }), FINISH, USAGE).at(-1)).toMatchObject({
      type: 'finish',
      usage: { completionTokens: 2 },
    });
  });

  it.each([
    ['nothing', []],
    ['the first event alone', [FIRST]],
    ['text without an end', [delta({ content: 'a' })]],
    ['one choice of two ended', [chunk([{ index: 1, delta: { content: 'b' } }]), FINISH]],
  ])('O15: is broken when it ends after %s', (_name, events) => {
    expect(read(...events).at(-1)).toMatchObject({ type: 'error', error: { code: 'provider_stream_broken' } });
  });

  it.each([
    ['malformed JSON', '{"choices":[', 'provider_bad_response'],
    ['a bare value', '7', 'provider_bad_response'],
    ['an error', '{"error":{"code":"429","message":"m"}}', 'provider_rate_limited'],
    ['an error without envelope', '{"object":"error","code":400,"message":"m"}', 'provider_rejected'],
  ])('ends with one error at %s, and says nothing more', (_name, data, code) => {
    const parts = read(delta({ content: 'a' }), data, delta({ content: 'b' }), FINISH, '[DONE]');
    expect(parts.slice(2)).toEqual([{ type: 'error', error: expect.objectContaining({ code }) }]);
  });
});
