import type { ChatRequest, Message } from '../../contract/chat-request.js';
import type { ChatPart, ChatResponse } from '../../contract/chat-response.js';
import { type Instructions, readInstructions } from './sandbox.request.js';
import { composeAnswer, wholeResponse } from './sandbox.response.js';
import { stepsOf } from './sandbox.steps.js';

const SPEAKER = { provider: 'east', model: 'demo', requestId: 'r1', createdSeconds: 7 };
const user = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] });
const WEATHER = {
  name: 'get_weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

function answer(text: string, request: Partial<ChatRequest> = {}, instructions: Instructions = readInstructions(text)) {
  return composeAnswer({ messages: [user(text)], ...request }, instructions, SPEAKER);
}
const whole = (text: string, request: Partial<ChatRequest> = {}) => wholeResponse(answer(text, request));
const textOf = ({ choices }: ChatResponse, index = 0): string =>
  (choices[index]?.content ?? []).map((block) => ('text' in block ? block.text : '')).join('');

describe('a whole answer', () => {
  it('quotes the last user message and says how to get real answers', () => {
    const text = textOf(whole('Good morning [[pace 5]]'));
    expect(text).toContain('You said: "Good morning".');
    expect(text).toContain('"east"');
    expect(text).toContain('"demo"');
    expect(text).toContain('add a provider to the configuration');
  });

  it('is the same for the same request', () => {
    expect(whole('x')).toEqual(whole('x'));
  });

  it('quotes the beginning of a long message only, and cuts no character in two', () => {
    const text = textOf(whole('😀'.repeat(500)));
    expect(text).toContain(`"${'😀'.repeat(200)}…"`);
  });

  it('tells id, model, time and usage by the rule of 4 bytes a token', () => {
    expect(whole('12345678 [[reply abcdefghi]]')).toMatchObject({
      id: 'r1',
      model: 'demo',
      createdSeconds: 7,
      choices: [{ content: [{ type: 'text', text: 'abcdefghi' }], finishReason: 'stop' }],
      usage: { promptTokens: 7, completionTokens: 3, source: 'final', cachedPromptTokens: 0, reasoningTokens: 0 },
    });
  });

  it('has as many tokens as told', () => {
    const response = whole('[[tokens 50]]');
    expect(response.usage?.completionTokens).toBe(50);
    expect(textOf(response)).toHaveLength(200);
    expect(response.choices[0]?.finishReason).toBe('stop');
  });

  it('ends at the bound of output tokens', () => {
    const response = whole('[[tokens 50]]', { maxOutputTokens: 5 });
    expect(response.usage?.completionTokens).toBe(5);
    expect(response.choices[0]?.finishReason).toBe('length');
  });

  it('does not end by length when it is exactly as long as allowed', () => {
    expect(whole('[[tokens 5]]', { maxOutputTokens: 5 }).choices[0]?.finishReason).toBe('stop');
  });

  it('ends before the first stop sequence', () => {
    const response = whole('[[reply one, two; three]]', { stop: ['', ';', ',', 'x'] });
    expect(textOf(response)).toBe('one');
    expect(response.choices[0]?.finishReason).toBe('stop');
  });

  it('gives as many choices as asked for and counts them all', () => {
    const response = whole('hi', { choices: 3 });
    expect(response.choices).toHaveLength(3);
    expect(textOf(response, 1)).not.toBe(textOf(response, 0));
    const tokens = [0, 1, 2].map((index) => Math.ceil(Buffer.byteLength(textOf(response, index)) / 4));
    expect(response.usage?.completionTokens).toBe(tokens.reduce((sum, each) => sum + each));
  });

  it('refuses endless choices', () => {
    expect(() => answer('hi', { choices: 1e9 })).toThrow(expect.objectContaining({ code: 'provider_rejected' }));
  });

  it('calls a tool with arguments that fit its schema', () => {
    const { choices } = whole('use get_weather', { tools: [WEATHER] });
    const [block] = choices[0]?.content ?? [];
    expect(choices[0]?.finishReason).toBe('tool-calls');
    expect(block).toMatchObject({
      type: 'tool-call',
      name: 'get_weather',
      id: expect.stringMatching(/^call_[0-9a-f]{8}$/),
    });
    expect(JSON.parse(block?.type === 'tool-call' ? block.arguments : '')).toEqual({ city: 'city' });
  });

  it('gives every call an id of its own', () => {
    const tools = [WEATHER, { ...WEATHER, name: 'list' }];
    const { choices } = whole('get_weather, list', { tools, choices: 2 });
    const ids = choices.flatMap(({ content }) => content.map((block) => (block.type === 'tool-call' ? block.id : '')));
    expect(new Set(ids).size).toBe(4);
  });

  it('writes {} for a tool without arguments', () => {
    const { choices } = whole('now', { tools: [{ name: 'now' }] });
    expect(choices[0]?.content[0]).toMatchObject({ arguments: '{}' });
  });

  it('answers with the result of a tool', () => {
    const messages: Message[] = [
      user('use get_weather'),
      { role: 'assistant', content: [{ type: 'tool-call', id: 'c1', name: 'get_weather', arguments: '{}' }] },
      { role: 'tool', toolCallId: 'c1', content: [{ type: 'text', text: '21 degrees' }] },
    ];
    const response = whole('', { messages, tools: [WEATHER] });
    expect(textOf(response)).toBe('The tool get_weather answered: 21 degrees');
    expect(response.choices[0]?.finishReason).toBe('stop');
  });

  it('is a JSON object when one is asked for', () => {
    const value: unknown = JSON.parse(textOf(whole('hi', { responseFormat: { type: 'json-object' } })));
    expect(value).toEqual({ reply: expect.stringContaining('You said: "hi".') });
  });

  it('follows a JSON schema', () => {
    const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 3, maximum: 4 } }, required: ['n'] };
    const responseFormat = { type: 'json-schema', name: 'numbers', schema } as const;
    const { n } = JSON.parse(textOf(whole('hi', { responseFormat }))) as { n: number };
    expect([3, 4]).toContain(n);
  });
});

