import { toMessage } from './openai-chat.messages.js';
import { toCanonicalChat } from './openai-chat.request.js';
import type { WireMessage } from './openai-chat.schema.js';

const convert = (message: WireMessage) => toMessage(message, 'messages[0]');
const cached = { cache_control: { type: 'ephemeral' } };

describe('cache_control', () => {
  it('on a message stands after its last part, unless that has one of its own', () => {
    expect(convert({ role: 'system', content: 'Rules.', ...cached })).toMatchObject({ content: [{ cache: {} }] });
    const content = [
      { type: 'text' as const, text: 'a' },
      { type: 'text' as const, text: 'b', cache_control: { type: 'ephemeral', ttl: '1h' } },
    ];
    expect(convert({ role: 'user', content, ...cached })).toEqual({
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b', cache: { ttl: '1h' } },
      ],
    });
  });

  it('keeps lifetimes the contract knows, and means the default by others', () => {
    const ttlOf = (ttl: string) =>
      convert({ role: 'system', content: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl } }] });
    expect(ttlOf('5m')).toMatchObject({ content: [{ cache: { ttl: '5m' } }] });
    expect(ttlOf('2d')).toMatchObject({ content: [{ cache: {} }] });
  });

  it('of another kind than ephemeral is none', () => {
    const message = convert({ role: 'user', content: 'a', cache_control: { type: 'persistent' } });
    expect(message).toEqual({ role: 'user', content: [{ type: 'text', text: 'a' }] });
  });

  it('stands on tool calls, tool results and tools', () => {
    const call = { id: 'c1', function: { name: 'f', arguments: '{}' }, ...cached };
    expect(convert({ role: 'assistant', content: null, tool_calls: [call] })).toMatchObject({
      content: [{ cache: {} }],
    });
    expect(convert({ role: 'tool', tool_call_id: 'c1', content: 'x', is_error: true, ...cached })).toMatchObject({
      isError: true,
      cache: {},
    });
    const request = toCanonicalChat({
      model: 'm',
      messages: [{ role: 'user', content: 'a' }],
      tools: [{ type: 'function', function: { name: 'f' }, ...cached }],
    });
    expect(request.tools).toEqual([{ name: 'f', cache: {} }]);
  });
});

describe('thinking', () => {
  const request = (thinking: Record<string, string | number>) =>
    toCanonicalChat({ model: 'm', messages: [{ role: 'user', content: 'a' }], thinking });

  it('with a budget is a budget', () => {
    expect(request({ type: 'enabled', budget_tokens: 2_048 })).toMatchObject({ reasoningBudgetTokens: 2_048 });
    expect(request({ type: 'enabled', budget_tokens: 2_048 }).extra).toBeUndefined();
  });

  it('that is off asks for no reasoning', () => {
    expect(request({ type: 'disabled' })).toMatchObject({ reasoningEffort: 'none' });
  });

  it('of another kind is left to the provider', () => {
    const thinking = { type: 'adaptive', display: 'summarized' };
    expect(request(thinking).extra).toEqual({ thinking });
  });
});
