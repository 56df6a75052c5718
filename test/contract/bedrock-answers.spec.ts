import type { ChatPart } from '../../src/contract/chat-response.js';
import { presentChat } from '../../src/gateway/dialects/openai-chat/openai-chat.response.js';
import { openAiChatDialect } from '../../src/gateway/dialects/openai-chat/openai-chat.dialect.js';
import { openAiError } from '../../src/gateway/dialects/openai-error.js';
import { OpenAiChatStream } from '../../src/gateway/dialects/openai-chat/openai-chat.stream.js';
import { readReasoningState, reasoningState } from '../../src/providers/anthropic-wire/state.js';
import { readFailure } from '../../src/providers/bedrock/bedrock.error.js';
import { readConverseResponse } from '../../src/providers/bedrock/bedrock.response.js';
import { ConverseStreamReader } from '../../src/providers/bedrock/bedrock.stream.js';

const KEY = { renamedTools: new Map<string, string>(), issuer: 'anthropic-signature' };
const OPTIONS = { requestId: 'r1', model: 'public-name', nowSeconds: 1_700_000_000 };
const USAGE = { inputTokens: 10, outputTokens: 20, totalTokens: 35, cacheReadInputTokens: 5 };

type Event = readonly [type: string, payload: object];
type Json = Record<string, unknown>;

interface Completion {
  readonly choices: readonly { readonly message: Json; readonly finish_reason: string }[];
  readonly usage?: Json;
}

/** What an answer of Converse becomes for a client of OpenAI's. */
function whole(content: readonly object[], more: object = {}): Completion {
  const body = { output: { message: { role: 'assistant', content } }, stopReason: 'end_turn', usage: USAGE, ...more };
  const response = readConverseResponse(Buffer.from(JSON.stringify(body)), KEY);
  return JSON.parse(presentChat(response, OPTIONS)) as Completion;
}

function partsOf(events: readonly Event[]): ChatPart[] {
  const reader = new ConverseStreamReader(KEY);
  const parts = events.flatMap(([type, payload]) => {
    const headers = { ':message-type': 'event', ':event-type': type };
    return reader.push({ headers, payload: Buffer.from(JSON.stringify({ ...payload, p: 'abc' })) });
  });
  return [...parts, ...reader.end(false)];
}

interface Chunk extends Json {
  readonly choices: readonly { readonly delta: Json; readonly finish_reason: string | null }[];
  readonly usage?: Json | null;
}

/** The events a client of OpenAI's gets of a stream; the last may be the text `[DONE]`. */
function streamed(events: readonly Event[], includeUsage = true): { chunks: Chunk[]; last: string } {
  const presenter = new OpenAiChatStream({ ...OPTIONS, includeUsage });
  const text = partsOf(events)
    .map((part) => presenter.present(part))
    .join('');
  const data = text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace(/^data: /, ''));
  return { chunks: data.slice(0, -1).map((one) => JSON.parse(one) as Chunk), last: data.at(-1) ?? '' };
}

const delta = (contentBlockIndex: number, value: object): Event => [
  'contentBlockDelta',
  { contentBlockIndex, delta: value },
];
const stop = (contentBlockIndex: number): Event => ['contentBlockStop', { contentBlockIndex }];
const start = (contentBlockIndex: number, toolUseId: string): Event => [
  'contentBlockStart',
  { contentBlockIndex, start: { toolUse: { toolUseId, name: 'look' } } },
];
const BEGIN: Event = ['messageStart', { role: 'assistant' }];
const end = (stopReason: string, more: object = {}): Event[] => [
  ['messageStop', { stopReason }],
  ['metadata', { usage: USAGE, metrics: { latencyMs: 1 }, ...more }],
];
const DOCUMENT = { title: 'policy', sourceContent: [{ text: 'Twenty days.' }] };
const CITATION = { ...DOCUMENT, location: { documentChar: { documentIndex: 1, start: 3, end: 15 } } };
const annotation = (start_index: number, end_index: number) => ({
  type: 'url_citation',
  url_citation: {
    start_index,
    end_index,
    url: '#document-1',
    title: 'policy',
    cited_text: 'Twenty days.',
    location: { start_char_index: 3, end_char_index: 15 },
  },
});

