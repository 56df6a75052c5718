import { mendWhole } from './openai-compatible.response.js';

function answer(message: object, more: object = {}): Buffer {
  const choice = { index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' };
  return Buffer.from(JSON.stringify({ id: 'chatcmpl-1', choices: [choice], ...more }));
}

function mended(message: object, more: object = {}): Record<string, unknown> {
  return JSON.parse(mendWhole(answer(message, more)).toString()) as Record<string, unknown>;
}

function message(told: object): unknown {
  return (mended(told)['choices'] as { message: unknown }[])[0]?.message;
}

describe('mendWhole', () => {
  it.each([
    ['a text', answer({ content: 'Hi', reasoning: 'Hm' })],
    ['a text about mending', answer({ content: 'I say "tool_calls" and "service_tier"' })],
    [
      'whole tool calls',
      answer({ content: null, tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] }),
    ],
    ["OpenAI's own tier", answer({ content: 'Hi' }, { service_tier: 'default' })],
    ['what is no JSON', Buffer.from('{"tool_calls":[')],
    ['what is no answer', Buffer.from('{"choices":7,"tool_calls":1}')],
    ['null', Buffer.from('null')],
  ])('passes %s byte for byte', (_name, body) => {
    expect(mendWhole(body)).toBe(body);
  });

  it('O19: gives a call without id one of its own, and the type and arguments it lacks', () => {
    const calls = [
      { function: { name: 'f' } },
      { id: '', function: { name: 'g', arguments: { a: 1 } } },
      { id: 'null', type: 'function', function: { name: 'h', arguments: '' } },
      { id: 'x', type: 'function', function: { name: 'i', arguments: '{}' } },
      { id: 'x', type: 'function', function: { name: 'j', arguments: '{}' } },
    ];
    expect(message({ content: '', tool_calls: calls })).toEqual({
      role: 'assistant',
      content: '',
      tool_calls: [
        { id: 'call_chatcmpl1_0_0', type: 'function', function: { name: 'f', arguments: '{}' } },
        { id: 'call_chatcmpl1_0_1', type: 'function', function: { name: 'g', arguments: '{"a":1}' } },
        { id: 'call_chatcmpl1_0_2', type: 'function', function: { name: 'h', arguments: '' } },
        { id: 'x', type: 'function', function: { name: 'i', arguments: '{}' } },
        { id: 'call_chatcmpl1_0_4', type: 'function', function: { name: 'j', arguments: '{}' } },
      ],
    });
  });

  it('O20: keeps the empty content of a call, and says null only where there was none', () => {
    const tool_calls = [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }];
    expect(message({ content: '', tool_calls })).toMatchObject({ content: '' });
    expect(message({ content: null, tool_calls })).toMatchObject({ content: null });
    expect(message({ tool_calls })).toMatchObject({ content: null });
  });

  it('leaves out calls that are null, and keeps every field it does not know', () => {
    expect(message({ content: 'Hi', tool_calls: null, prefix: false })).toEqual({
      role: 'assistant',
      content: 'Hi',
      prefix: false,
    });
    expect(mended({}, { x_groq: { id: 'r' }, usage: { queue_time: 0.5 } })).toMatchObject({
      x_groq: { id: 'r' },
      usage: { queue_time: 0.5 },
    });
  });

  it('makes a text of content in parts, its thinking beside it', () => {
    const content = [
      {
        type: 'thinking',
        thinking: [
          { type: 'text', text: 'Let me ' },
          { type: 'text', text: 'see.' },
        ],
      },
      { type: 'text', text: 'Yes' },
      { type: 'text', text: '.' },
      { type: 'reference', reference_ids: [1] },
    ];
    expect(message({ content })).toEqual({ role: 'assistant', content: 'Yes.', reasoning_content: 'Let me see.' });
  });

  it("calls a tier what OpenAI calls it, and leaves names it doesn't know", () => {
    expect(mended({ content: 'a' }, { service_tier: 'on_demand' })).toMatchObject({ service_tier: 'default' });
    expect(mended({ content: 'a' }, { service_tier: 'gold' })).toMatchObject({ service_tier: 'gold' });
  });
});
