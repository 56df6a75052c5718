import type { ChatRequest, Message, Tool } from '../../contract/chat-request.js';
import { lastUserText, lossesOf, readInstructions, toolsToCall, withoutInstructions } from './sandbox.request.js';

const user = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] });
const tool = (name: string): Tool => ({ name });

describe('readInstructions', () => {
  it.each([
    ['nothing at all', {}],
    ['[[fail 429 retry=2]]', { fail: { what: '429', retryAfterMs: 2_000 } }],
    ['please [[fail 500]]', { fail: { what: '500' } }],
    ['[[fail unreachable on=east]]', { fail: { what: 'unreachable', on: 'east' } }],
    ['[[latency 300]]', { latencyMs: 300 }],
    ['[[stall]]', { stallAfter: 0 }],
    ['[[stall after 2]]', { stallAfter: 2 }],
    ['[[break after 3]]', { breakAfter: 3 }],
    ['[[tokens 50]] and [[pace 20]]', { tokens: 50, tokensPerSecond: 20 }],
    ['[[reply  Hello, you. ]]', { reply: 'Hello, you.' }],
    ['[[reply]]', { reply: '' }],
    ['[[tokens 5]] [[tokens 6]]', { tokens: 6 }],
    ['[[latency 99999999]]', { latencyMs: 600_000 }],
    ['[[tokens -1]] [[pace fast]] [[fail]] [[fail  !]] [[unknown 3]] [[failure 3]]', {}],
    ['[[ reply x]] [reply x] [[reply x]', {}],
  ])('reads %j', (text, expected) => expect(readInstructions(text)).toEqual(expected));

  it('reads a hostile message in one pass', () => {
    const startedAtMs = performance.now();
    expect(readInstructions('[[reply '.repeat(200_000))).toEqual({});
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });
});

it('takes instructions out of a text', () => {
  expect(withoutInstructions(' Say [[tokens 3]]hello [[pace 1]]')).toBe('Say hello');
});

describe('lastUserText', () => {
  it('joins the text of the last user message', () => {
    const last: Message = {
      role: 'user',
      content: [
        { type: 'text', text: 'b' },
        { type: 'text', text: 'c' },
      ],
    };
    expect(lastUserText([user('a'), last, { role: 'assistant', content: [{ type: 'text', text: 'd' }] }])).toBe('b\nc');
  });

  it('is empty without one', () => {
    expect(lastUserText([{ role: 'system', content: [{ type: 'text', text: 'a' }] }])).toBe('');
  });
});

describe('toolsToCall', () => {
  const names = (request: Partial<ChatRequest>, text = 'hi') =>
    toolsToCall({ messages: [user(text)], tools: [tool('get_weather'), tool('get'), tool('list')], ...request }).map(
      ({ name }) => name,
    );
  const result: Message = { role: 'tool', toolCallId: 'c', content: [{ type: 'text', text: '3' }] };

  it.each([
    ['none that is not mentioned', {}, 'hello', []],
    ['one that is mentioned as a word', {}, 'Use get_weather, please', ['get_weather']],
    ['all that are mentioned', {}, 'list then get_weather', ['get_weather', 'list']],
    ['one when calls may not be parallel', { parallelToolCalls: false }, 'list, get_weather', ['get_weather']],
    ['none that is part of a word', {}, 'forget getting a listing', []],
    ['none when forbidden', { toolChoice: { type: 'none' } }, 'list', []],
    ['the first when required', { toolChoice: { type: 'required' } }, 'hello', ['get_weather']],
    ['the mentioned one when required', { toolChoice: { type: 'required' } }, 'list', ['list']],
    ['the one named', { toolChoice: { type: 'tool', name: 'get' } }, 'list', ['get']],
    ['none named in an instruction', {}, '[[reply list]]', []],
    ['none without tools', { tools: [] }, 'list', []],
  ] as const)('calls %s', (_name, request, text, expected) => expect(names(request, text)).toEqual(expected));

  it('calls none again after a result, unless it must', () => {
    const messages = [user('list'), result];
    expect(names({ messages })).toEqual([]);
    expect(names({ messages, toolChoice: { type: 'required' } })).toEqual(['list']);
  });
});

describe('lossesOf', () => {
  it('names every field without effect', () => {
    const request: ChatRequest = {
      messages: [
        { role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }] },
      ],
      temperature: 0,
      logprobs: { top: 2 },
      extra: { verbosity: 'low' },
    };
    expect(lossesOf(request).map(({ field, kind }) => `${kind} ${field}`)).toEqual([
      'dropped temperature',
      'dropped logprobs',
      'dropped verbosity',
      'dropped messages[0].content[0]',
    ]);
  });

  it('is empty for what is honoured', () => {
    const honoured = { stop: ['x'], maxOutputTokens: 3, choices: 2, seed: 1, endUser: 'u', tools: [tool('t')] };
    expect(lossesOf({ messages: [user('a')], ...honoured })).toEqual([]);
  });
});
