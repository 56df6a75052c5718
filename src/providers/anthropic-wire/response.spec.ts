import { readMessagesResponse } from './response.js';
import type { AnswerKey } from './wire.js';

const KEY: AnswerKey = { renamedTools: new Map([['READFILE', '$READFILE']]) };

function read(answer: object, key = KEY) {
  const body = { id: 'msg_1', model: 'claude-x', content: [], stop_reason: 'end_turn', ...answer };
  return readMessagesResponse(Buffer.from(JSON.stringify(body)), key);
}

const content = (...blocks: object[]) => read({ content: blocks }).choices[0]?.content;

describe('a whole answer', () => {
  it.each([
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'content-filter'],
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['something_new', 'stop'],
    [null, 'stop'],
  ])('N10: that stopped by %s finished by %s', (stop_reason, reason) => {
    expect(read({ stop_reason }).choices[0]?.finishReason).toBe(reason);
  });

  it('N10: that calls tools finished by them', () => {
    const call = { type: 'tool_use', id: 'a', name: 'ping', input: {} };
    expect(read({ content: [call], stop_reason: 'tool_use' }).choices[0]?.finishReason).toBe('tool-calls');
  });

  it('N20: keeps a call that was cut, and says so', () => {
    const call = { type: 'tool_use', id: 'a', name: 'ping', input: { city: 'Par' } };
    const [choice] = read({ content: [call], stop_reason: 'max_tokens' }).choices;
    expect(choice).toMatchObject({ finishReason: 'length', content: [{ arguments: '{"city":"Par"}' }] });
  });

  it('N22: keeps several texts in order', () => {
    expect(content({ type: 'text', text: 'One ' }, { type: 'text', text: 'two' })).toEqual([
      { type: 'text', text: 'One ' },
      { type: 'text', text: 'two' },
    ]);
  });

  it('N15/B76/B80: gives reasoning with the proof that takes it back', () => {
    const blocks = content(
      { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'cmVk' },
      { type: 'thinking', thinking: 'Unsigned.' },
    );
    expect(blocks).toEqual([
      { type: 'reasoning', text: 'Hm.', state: { issuer: 'anthropic-signature', value: 's:c2ln' } },
      { type: 'reasoning', text: '', state: { issuer: 'anthropic-signature', value: 'r:cmVk' } },
      { type: 'reasoning', text: 'Unsigned.' },
    ]);
  });

  it('gives calls the caller’s names, ids where there are none, and empty arguments', () => {
    const [call] = content({ type: 'tool_use', name: 'READFILE' }) ?? [];
    expect(call).toMatchObject({ type: 'tool-call', name: '$READFILE', arguments: '{}' });
    expect(call).toHaveProperty('id', expect.stringMatching(/^toolu_[0-9a-f]{32}$/));
  });

  it('B86: gives the stand-in’s input as text beside real calls', () => {
    const key = { ...KEY, jsonTool: 'answer' };
    const answer = { type: 'tool_use', id: 'a', name: 'answer', input: { a: 1 } };
    const call = { type: 'tool_use', id: 'b', name: 'ping', input: {} };
    expect(read({ content: [answer], stop_reason: 'tool_use' }, key).choices).toEqual([
      { content: [{ type: 'text', text: '{"a":1}' }], finishReason: 'stop' },
    ]);
    expect(read({ content: [answer, call] }, key).choices[0]).toMatchObject({
      content: [{ type: 'text' }, { type: 'tool-call', name: 'ping' }],
      finishReason: 'tool-calls',
    });
  });

  it('gives citations as annotations on the choice’s text', () => {
    const web = { type: 'web_search_result_location', url: 'https://x.example', title: 'X', cited_text: 'said' };
    const page = {
      type: 'page_location',
      document_index: 2,
      document_title: 'Report',
      start_page_number: 1,
      end_page_number: 2,
    };
    const blocks = content(
      { type: 'text', text: 'Well, ' },
      { type: 'text', text: 'yes.', citations: [web, page, null] },
    );
    expect(blocks?.[1]).toEqual({
      type: 'text',
      text: 'yes.',
      annotations: [
        {
          type: 'url_citation',
          url_citation: { start_index: 6, end_index: 10, url: 'https://x.example', title: 'X', cited_text: 'said' },
        },
        {
          type: 'url_citation',
          url_citation: {
            start_index: 6,
            end_index: 10,
            url: '#document-2',
            title: 'Report',
            location: { start_page_number: 1, end_page_number: 2 },
          },
        },
      ],
    });
  });

  it('passes over the provider’s own tools and what nobody knows', () => {
    const server = { type: 'server_tool_use', id: 'a', name: 'web_search', input: {} };
    expect(content(server, { type: 'new' }, { type: 'text', text: 'Hi' })).toEqual([{ type: 'text', text: 'Hi' }]);
  });

  it('N11: counts all that was read, cached or not', () => {
    const usage = {
      input_tokens: 3,
      cache_read_input_tokens: 20,
      cache_creation_input_tokens: 100,
      output_tokens: 9,
      output_tokens_details: { thinking_tokens: 4 },
    };
    expect(read({ usage }).usage).toEqual({
      promptTokens: 123,
      cachedPromptTokens: 20,
      cacheWriteTokens: 100,
      completionTokens: 9,
      reasoningTokens: 4,
      source: 'final',
    });
    expect(read({ usage: { input_tokens: -1, output_tokens: 1 } }).usage).toBeUndefined();
    expect(read({}).usage).toBeUndefined();
  });

  it.each(['no JSON', '[]', '{"type":"message"}'])('is refused when it is %s', (body) => {
    expect(() => readMessagesResponse(Buffer.from(body), KEY)).toThrow('could not be understood');
  });
});
