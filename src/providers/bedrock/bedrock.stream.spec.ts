import type { ChatPart } from '../../contract/chat-response.js';
import { readConverseResponse } from './bedrock.response.js';
import { ConverseStreamReader } from './bedrock.stream.js';
import type { AnswerKey } from './bedrock.wire.js';

const KEY: AnswerKey = { renamedTools: new Map([['READFILE', '$READFILE']]), issuer: 'anthropic-signature' };
const USAGE = {
  inputTokens: 3,
  outputTokens: 227,
  totalTokens: 1942,
  cacheReadInputTokens: 1712,
  cacheWriteInputTokens: 0,
};

type Event = readonly [type: string, payload: unknown];

function message([type, payload]: Event) {
  return { headers: { ':message-type': 'event', ':event-type': type }, payload: Buffer.from(JSON.stringify(payload)) };
}

function read(events: readonly Event[], key: AnswerKey = KEY, isCut = false): ChatPart[] {
  const reader = new ConverseStreamReader(key);
  return [...events.flatMap((event) => reader.push(message(event))), ...reader.end(isCut)];
}

const delta = (contentBlockIndex: number, value: unknown): Event => [
  'contentBlockDelta',
  { contentBlockIndex, delta: value, p: 'abc' },
];
const stop = (contentBlockIndex: number): Event => ['contentBlockStop', { contentBlockIndex }];
const toolStart = (contentBlockIndex: number, toolUseId: string, name: string): Event => [
  'contentBlockStart',
  { contentBlockIndex, start: { toolUse: { toolUseId, name } } },
];
const end = (stopReason: string): Event[] => [
  ['messageStop', { stopReason }],
  ['metadata', { usage: USAGE, metrics: { latencyMs: 1 } }],
];

describe('ConverseStreamReader', () => {
  it('C21/C22/C24/C25/C29/C30: counts tools, not blocks, and completes arguments that never came', () => {
    const parts = read([
      ['messageStart', { role: 'assistant' }],
      delta(0, { text: 'Let me see.' }),
      delta(0, { text: '' }),
      stop(0),
      toolStart(1, 'a', 'look'),
      delta(1, { toolUse: { input: '{"x"' } }),
      delta(1, { toolUse: { input: ':1}' } }),
      stop(1),
      toolStart(2, 'b', 'READFILE'),
      stop(2),
      ...end('tool_use'),
    ]);
    expect(parts).toEqual([
      { type: 'start' },
      { type: 'text-delta', text: 'Let me see.' },
      { type: 'tool-call-start', index: 0, id: 'a', name: 'look' },
      { type: 'tool-call-delta', index: 0, arguments: '{"x"' },
      { type: 'tool-call-delta', index: 0, arguments: ':1}' },
      { type: 'tool-call-start', index: 1, id: 'b', name: '$READFILE' },
      { type: 'tool-call-delta', index: 1, arguments: '{}' },
      { type: 'choice-finish', reason: 'tool-calls' },
      {
        type: 'finish',
        usage: {
          promptTokens: 1715,
          cachedPromptTokens: 1712,
          cacheWriteTokens: 0,
          completionTokens: 227,
          reasoningTokens: 0,
          source: 'final',
        },
      },
    ]);
  });

  it('C26: gives the signature of reasoning once it is whole, and redacted reasoning without text', () => {
    const parts = read([
      delta(0, { reasoningContent: { text: 'Hm' } }),
      delta(0, { reasoningContent: { signature: 'ab' } }),
      delta(0, { reasoningContent: { signature: 'cd' } }),
      stop(0),
      delta(1, { reasoningContent: { redactedContent: 'cmVk' } }),
      stop(1),
      ...end('end_turn'),
    ]);
    expect(parts.slice(0, 3)).toEqual([
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'reasoning-delta', text: '', state: { issuer: 'anthropic-signature', value: 's:abcd' } },
      { type: 'reasoning-delta', text: '', state: { issuer: 'anthropic-signature', value: 'r:red' } },
    ]);
  });

  it('C35: gives the stand-in tool as text; a real call after it is the first', () => {
    const parts = read(
      [
        toolStart(0, 'a', 'json_answer'),
        delta(0, { toolUse: { input: '{"x":1}' } }),
        stop(0),
        toolStart(1, 'b', 'look'),
        stop(1),
        ...end('tool_use'),
      ],
      { ...KEY, jsonTool: 'json_answer' },
    );
    expect(parts.slice(0, 4)).toEqual([
      { type: 'text-delta', text: '{"x":1}' },
      { type: 'tool-call-start', index: 0, id: 'b', name: 'look' },
      { type: 'tool-call-delta', index: 0, arguments: '{}' },
      { type: 'choice-finish', reason: 'tool-calls' },
    ]);
  });

  it('C05: makes an id where the model gave none', () => {
    const [part] = read([toolStart(0, '', 'look'), ...end('tool_use')]);
    expect(part).toMatchObject({ type: 'tool-call-start', id: expect.stringMatching(/^tooluse_[0-9a-f]{32}$/) });
  });

  it.each([
    ['before messageStop', [delta(0, { text: 'Hi' })], false],
    ['inside a frame', [['messageStop', { stopReason: 'end_turn' }] as const], true],
  ] as const)('C32/C33: tells a stream that ends %s as broken', (_where, events, isCut) => {
    expect(read(events, KEY, isCut).at(-1)).toMatchObject({ type: 'error', error: { code: 'provider_stream_broken' } });
  });

  it('ends once: nothing follows a finish or an error', () => {
    expect(read([...end('end_turn'), delta(0, { text: 'late' }), ...end('end_turn')]).map((part) => part.type)).toEqual(
      ['choice-finish', 'finish'],
    );
    const reader = new ConverseStreamReader(KEY);
    const exception = {
      headers: { ':message-type': 'exception', ':exception-type': 'throttlingException' },
      payload: Buffer.from('{}'),
    };
    expect(reader.push(exception)).toHaveLength(1);
    expect([...reader.push(exception), ...reader.end(false)]).toEqual([]);
  });

  it('tells an event that is no JSON as a bad response', () => {
    const reader = new ConverseStreamReader(KEY);
    const parts = reader.push({ headers: { ':event-type': 'messageStart' }, payload: Buffer.from('{') });
    expect(parts).toMatchObject([{ type: 'error', error: { code: 'provider_bad_response' } }]);
  });

  it('ignores events it does not know', () => {
    expect(read([['somethingNew', { a: 1 }], ...end('end_turn')])).toHaveLength(2);
  });
});