describe('from Converse to OpenAI chat', () => {
  it('C01/C12: joins texts and reasoning in order', () => {
    const reasoning = (text: string) => ({ reasoningContent: { reasoningText: { text, signature: text } } });
    const { message } = whole([reasoning('a'), { text: 'response' }, reasoning('b'), { text: 'from' }, { text: 'it' }])
      .choices[0] ?? { message: {} };
    expect(message).toMatchObject({ content: 'responsefromit', reasoning_content: 'ab' });
  });

  it('C06: writes no input as {}', () => {
    const { choices } = whole([{ toolUse: { toolUseId: 'a', name: 'look', input: {} } }], { stopReason: 'tool_use' });
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: null, tool_calls: [{ id: 'a', function: { name: 'look', arguments: '{}' } }] },
    });
  });

  it('C10/C26: gives signatures and redacted reasoning in one place, apart from what is said', () => {
    const { choices } = whole([
      { reasoningContent: { reasoningText: { text: 'Hm', signature: 'sig' } } },
      { reasoningContent: { redactedContent: Buffer.from('data').toString('base64') } },
      { text: 'Yes.' },
    ]);
    expect(choices[0]?.message).toMatchObject({
      content: 'Yes.',
      reasoning_content: 'Hm',
      reasoning_details: [
        { text: 'Hm', issuer: 'anthropic-signature', state: 's:sig' },
        { text: '', issuer: 'anthropic-signature', state: 'r:data' },
      ],
    });
  });

  it('B76/B80: gives state that every platform of Claude reads, and reads theirs', () => {
    const content = [
      { reasoningContent: { reasoningText: { text: 'Hm', signature: 'sig' } } },
      { reasoningContent: { redactedContent: Buffer.from('data').toString('base64') } },
    ];
    const body = Buffer.from(JSON.stringify({ output: { message: { content } } }));
    const { choices } = readConverseResponse(body, KEY);
    const states = choices[0]?.content.map((block) => (block.type === 'reasoning' ? block.state : undefined)) ?? [];
    const proofs = states.map((state) => readReasoningState(state));
    expect(proofs).toEqual([
      { type: 'signature', value: 'sig' },
      { type: 'redacted', value: 'data' },
    ]);
    expect(proofs.map((proof) => proof && reasoningState(proof.type, proof.value))).toEqual(states);
  });

  it('C11: says nothing of reasoning that is a signature alone, but keeps it', () => {
    const { choices } = whole([{ reasoningContent: { reasoningText: { text: '', signature: 'sig' } } }, { text: 'x' }]);
    expect(choices[0]?.message).not.toHaveProperty('reasoning_content');
    expect(choices[0]?.message).toMatchObject({ reasoning_details: [{ state: 's:sig' }] });
  });

  it('C13: gives a native JSON answer as its text', () => {
    const { choices } = whole([{ text: '{"city":"Paris"}' }]);
    expect(choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: '{"city":"Paris"}' } });
    expect(choices[0]?.message).not.toHaveProperty('tool_calls');
  });

  it('C07/C29: counts what the cache read as prompt, and no audio', () => {
    const { usage } = whole([{ text: 'x' }]);
    expect(usage).toMatchObject({
      prompt_tokens: 15,
      completion_tokens: 20,
      total_tokens: 35,
      prompt_tokens_details: { cached_tokens: 5 },
    });
    const response = readConverseResponse(Buffer.from(JSON.stringify({ output: {}, usage: USAGE })), KEY);
    expect(response.usage).not.toHaveProperty('audioPromptTokens');
    expect(response.usage).not.toHaveProperty('audioCompletionTokens');
  });

  it('C14/C17: answers an error in JSON, without the words that are not for callers', () => {
    const headers = { 'content-type': 'text/plain' };
    const body = Buffer.from('service not available');
    const down = readFailure({ status: 503, headers, body }, { secrets: [] });
    expect(down).toMatchObject({ code: 'provider_overloaded', status: 503 });
    expect(openAiError(down)).toMatchObject({ error: { message: down.message, code: 'provider_overloaded' } });
    expect(String((down.cause as Error).message)).toContain('service not available');
    const busy = { 'x-amzn-errortype': 'ThrottlingException', 'retry-after': '7' };
    const slow = readFailure({ status: 429, headers: busy, body: Buffer.from('{"message":"m"}') }, { secrets: [] });
    expect(slow).toMatchObject({ status: 429, retryAfterMs: 7_000 });
  });

  it('C38: delivers what is cited, with where it comes from', () => {
    const { choices } = whole([
      { text: 'Answer: ' },
      { citationsContent: { content: [{ text: 'twenty ' }, { text: 'days' }], citations: [CITATION] } },
    ]);
    expect(choices[0]?.message).toMatchObject({ content: 'Answer: twenty days', annotations: [annotation(8, 19)] });
  });

  it.each([
    [{ web: { url: 'https://example.com/a' } }, { url: 'https://example.com/a' }],
    [
      { documentPage: { documentIndex: 0, start: 1, end: 2 } },
      { url: '#document-0', location: { start_page_number: 1, end_page_number: 2 } },
    ],
    [
      { searchResultLocation: { searchResultIndex: 2, start: 0, end: 1 } },
      { url: '#document-2', location: { start_block_index: 0, end_block_index: 1 } },
    ],
    [undefined, { url: '#document-0' }],
  ])('C38: tells the place %j', (location, expected) => {
    const { choices } = whole([{ citationsContent: { content: [{ text: 'x' }], citations: [{ location }] } }]);
    expect(choices[0]?.message['annotations']).toMatchObject([{ url_citation: expected }]);
  });
});

