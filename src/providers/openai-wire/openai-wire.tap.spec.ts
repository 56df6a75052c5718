import { NATIVE_EVENT } from '../../contract/provider.js';
import { OpenAITap } from './openai-wire.tap.js';

const { none, content, usageOnly, terminal, error, malformed } = NATIVE_EVENT;

function chunk(choices: unknown[], more: object = {}): string {
  return JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more });
}

function delta(value: object, more: object = {}): string {
  return chunk([{ index: 0, delta: value, finish_reason: null, ...more }]);
}

const USAGE = {
  prompt_tokens: 10,
  completion_tokens: 5,
  total_tokens: 15,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};

describe('OpenAITap', () => {
  let tap: OpenAITap;

  beforeEach(() => {
    tap = new OpenAITap(1);
  });

  it.each([
    ['nothing', '', none],
    ["O01: Azure's first event", JSON.stringify({ choices: [], id: '', model: '', prompt_filter_results: [{}] }), none],
    ["Azure's first event, usage asked for", JSON.stringify({ choices: [], id: '', usage: null }), none],
    ['a role alone', delta({ role: 'assistant', content: '', refusal: null }), none],
    ['text', delta({ content: 'Hi' }), content],
    ['a refusal', delta({ refusal: 'No' }), content],
    ['reasoning', delta({ reasoning_content: 'Hm' }), content],
    [
      "a tool call's start",
      delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '' } }] }),
      content,
    ],
    ['tool arguments', delta({ tool_calls: [{ index: 0, function: { arguments: '{' } }] }), content],
    ['O17: a legacy function call', delta({ function_call: { name: 'f', arguments: '{}' } }), content],
    ['the finish', delta({}, { finish_reason: 'stop' }), none],
    ['O07: usage alone', chunk([], { usage: USAGE }), usageOnly],
    ['reasoning by its short name', delta({ reasoning: 'Hm' }), content],
    ['the end', '[DONE]', terminal],
    ['an error', JSON.stringify({ error: { message: 'x' } }), error],
    ['half a line', '{"choices":[{"del', malformed],
    ['a bare value', '42', malformed],
    ['null', 'null', malformed],
  ])('knows %s', (_name, data, bits) => {
    expect(tap.event(data)).toBe(bits);
  });

  it.each([
    '{"choices":null}',
    '{"choices":[null]}',
    '{"choices":[{"delta":null}]}',
    '{"choices":{"a":1}}',
    '[]',
    '{}',
  ])('does not stumble over %s', (data) => {
    expect(() => tap.event(data)).not.toThrow();
  });

  it('counts the bytes of everything generated', () => {
    tap.event(delta({ content: 'é' }));
    tap.event(delta({ tool_calls: [{ index: 0, function: { name: 'ab', arguments: '{}' } }] }));
    tap.event(delta({ reasoning_content: 'xyz', refusal: '🎉' }));
    expect(tap.generatedBytes()).toBe(2 + 4 + 3 + 4);
  });

  it('tells the last usage as final when it came alone, whatever came after', () => {
    tap.event(chunk([], { usage: USAGE }));
    tap.event('garbage');
    expect(tap.usage()).toEqual({
      promptTokens: 10,
      completionTokens: 5,
      cachedPromptTokens: 4,
      cacheWriteTokens: 0,
      reasoningTokens: 2,
      source: 'final',
    });
  });

  it('tells usage that came with content as partial until the stream is complete', () => {
    tap.event(chunk([{ index: 0, delta: { content: 'a' }, finish_reason: null }], { usage: USAGE }));
    expect(tap.usage()?.source).toBe('partial');
    tap.event('[DONE]');
    expect(tap.usage()?.source).toBe('final');
  });

  it.each([
    { prompt_tokens: -1, completion_tokens: 5 },
    { prompt_tokens: '10', completion_tokens: 5 },
    { prompt_tokens: 10, completion_tokens: 1.5 },
    { prompt_tokens: 10, completion_tokens: null },
    { completion_tokens: 5 },
    'ten',
    [],
  ])('takes no usage from %j', (usage) => {
    tap.event(chunk([], { usage }));
    expect(tap.usage()).toBeUndefined();
  });

  it('keeps details within their totals', () => {
    const details = {
      prompt_tokens_details: { cached_tokens: 99 },
      completion_tokens_details: { reasoning_tokens: -3 },
    };
    tap.event(chunk([], { usage: { prompt_tokens: 10, completion_tokens: 5, ...details } }));
    expect(tap.usage()).toMatchObject({ cachedPromptTokens: 10, reasoningTokens: 0 });
  });

  it('is complete by the mark, or when every choice has finished', () => {
    expect(tap.isComplete()).toBe(false);
    tap.event(delta({}, { finish_reason: 'length' }));
    expect(tap.isComplete()).toBe(true);
    const two = new OpenAITap(2);
    two.event(chunk([{ index: 1, delta: {}, finish_reason: 'stop' }]));
    two.event(chunk([{ index: 1, delta: {}, finish_reason: 'stop' }]));
    expect(two.isComplete()).toBe(false);
    two.event('[DONE]');
    expect(two.isComplete()).toBe(true);
  });

  it('O08: is complete though all tokens went into reasoning nobody sees', () => {
    tap.event(delta({ content: '' }, { finish_reason: 'length' }));
    expect([tap.isComplete(), tap.generatedBytes()]).toEqual([true, 0]);
  });

  it('tells the usage that came with a failure', () => {
    expect(tap.event(JSON.stringify({ error: { code: 400, message: 'x' }, choices: [], usage: USAGE }))).toBe(error);
    expect(tap.usage()).toMatchObject({ promptTokens: 10, completionTokens: 5 });
  });

  it('reports the failure inside a stream', () => {
    expect(tap.failure()).toBeUndefined();
    tap.event(JSON.stringify({ error: { code: 'rate_limit_exceeded', message: 'slow down' } }));
    expect(tap.failure()).toMatchObject({ code: 'provider_rate_limited' });
  });
});