describe('the parts of an answer', () => {
  const parts = (text: string, request: Partial<ChatRequest> = {}): ChatPart[] =>
    [...stepsOf(answer(text, request))].map(({ part }) => part);

  it('begin with a start, end with one finish, and join to the whole', () => {
    const all = parts('hello');
    expect(all[0]).toEqual({ type: 'start', id: 'r1', model: 'demo', createdSeconds: 7 });
    expect(all.filter(({ type }) => type === 'finish' || type === 'start')).toHaveLength(2);
    expect(all.at(-2)).toEqual({ type: 'choice-finish', reason: 'stop' });
    expect(all.at(-1)).toEqual({ type: 'finish', usage: whole('hello').usage });
    expect(all.map((part) => (part.type === 'text-delta' ? part.text : '')).join('')).toBe(textOf(whole('hello')));
  });

  it('let several choices take turns', () => {
    const all = parts('[[tokens 2]]', { choices: 2 });
    expect(all.map((part) => ('choice' in part ? part.choice : part.type))).toEqual([
      'start',
      'text-delta',
      1,
      'text-delta',
      1,
      'choice-finish',
      1,
      'finish',
    ]);
  });

  it('number the calls of tools and join to their arguments', () => {
    const tools = [WEATHER, { ...WEATHER, name: 'list' }];
    const all = parts('get_weather, list', { tools });
    const starts = all.flatMap((part) => (part.type === 'tool-call-start' ? [[part.index, part.name]] : []));
    expect(starts).toEqual([
      [0, 'get_weather'],
      [1, 'list'],
    ]);
    const second = all
      .map((part) => (part.type === 'tool-call-delta' && part.index === 1 ? part.arguments : ''))
      .join('');
    expect(JSON.parse(second)).toEqual({ city: 'city' });
    expect(all.at(-1)).toEqual({ type: 'finish', usage: whole('get_weather, list', { tools }).usage });
  });
});
