import type { ChatPart } from '../../../contract/chat-response.js';
import { GatewayError } from '../../../contract/errors.js';
import { openAiChatDialect } from './openai-chat.dialect.js';
import { DONE_EVENT, OpenAiChatStream } from './openai-chat.stream.js';

const USAGE = {
  promptTokens: 10,
  cachedPromptTokens: 4,
  cacheWriteTokens: 2,
  completionTokens: 5,
  reasoningTokens: 3,
  source: 'final',
} as const;
const OPTIONS = { requestId: 'req_1', model: 'asked-for', nowSeconds: 1_700 };

/** The text a stream of the parts is presented as. */
function presented(parts: readonly ChatPart[], includeUsage = false): string {
  const presenter = new OpenAiChatStream({ ...OPTIONS, includeUsage });
  return parts.map((part) => presenter.present(part)).join('');
}

/** Its chunks, without the terminal mark. */
function chunks(parts: readonly ChatPart[], includeUsage = false) {
  const events = presented(parts, includeUsage).split('\n\n').slice(0, -1);
  return events
    .map((event) => {
      expect(event).toMatch(/^data: [^\n]+$/);
      return event.slice('data: '.length);
    })
    .filter((data) => data !== '[DONE]')
    .map((data) => JSON.parse(data));
}

/** The deltas of a choice, after the one that opens it. */
function deltas(parts: readonly ChatPart[], choice = 0) {
  const [opening, ...others] = chunks(parts)
    .flatMap((chunk) => chunk.choices)
    .filter(({ index }) => index === choice)
    .map(({ delta }) => delta);
  expect(opening).toEqual({ role: 'assistant', content: '' });
  return others;
}

