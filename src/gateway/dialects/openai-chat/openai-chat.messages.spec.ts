import type { Message } from '../../../contract/chat-request.js';
import { GatewayError } from '../../../contract/errors.js';
import { toMessage } from './openai-chat.messages.js';
import type { WireMessage } from './openai-chat.schema.js';

const convert = (message: WireMessage): Message => toMessage(message, 'messages[3]');

function refusalOf(message: WireMessage): GatewayError {
  try {
    convert(message);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('the message was accepted');
}

describe('instructions', () => {
  it.each(['system', 'developer'] as const)('of the role %s are system turns, text by text', (role) => {
    expect(convert({ role, content: 'Be brief.' })).toEqual({
      role: 'system',
      content: [{ type: 'text', text: 'Be brief.' }],
    });
    const content = [
      { type: 'text' as const, text: 'Be brief.', cache_control: { type: 'ephemeral' } },
      { type: 'text' as const, text: 'Be kind.' },
    ];
    expect(convert({ role, content })).toEqual({
      role: 'system',
      content: [
        { type: 'text', text: 'Be brief.', cache: {} },
        { type: 'text', text: 'Be kind.' },
      ],
    });
  });
});

describe('a user turn', () => {
  const source = { type: 'base64', mediaType: 'image/png', data: 'aGk=' } as const;

  it('keeps its text and its name', () => {
    expect(convert({ role: 'user', content: 'Hi', name: 'ann' })).toEqual({
      role: 'user',
      content: [{ type: 'text', text: 'Hi' }],
      name: 'ann',
    });
    expect(convert({ role: 'user', content: [] })).toEqual({ role: 'user', content: [] });
  });

  it('keeps parts of every type in their order', () => {
    expect(
      convert({
        role: 'user',
        content: [
          { type: 'text', text: 'See' },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
          { type: 'input_audio', input_audio: { data: 'aGk=', format: 'mp3' } },
          { type: 'file', file: { file_data: 'data:application/pdf;base64,aGk=', filename: 'a.pdf' } },
          { type: 'file', file: { file_data: 'data:text/plain;base64,aGk=' } },
        ],
      }),
    ).toEqual({
      role: 'user',
      content: [
        { type: 'text', text: 'See' },
        { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' }, detail: 'low' },
        { type: 'image', source },
        { type: 'audio', source: { type: 'base64', mediaType: 'audio/mpeg', data: 'aGk=' } },
        { type: 'file', source: { ...source, mediaType: 'application/pdf' }, filename: 'a.pdf' },
        { type: 'file', source: { ...source, mediaType: 'text/plain' } },
      ],
    });
  });

  it.each([
    ['wav', 'audio/wav'],
    ['mp3', 'audio/mpeg'],
    ['flac', 'audio/flac'],
  ])('names audio of the format %s as %s', (format, mediaType) => {
    const message = convert({
      role: 'user',
      content: [{ type: 'input_audio', input_audio: { data: 'aGk=', format } }],
    });
    expect(message.content).toEqual([{ type: 'audio', source: { type: 'base64', mediaType, data: 'aGk=' } }]);
  });

  it.each([
    ['no comma', 'data:image/png;base64'],
    ['not base64', 'data:image/png,hi'],
    ['no media type', 'data:;base64,aGk='],
    ['a media type that is none', 'data:png;base64,aGk='],
    ['no data', 'data:image/png;base64,'],
    ['other characters', 'data:image/png;base64,aG k='],
    ['padding inside', 'data:image/png;base64,aG=k='],
  ])('with a broken data URL is refused by its path: %s', (_name, url) => {
    expect(refusalOf({ role: 'user', content: [{ type: 'image_url', image_url: { url } }] })).toMatchObject({
      code: 'invalid_value',
      param: 'messages[3].content[0].image_url.url',
    });
  });

  it('takes a data URL with parameters by its media type', () => {
    const url = 'data:image/svg+xml;charset=utf-8;base64,aGk_-A==';
    expect(convert({ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }).content).toEqual([
      { type: 'image', source: { type: 'base64', mediaType: 'image/svg+xml', data: 'aGk_-A==' } },
    ]);
  });

  it('with a file that was uploaded elsewhere is refused, and told what to do', () => {
    const error = refusalOf({
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'file', file: { file_id: 'file-1' } },
      ],
    });
    expect(error).toMatchObject({ code: 'invalid_value', param: 'messages[3].content[1].file' });
    expect(error.message).toContain('file_data');
  });

  it('with a file whose data is no data URL is an address, as for an image', () => {
    const [part] = convert({
      role: 'user',
      content: [{ type: 'file', file: { file_data: 'https://example.com/a.pdf' } }],
    }).content;
    expect(part).toEqual({ type: 'file', source: { type: 'url', url: 'https://example.com/a.pdf' } });
  });
});

