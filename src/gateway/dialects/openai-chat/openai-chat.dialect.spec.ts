import type { ChatPart } from '../../../contract/chat-response.js';
import { GatewayError } from '../../../contract/errors.js';
import type { JsonObject } from '../../../contract/json.js';
import type { LossWarning } from '../../../contract/provider.js';
import { openAiChatDialect } from './openai-chat.dialect.js';

const MESSAGES = [{ role: 'user', content: 'Hi' }];
const OPTIONS = { requestId: 'req_1', model: 'm', nowSeconds: 1, includeUsage: false };

const envelope = (fields: JsonObject) => openAiChatDialect.envelope({ model: 'm', messages: MESSAGES, ...fields }, 123);

function refusalOf(fields: JsonObject): GatewayError {
  try {
    envelope(fields);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('the body was accepted');
}

/** The native body, and what was lost on the way to it. */
function toNative(body: JsonObject) {
  const warnings: LossWarning[] = [];
  const native = openAiChatDialect.toNative(body, 'deployment', (warning) => warnings.push(warning));
  return { native, warnings };
}

describe('the envelope of a chat call', () => {
  it('is what routing and quota need, with the defaults of the dialect', () => {
    expect(envelope({})).toEqual({
      operation: 'chat',
      dialect: 'openai-chat',
      model: 'm',
      stream: false,
      bodyBytes: 123,
      choices: 1,
    });
  });

  it('reads the bound of tokens by its newer name first, the choices and the stream', () => {
    expect(envelope({ max_completion_tokens: 5, max_tokens: 7, n: 3, stream: true })).toMatchObject({
      maxOutputTokens: 5,
      choices: 3,
      stream: true,
    });
    expect(envelope({ max_completion_tokens: null, max_tokens: 7, n: null, stream: null })).toMatchObject({
      maxOutputTokens: 7,
      choices: 1,
      stream: false,
    });
  });

  it('leaves everything it does not need to whoever answers', () => {
    expect(() => envelope({ tools: 'nonsense', messages: [{ role: 'user', content: 5 }] })).not.toThrow();
  });

  it.each<[string, JsonObject, string]>([
    ['no model', { model: undefined }, 'model'],
    ['an empty model', { model: '' }, 'model'],
    ['a model that is no text', { model: 5 }, 'model'],
    ['no messages', { messages: undefined }, 'messages'],
    ['messages that are no list', { messages: 'Hi' }, 'messages'],
    ['an empty conversation', { messages: [] }, 'messages'],
    ['a message that is none', { messages: [...MESSAGES, 'Hi'] }, 'messages[1]'],
    ['a message without a role', { messages: [{ content: 'Hi' }] }, 'messages[0]'],
    ['a stream that is no switch', { stream: 'yes' }, 'stream'],
    ['stream options that are none', { stream_options: true }, 'stream_options'],
    ['a bound of no tokens', { max_tokens: 0 }, 'max_tokens'],
    ['a bound that is no whole number', { max_completion_tokens: 1.5 }, 'max_completion_tokens'],
    ['a bound as text', { max_tokens: '5' }, 'max_tokens'],
    ['too many choices', { n: 129 }, 'n'],
    ['a temperature out of range', { temperature: 2.1 }, 'temperature'],
    ['a probability out of range', { top_p: 1.1 }, 'top_p'],
    ['a penalty out of range', { presence_penalty: -2.1 }, 'presence_penalty'],
    ['the other penalty out of range', { frequency_penalty: 2.1 }, 'frequency_penalty'],
    ['too many alternatives', { top_logprobs: 21 }, 'top_logprobs'],
    ['a seed that is no whole number', { seed: 0.5 }, 'seed'],
  ])('refuses %s by the name of the field', (_name, fields, param) => {
    expect(refusalOf(fields)).toMatchObject({ code: 'invalid_value', status: 400, param });
  });
});

describe('the native body of a chat call', () => {
  it('is the caller’s own with the deployment’s model', () => {
    const body = { model: 'm', messages: MESSAGES, stream: false, unknown: { a: [1] } };
    expect(toNative(body)).toEqual({ native: { ...body, model: 'deployment' }, warnings: [] });
    expect(body.model).toBe('m');
  });

  it('asks for the usage of a stream, whatever the caller asked', () => {
    const base = { model: 'm', messages: MESSAGES, stream: true };
    for (const options of [undefined, null, { include_usage: false }]) {
      expect(toNative({ ...base, stream_options: options }).native['stream_options']).toEqual({ include_usage: true });
    }
    const options = { include_obfuscation: false };
    expect(toNative({ ...base, stream_options: options }).native['stream_options']).toEqual({
      include_obfuscation: false,
      include_usage: true,
    });
    expect(options).not.toHaveProperty('include_usage');
  });

  it('is without what other providers gave their answers for us to give back, and says so', () => {
    const call = { id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } };
    const details = [{ type: 'reasoning', text: 'Hm', issuer: 'clouds', state: 's' }];
    const body = {
      model: 'm',
      messages: [
        ...MESSAGES,
        {
          role: 'assistant',
          content: null,
          tool_calls: [call, { ...call, extra_content: { clouds: { state: 's' } } }],
        },
        { role: 'tool', tool_call_id: 'a', content: 'rain' },
        { role: 'assistant', content: 'So', reasoning_content: 'Hm', reasoning_details: details },
      ],
    };
    const before = structuredClone(body);
    const { native, warnings } = toNative(body);
    expect(native['messages']).toEqual([
      ...MESSAGES,
      { role: 'assistant', content: null, tool_calls: [call, call] },
      { role: 'tool', tool_call_id: 'a', content: 'rain' },
      { role: 'assistant', content: 'So' },
    ]);
    expect(warnings.map(({ field, kind }) => [field, kind])).toEqual([
      ['messages[1].tool_calls[1].extra_content', 'dropped'],
      ['messages[3].reasoning_details', 'dropped'],
    ]);
    expect(body).toEqual(before);
  });

  it('keeps reasoning that no state of ours stands beside: the provider may know the field', () => {
    const messages = [...MESSAGES, { role: 'assistant', content: 'So', reasoning_content: 'Hm' }];
    expect(toNative({ model: 'm', messages })).toEqual({ native: { model: 'deployment', messages }, warnings: [] });
  });
});