describe('a streamed chat answer', () => {
  it('is chunks of the published shape and ends with the terminal mark', () => {
    const parts: ChatPart[] = [
      { type: 'start', id: 'chatcmpl-9', model: 'gpt-9', createdSeconds: 42 },
      { type: 'text-delta', text: 'Good "day"\n' },
      { type: 'choice-finish', reason: 'stop' },
      { type: 'finish' },
    ];
    const head = { id: 'chatcmpl-9', object: 'chat.completion.chunk', created: 42, model: 'gpt-9' };
    const choice = { index: 0, logprobs: null, finish_reason: null };
    expect(chunks(parts)).toEqual([
      { ...head, choices: [{ ...choice, delta: { role: 'assistant', content: '' } }] },
      { ...head, choices: [{ ...choice, delta: { content: 'Good "day"\n' } }] },
      { ...head, choices: [{ ...choice, delta: {}, finish_reason: 'stop' }] },
    ]);
    expect(presented(parts).endsWith(`\n\n${DONE_EVENT}`)).toBe(true);
  });

  it('is labelled by the request where the provider gives no labels, all chunks alike', () => {
    for (const start of [[], [{ type: 'start' }]] satisfies ChatPart[][]) {
      const all = chunks([...start, { type: 'text-delta', text: 'a' }, { type: 'finish', usage: USAGE }], true);
      expect(all).toHaveLength(3);
      for (const chunk of all)
        expect(chunk).toMatchObject({ id: 'chatcmpl-req_1', created: 1_700, model: 'asked-for' });
    }
  });

  it('opens each choice once with the role, when it first speaks', () => {
    const opened = chunks([
      { type: 'text-delta', text: 'a' },
      { type: 'text-delta', text: 'b', choice: 1 },
      { type: 'text-delta', text: 'c', choice: 0 },
      { type: 'text-delta', text: 'd', choice: 1 },
    ]).flatMap(({ choices }) => choices);
    expect(opened.map(({ index, delta }) => [index, delta.role, delta.content])).toEqual([
      [0, 'assistant', ''],
      [0, undefined, 'a'],
      [1, 'assistant', ''],
      [1, undefined, 'b'],
      [0, undefined, 'c'],
      [1, undefined, 'd'],
    ]);
  });

  it('opens a choice that ends without a word, for the official client wants a role', () => {
    const parts: ChatPart[] = [{ type: 'choice-finish', reason: 'content-filter', choice: 1 }, { type: 'finish' }];
    expect(deltas(parts, 1)).toEqual([{}]);
    expect(chunks(parts).at(-1)?.choices).toEqual([
      { index: 1, delta: {}, logprobs: null, finish_reason: 'content_filter' },
    ]);
  });

  it.each([
    ['stop', 'stop'],
    ['length', 'length'],
    ['tool-calls', 'tool_calls'],
    ['content-filter', 'content_filter'],
  ] as const)('tells the end %s as %s', (reason, wire) => {
    expect(chunks([{ type: 'choice-finish', reason }]).at(-1)?.choices[0].finish_reason).toBe(wire);
  });

  it('carries log probabilities with the text they belong to', () => {
    const logprobs = { content: [{ token: 'a', logprob: -0.1, bytes: [97], top_logprobs: [] }], refusal: null };
    const [, first, second] = chunks([
      { type: 'text-delta', text: 'a', logprobs },
      { type: 'text-delta', text: 'b' },
    ]).flatMap(({ choices }) => choices);
    expect([first.logprobs, second.logprobs]).toEqual([logprobs, null]);
  });

  it('tells a refusal as one', () => {
    expect(deltas([{ type: 'refusal-delta', text: 'I "cannot".' }])).toEqual([{ refusal: 'I "cannot".' }]);
  });

  it('carries remarks on the text', () => {
    const annotation = { type: 'url_citation', url_citation: { url: 'https://example.com', title: 'A "b"' } };
    expect(deltas([{ type: 'annotation', annotation }])).toEqual([{ annotations: [annotation] }]);
  });

  it('numbers tool calls within their choice, with id and name in the first delta alone', () => {
    expect(
      deltas([
        { type: 'tool-call-start', index: 0, id: 'call_a', name: 'look' },
        { type: 'tool-call-delta', index: 0, arguments: '{"at":' },
        { type: 'tool-call-start', index: 1, id: 'call_b', name: 'leap' },
        { type: 'tool-call-delta', index: 1, arguments: '{}' },
        { type: 'tool-call-delta', index: 0, arguments: '"me"}' },
      ]),
    ).toEqual([
      { tool_calls: [{ index: 0, id: 'call_a', type: 'function', function: { name: 'look', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"at":' } }] },
      { tool_calls: [{ index: 1, id: 'call_b', type: 'function', function: { name: 'leap', arguments: '' } }] },
      { tool_calls: [{ index: 1, function: { arguments: '{}' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '"me"}' } }] },
    ]);
  });

  it('gives out the state of a tool call under the name of its issuer', () => {
    const state = { issuer: 'clouds', value: 'c2ln' };
    const [delta] = deltas([{ type: 'tool-call-start', index: 0, id: 'call_a', name: 'look', state }]);
    expect(delta.tool_calls[0].extra_content).toEqual({ clouds: { state: 'c2ln' } });
  });

  it('tells reasoning as text, and nothing where there is neither text nor state', () => {
    expect(
      deltas([
        { type: 'reasoning-delta', text: 'Hm. ' },
        { type: 'reasoning-delta', text: '' },
      ]),
    ).toEqual([{ reasoning_content: 'Hm. ' }]);
    expect(presented([{ type: 'reasoning-delta', text: '' }])).toBe('');
  });

  it('gives out the state of reasoning with all the text it belongs to, choice by choice', () => {
    const state = (value: string) => ({ issuer: 'clouds', value });
    const parts: ChatPart[] = [
      { type: 'reasoning-delta', text: 'First, ' },
      { type: 'reasoning-delta', text: 'elsewhere.', choice: 1 },
      { type: 'reasoning-delta', text: 'this.' },
      { type: 'reasoning-delta', text: '', state: state('one') },
      { type: 'reasoning-delta', text: 'Then that.', state: state('two') },
      { type: 'reasoning-delta', text: '', state: state('hidden') },
      { type: 'reasoning-delta', text: '', state: state('other'), choice: 1 },
    ];
    const detail = (text: string, value: string) => ({ type: 'reasoning', text, issuer: 'clouds', state: value });
    expect(deltas(parts).slice(2)).toEqual([
      { reasoning_details: [detail('First, this.', 'one')] },
      { reasoning_content: 'Then that.', reasoning_details: [detail('Then that.', 'two')] },
      { reasoning_details: [detail('', 'hidden')] },
    ]);
    expect(deltas(parts, 1).at(-1)).toEqual({ reasoning_details: [detail('elsewhere.', 'other')] });
  });

  it('says nothing at its start, and leaves errors to the relay', () => {
    expect(presented([{ type: 'start', id: 'x' }])).toBe('');
    expect(presented([{ type: 'error', error: new GatewayError('provider_error') }])).toBe('');
  });
});

describe('the usage of a streamed answer', () => {
  const parts: ChatPart[] = [
    { type: 'text-delta', text: 'a' },
    { type: 'choice-finish', reason: 'stop' },
    { type: 'finish', usage: USAGE },
  ];

  it('asked for, comes once, last, without a choice; before it, usage is null', () => {
    const all = chunks(parts, true);
    expect(all.map(({ usage }) => usage)).toEqual([null, null, null, expect.any(Object)]);
    expect(all.at(-1)).toMatchObject({
      object: 'chat.completion.chunk',
      choices: [],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 15,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    });
    expect(presented(parts, true).endsWith(`\n\n${DONE_EVENT}`)).toBe(true);
  });

  it('H21: comes behind a last chunk that says why it ended and nothing else, and before the mark', () => {
    const [, , last, usage] = chunks(parts, true);
    expect(last).toMatchObject({ choices: [{ delta: {}, finish_reason: 'stop' }] });
    expect(usage).toMatchObject({ choices: [] });
    expect(presented(parts, true).split('\n\n').at(-2)).toBe('data: [DONE]');
  });

  it('not asked for, is nowhere', () => {
    expect(presented(parts)).not.toContain('usage');
  });

  it('asked for and never told, leaves a stream that ends as it should', () => {
    const text = presented([{ type: 'choice-finish', reason: 'stop' }, { type: 'finish' }], true);
    expect(text.match(/"usage":(?!null)/)).toBeNull();
    expect(text.endsWith(DONE_EVENT)).toBe(true);
  });
});

describe('the dialect', () => {
  it('presents by such a stream, and ends a native one with the same mark', () => {
    expect(openAiChatDialect.presenter({ ...OPTIONS, includeUsage: false })).toBeInstanceOf(OpenAiChatStream);
    expect(openAiChatDialect.streamTerminal).toBe('data: [DONE]\n\n');
    expect(openAiChatDialect.streamContentType).toBe('text/event-stream; charset=utf-8');
  });

  it('tells an error in a stream as an event of its own', () => {
    const event = openAiChatDialect.streamError(new GatewayError('provider_stream_broken'));
    expect(event).toMatch(/^data: [^\n]+\n\n$/);
    expect(JSON.parse(event.slice(6))).toEqual({
      error: {
        message: 'The answer of the provider broke off.',
        type: 'api_error',
        param: null,
        code: 'provider_stream_broken',
      },
    });
  });
});
