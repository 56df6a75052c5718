import { fromWireChat, fromWireEmbeddings } from './openai-wire.response.js';

function chat(message: object, more: object = {}): unknown {
  return { id: 'chatcmpl-1', model: 'm', created: 5, choices: [{ index: 0, message, finish_reason: 'stop', ...more }] };
}

describe('fromWireChat', () => {
  it('O14: gives reasoning, text, refusal and calls in that order', () => {
    const answer = chat({
      content: 'Hi',
      reasoning_content: 'Hm',
      refusal: 'No',
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } }],
    });
    expect(fromWireChat(answer)).toEqual({
      id: 'chatcmpl-1',
      model: 'm',
      createdSeconds: 5,
      choices: [
        {
          finishReason: 'stop',
          content: [
            { type: 'reasoning', text: 'Hm' },
            { type: 'text', text: 'Hi' },
            { type: 'refusal', text: 'No' },
            { type: 'tool-call', id: 'a', name: 'f', arguments: '{"x":1}' },
          ],
        },
      ],
    });
  });

  it('O19: gives a call without id one of its own, and without arguments an empty object', () => {
    const call = { type: 'function', function: { name: 'f' } };
    const [choice] = fromWireChat(chat({ tool_calls: [call, { ...call, id: '' }] })).choices;
    expect(choice?.content).toEqual([
      { type: 'tool-call', id: 'call_chatcmpl1_0_0', name: 'f', arguments: '{}' },
      { type: 'tool-call', id: 'call_chatcmpl1_0_1', name: 'f', arguments: '{}' },
    ]);
  });

  it.each([
    ['stop', 'stop'],
    ['length', 'length'],
    ['tool_calls', 'tool-calls'],
    ['function_call', 'tool-calls'],
    ['content_filter', 'content-filter'],
    ['model_length', 'length'],
    ['insufficient_system_resource', 'length'],
    ['something_new', 'stop'],
    [null, 'stop'],
  ])('reads the finish reason %s as %s', (reason, expected) => {
    const [choice] = fromWireChat(chat({ content: 'x' }, { finish_reason: reason })).choices;
    expect(choice?.finishReason).toBe(expected);
  });

  it('reads reasoning by either name, content in parts, and annotations of the text', () => {
    const blocks = (message: object): unknown => fromWireChat(chat(message)).choices[0]?.content;
    const said = [
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'Hi' },
    ];
    expect(blocks({ content: 'Hi', reasoning: 'Hm' })).toEqual(said);
    const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] };
    expect(blocks({ content: [thinking, { type: 'text', text: 'Hi' }] })).toEqual(said);
    const annotations = [{ type: 'url_citation', url_citation: { url: 'https://a.example' } }];
    expect(blocks({ content: 'Hi', annotations })).toEqual([{ type: 'text', text: 'Hi', annotations }]);
    expect(blocks({ content: 'Hi', annotations: [] })).toEqual([{ type: 'text', text: 'Hi' }]);
  });

  it('is the failure a choice reports', () => {
    const answer = chat({ content: 'Hal' }, { finish_reason: 'error', error: { code: 502, message: 'm' } });
    expect(() => fromWireChat(answer)).toThrow(expect.objectContaining({ code: 'provider_error' }));
  });

  it('keeps log probabilities, and every choice', () => {
    const logprobs = { content: [{ token: 'a', logprob: -1, bytes: null, top_logprobs: [] }] };
    const one = { index: 0, message: { content: 'a' }, finish_reason: 'stop', logprobs };
    const { choices } = fromWireChat({ choices: [one, { ...one, index: 1, logprobs: null }] });
    expect(choices.map((choice) => choice.logprobs)).toEqual([logprobs, undefined]);
  });

  it.each([[null], [[]], [{}], [{ choices: [] }], [{ choices: null }], ['text'], [7]])('refuses %j', (answer) => {
    expect(() => fromWireChat(answer)).toThrow(expect.objectContaining({ code: 'provider_bad_response' }));
  });
});

describe('fromWireEmbeddings', () => {
  const base64 = Buffer.from(new Float32Array([0.5, -2]).buffer).toString('base64');

  it('O13: reads base64 and numbers, and puts vectors in the order of the inputs', () => {
    const data = [
      { index: 1, embedding: base64 },
      { index: 0, embedding: [1, 2] },
    ];
    expect(fromWireEmbeddings({ data, model: 'e', usage: { prompt_tokens: 3, total_tokens: 3 } }, 2)).toMatchObject({
      model: 'e',
      vectors: [
        [1, 2],
        [0.5, -2],
      ],
      usage: { promptTokens: 3, completionTokens: 0, source: 'final' },
    });
  });

  it.each([[{ data: [{ index: 0, embedding: base64 }] }], [{ data: [null, null] }], [{}], [null]])(
    'refuses an answer without a vector for every input: %j',
    (answer) => {
      expect(() => fromWireEmbeddings(answer, 2)).toThrow(expect.objectContaining({ code: 'provider_bad_response' }));
    },
  );
});