describe('the usage of a stream', () => {
  it.each<[unknown, boolean]>([
    [{ stream_options: { include_usage: true } }, true],
    [{ stream_options: { include_usage: false } }, false],
    [{ stream_options: { include_usage: 'true' } }, false],
    [{ stream_options: null }, false],
    [{}, false],
  ])('of %j is wanted: %s', (body, wanted) => {
    expect(openAiChatDialect.wantsStreamUsage(body as JsonObject)).toBe(wanted);
  });
});

describe('the caller’s names', () => {
  it.each([
    ['maxOutputTokens', 'max_completion_tokens'],
    ['responseFormat.json_schema', 'response_format.json_schema'],
    ['messages[2].content[0]', 'messages[2].content[0]'],
    ['tools[0].strict', 'tools[0].strict'],
    ['choices', 'n'],
    ['seed', 'seed'],
    ['somethingElse', 'somethingElse'],
  ])('for %s: %s', (canonical, name) => {
    expect(openAiChatDialect.fieldName(canonical)).toBe(name);
  });
});

describe('state that a provider wants back', () => {
  const state = (value: string) => ({ issuer: 'clouds', value });
  const expected = [
    { type: 'reasoning', text: 'Let me see.', state: state('s1') },
    { type: 'reasoning', text: '', state: state('hidden') },
    { type: 'text', text: 'Looking.' },
    { type: 'tool-call', id: 'call_a', name: 'look', arguments: '{"at":1}', state: state('s2') },
  ] as const;
  const givenBack = (message: JsonObject) =>
    openAiChatDialect.toCanonical({ model: 'm', messages: [...MESSAGES, message] }, () => undefined).messages[1]
      ?.content;

  it('comes back from a whole answer as it went out', () => {
    const response = { choices: [{ content: expected, finishReason: 'tool-calls' as const }] };
    const { choices } = JSON.parse(openAiChatDialect.present(response, OPTIONS));
    expect(givenBack(choices[0].message)).toEqual(expected);
  });

  it('comes back from a stream whose deltas were put together', () => {
    const parts: ChatPart[] = [
      { type: 'reasoning-delta', text: 'Let me ' },
      { type: 'reasoning-delta', text: 'see.' },
      { type: 'reasoning-delta', text: '', state: state('s1') },
      { type: 'reasoning-delta', text: '', state: state('hidden') },
      { type: 'text-delta', text: 'Looking.' },
      { type: 'tool-call-start', index: 0, id: 'call_a', name: 'look', state: state('s2') },
      { type: 'tool-call-delta', index: 0, arguments: '{"at":1}' },
    ];
    const presenter = openAiChatDialect.presenter(OPTIONS);
    const message = { role: 'assistant', content: '', reasoning_content: '' };
    const details: JsonObject[] = [];
    const calls: { function: { arguments: string } }[] = [];
    for (const event of parts.flatMap((part) => presenter.present(part).split('\n\n').slice(0, -1))) {
      const [{ delta }] = JSON.parse(event.slice(6)).choices;
      message.content += delta.content ?? '';
      message.reasoning_content += delta.reasoning_content ?? '';
      details.push(...(delta.reasoning_details ?? []));
      for (const { index, ...call } of delta.tool_calls ?? []) {
        const known = calls[index];
        if (known === undefined) calls[index] = call;
        else known.function.arguments += call.function.arguments;
      }
    }
    const whole = { ...message, reasoning_details: details, tool_calls: calls as unknown as JsonObject[] };
    expect(givenBack(whole)).toEqual(expected);
  });
});