describe('an assistant turn', () => {
  const call = (id: string, extra: object = {}) => ({
    id,
    type: 'function' as const,
    function: { name: 'look', arguments: '{"at":1}' },
    ...extra,
  });

  it('keeps text, refusals and tool calls in their order', () => {
    expect(
      convert({
        role: 'assistant',
        name: 'bo',
        content: [
          { type: 'text', text: 'Well' },
          { type: 'refusal', refusal: 'no' },
        ],
        refusal: 'never',
        tool_calls: [call('a'), call('b')],
      }),
    ).toEqual({
      role: 'assistant',
      name: 'bo',
      content: [
        { type: 'text', text: 'Well' },
        { type: 'refusal', text: 'no' },
        { type: 'refusal', text: 'never' },
        { type: 'tool-call', id: 'a', name: 'look', arguments: '{"at":1}' },
        { type: 'tool-call', id: 'b', name: 'look', arguments: '{"at":1}' },
      ],
    });
  });

  it.each([
    ['text', 'Yes', [{ type: 'text', text: 'Yes' }]],
    ['an empty text', '', [{ type: 'text', text: '' }]],
    ['null', null, []],
    ['nothing', undefined, []],
  ])('with %s as its content', (_name, content, expected) => {
    expect(convert({ role: 'assistant', content, refusal: null, tool_calls: null }).content).toEqual(expected);
  });

  it('gives the state of a tool call back to its issuer', () => {
    const extra = { extra_content: { other: {}, clouds: { state: 'c2ln' } } };
    expect(convert({ role: 'assistant', tool_calls: [call('a', extra)] }).content).toEqual([
      {
        type: 'tool-call',
        id: 'a',
        name: 'look',
        arguments: '{"at":1}',
        state: { issuer: 'clouds', value: 'c2ln' },
      },
    ]);
    expect(
      convert({ role: 'assistant', tool_calls: [call('a', { extra_content: null })] }).content[0],
    ).not.toHaveProperty('state');
  });

  it('takes reasoning from its details, before the answer, with the state where it has one', () => {
    const details = [
      { type: 'reasoning', text: 'One', issuer: 'clouds', state: 's1' },
      { type: 'reasoning', issuer: 'clouds', state: 's2' },
      { type: 'reasoning', text: 'Three', issuer: 'clouds' },
      { type: 'reasoning', text: 'Four', state: 's4' },
    ];
    expect(
      convert({ role: 'assistant', content: 'So', reasoning_content: 'OneThreeFour', reasoning_details: details })
        .content,
    ).toEqual([
      { type: 'reasoning', text: 'One', state: { issuer: 'clouds', value: 's1' } },
      { type: 'reasoning', text: '', state: { issuer: 'clouds', value: 's2' } },
      { type: 'reasoning', text: 'Three' },
      { type: 'reasoning', text: 'Four' },
      { type: 'text', text: 'So' },
    ]);
  });

  it('takes reasoning without details from its text', () => {
    for (const reasoning_details of [undefined, null, []]) {
      expect(convert({ role: 'assistant', reasoning_content: 'Hm', reasoning_details }).content).toEqual([
        { type: 'reasoning', text: 'Hm' },
      ]);
    }
    expect(convert({ role: 'assistant', reasoning_content: '' }).content).toEqual([]);
  });
});

describe('a tool result', () => {
  it('names its call and keeps its parts', () => {
    expect(convert({ role: 'tool', tool_call_id: 'a', content: 'rain' })).toEqual({
      role: 'tool',
      toolCallId: 'a',
      content: [{ type: 'text', text: 'rain' }],
    });
    const url = 'https://example.com/a.png';
    expect(
      convert({ role: 'tool', tool_call_id: 'a', content: [{ type: 'image_url', image_url: { url } }] }).content,
    ).toEqual([{ type: 'image', source: { type: 'url', url } }]);
  });

  it('with audio is refused by its path', () => {
    const audio = { type: 'input_audio' as const, input_audio: { data: 'aGk=', format: 'wav' } };
    expect(refusalOf({ role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'a' }, audio] })).toMatchObject(
      {
        code: 'invalid_value',
        param: 'messages[3].content[1]',
      },
    );
  });
});