describe('from ConverseStream to OpenAI chunks', () => {
  it('C20/C21/C27: opens with the role, ends with a reason, the usage and the mark', () => {
    const { chunks, last } = streamed([
      BEGIN,
      delta(0, { text: 'Hi' }),
      delta(0, { text: '' }),
      stop(0),
      ...end('end_turn'),
    ]);
    expect(chunks.flatMap(({ choices }) => choices.map((choice) => [choice.delta, choice.finish_reason]))).toEqual([
      [{ role: 'assistant', content: '' }, null],
      [{ content: 'Hi' }, null],
      [{}, 'stop'],
    ]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 15, total_tokens: 35 } });
    expect(last).toBe('[DONE]');
  });

  it('C28: tells no usage that was not asked for', () => {
    const { chunks } = streamed([BEGIN, delta(0, { text: 'Hi' }), stop(0), ...end('end_turn')], false);
    expect(chunks.every(({ usage, choices }) => usage === undefined && choices.length === 1)).toBe(true);
  });

  it('C23/C24: starts a call with id and name and goes on with its index', () => {
    const { chunks } = streamed([
      BEGIN,
      delta(0, { text: 'Hm' }),
      stop(0),
      start(1, 'a'),
      delta(1, { toolUse: { input: '{"x":' } }),
      delta(1, { toolUse: { input: '1}' } }),
      stop(1),
      ...end('tool_use'),
    ]);
    expect(chunks.flatMap(({ choices }) => (choices[0]?.delta['tool_calls'] ?? []) as unknown[])).toEqual([
      { index: 0, id: 'a', type: 'function', function: { name: 'look', arguments: '' } },
      { index: 0, function: { arguments: '{"x":' } },
      { index: 0, function: { arguments: '1}' } },
    ]);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('tool_calls');
  });

  it('C34: is an event stream', () => {
    expect(openAiChatDialect.streamContentType).toMatch(/^text\/event-stream/);
  });

  it('C36: ends an answer the guardrail stopped as filtered, and keeps its trace', () => {
    const trace = { guardrail: { inputAssessment: { g: { topicPolicy: { topics: [{ name: 'secret topic' }] } } } } };
    const { chunks, last } = streamed([
      BEGIN,
      delta(0, { text: 'Sorry, the model cannot answer this.' }),
      stop(0),
      ...end('guardrail_intervened', { trace }),
    ]);
    expect(JSON.stringify(chunks)).not.toContain('secret topic');
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('content_filter');
    expect(chunks[1]?.choices[0]?.delta).toEqual({ content: 'Sorry, the model cannot answer this.' });
    expect(last).toBe('[DONE]');
  });

  it('C37: names all chunks alike', () => {
    const { chunks } = streamed([BEGIN, delta(0, { text: 'a' }), delta(0, { text: 'b' }), stop(0), ...end('end_turn')]);
    const names = new Set(chunks.map(({ id, created, model }) => JSON.stringify([id, created, model])));
    expect([...names]).toEqual([JSON.stringify(['chatcmpl-r1', 1_700_000_000, 'public-name'])]);
  });

  it('C38: tells citations after the text they are about, wherever they came', () => {
    const parts = partsOf([
      BEGIN,
      delta(0, { text: 'Answer: ' }),
      stop(0),
      delta(1, { citation: CITATION }),
      delta(1, { text: 'twenty ' }),
      delta(1, { text: 'days' }),
      stop(1),
      delta(2, { text: ' or' }),
      delta(2, { citation: CITATION }),
      delta(2, { text: ' so' }),
      stop(2),
      ...end('end_turn'),
    ]);
    const told = parts.filter(({ type }) => type !== 'start' && type !== 'choice-finish' && type !== 'finish');
    expect(told).toEqual([
      { type: 'text-delta', text: 'Answer: ' },
      { type: 'text-delta', text: 'twenty ' },
      { type: 'text-delta', text: 'days' },
      { type: 'annotation', annotation: annotation(8, 19) },
      { type: 'text-delta', text: ' or' },
      { type: 'text-delta', text: ' so' },
      { type: 'annotation', annotation: annotation(19, 25) },
    ]);
  });
});