describe('readConverseResponse', () => {
  const answer = (content: unknown, more: object = {}) =>
    readConverseResponse(
      Buffer.from(JSON.stringify({ output: { message: { content } }, stopReason: 'end_turn', ...more })),
      KEY,
    );

  it('C01/C02/C10/C12/C38: keeps every block in order', () => {
    const { choices } = answer(
      [
        { reasoningContent: { reasoningText: { text: 'Hm', signature: 'sig' } } },
        { reasoningContent: { redactedContent: 'cmVk' } },
        { text: 'one' },
        { text: 'two' },
        { citationsContent: { content: [{ text: 'cited' }], citations: [] } },
        { toolUse: { toolUseId: 'a', name: 'READFILE', input: {} } },
        { unknown: {} },
      ],
      { stopReason: 'tool_use' },
    );
    expect(choices).toEqual([
      {
        finishReason: 'tool-calls',
        content: [
          { type: 'reasoning', text: 'Hm', state: { issuer: 'anthropic-signature', value: 's:sig' } },
          { type: 'reasoning', text: '', state: { issuer: 'anthropic-signature', value: 'r:red' } },
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
          { type: 'text', text: 'cited' },
          { type: 'tool-call', id: 'a', name: '$READFILE', arguments: '{}' },
        ],
      },
    ]);
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['eos', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['content_filtered', 'content-filter'],
    ['guardrail_intervened', 'content-filter'],
  ])('C03: reads the stop reason %s as %s', (stopReason, expected) => {
    expect(answer([{ text: 'x' }], { stopReason }).choices[0]?.finishReason).toBe(expected);
  });

  it('C04: tells tool calls without a stop reason', () => {
    const toolUse = { toolUseId: 'a', name: 'look', input: {} };
    expect(answer([{ toolUse }], { stopReason: undefined }).choices[0]?.finishReason).toBe('tool-calls');
  });

  it.each([
    [{ ...USAGE, serverToolUsage: {}, cacheReadInputTokenCount: 9 }, 1715],
    [{ inputTokens: 0, outputTokens: 0, totalTokens: 0, cacheReadInputTokens: null }, 0],
    [{ inputTokens: -1, outputTokens: 5 }, undefined],
    [{ inputTokens: '3', outputTokens: 5 }, undefined],
    [{ inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 5, cacheReadInputTokens: 1 }, undefined],
    [null, undefined],
  ])('C07/C08/C09: reads the usage %j', (usage, expected) => {
    expect(answer([], { usage }).usage?.promptTokens).toBe(expected);
  });

  it('C18: accepts an empty answer and refuses one without output', () => {
    expect(answer([]).choices).toEqual([{ content: [], finishReason: 'stop' }]);
    for (const body of ['{"output":null,"stopReason":"end_turn"}', '[]', '<html>']) {
      expect(() => readConverseResponse(Buffer.from(body), KEY)).toThrow(
        expect.objectContaining({ code: 'provider_bad_response' }),
      );
    }
  });
});
