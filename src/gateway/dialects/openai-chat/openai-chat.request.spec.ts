import { GatewayError } from '../../../contract/errors.js';
import type { JsonObject } from '../../../contract/json.js';
import { toCanonicalChat } from './openai-chat.request.js';

const MESSAGES = [{ role: 'user', content: 'Hi' }];
const CANONICAL = { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] };

const convert = (fields: JsonObject) => toCanonicalChat({ model: 'm', messages: MESSAGES, ...fields });

function refusalOf(fields: JsonObject): GatewayError {
  try {
    convert(fields);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('the body was accepted');
}

describe('a chat request', () => {
  it('asks for nothing that the caller did not ask for', () => {
    expect(convert({})).toEqual(CANONICAL);
    expect(convert({ stream: true, stream_options: { include_usage: true } })).toEqual(CANONICAL);
  });

  it('takes null for absent, in every field', () => {
    const names = [
      'stream',
      'stream_options',
      'max_completion_tokens',
      'max_tokens',
      'n',
      'temperature',
      'top_p',
      'presence_penalty',
      'frequency_penalty',
      'seed',
      'stop',
      'logprobs',
      'top_logprobs',
      'logit_bias',
      'tools',
      'tool_choice',
      'parallel_tool_calls',
      'response_format',
      'reasoning_effort',
      'service_tier',
      'user',
      'functions',
      'something_new',
    ];
    expect(convert(Object.fromEntries(names.map((name) => [name, null])))).toEqual(CANONICAL);
  });

  it('carries every parameter over', () => {
    const parameters = { type: 'object', properties: { at: { type: 'string' } } };
    expect(
      convert({
        max_completion_tokens: 10,
        max_tokens: 20,
        n: 2,
        temperature: 0,
        top_p: 0.5,
        presence_penalty: -1,
        frequency_penalty: 1,
        seed: 0,
        stop: ['a', 'b'],
        logprobs: true,
        top_logprobs: 3,
        logit_bias: { '50256': -100 },
        tools: [
          { type: 'function', function: { name: 'look', description: 'Looks.', parameters, strict: true } },
          { type: 'function', function: { name: 'leap', description: null, parameters: null, strict: null } },
        ],
        tool_choice: { type: 'function', function: { name: 'look' } },
        parallel_tool_calls: false,
        reasoning_effort: 'high',
        service_tier: 'flex',
        user: 'u-1',
        metadata: { a: 'b' },
        store: false,
      }),
    ).toEqual({
      ...CANONICAL,
      maxOutputTokens: 10,
      choices: 2,
      temperature: 0,
      topP: 0.5,
      presencePenalty: -1,
      frequencyPenalty: 1,
      seed: 0,
      stop: ['a', 'b'],
      logprobs: { top: 3 },
      logitBias: { '50256': -100 },
      tools: [{ name: 'look', description: 'Looks.', parameters, strict: true }, { name: 'leap' }],
      toolChoice: { type: 'tool', name: 'look' },
      parallelToolCalls: false,
      reasoningEffort: 'high',
      serviceTier: 'flex',
      endUser: 'u-1',
      extra: { metadata: { a: 'b' }, store: false },
    });
  });

  it('takes the older bound of tokens where the newer is absent, and a single stop as a list', () => {
    expect(convert({ max_tokens: 20, stop: 'END' })).toEqual({ ...CANONICAL, maxOutputTokens: 20, stop: ['END'] });
  });

  it('asks for log probabilities only where they are switched on', () => {
    expect(convert({ logprobs: false, top_logprobs: 5 })).toEqual(CANONICAL);
    expect(convert({ logprobs: true })).toEqual({ ...CANONICAL, logprobs: { top: 0 } });
  });

  it.each(['auto', 'none', 'required'])('knows the tool choice %s', (choice) => {
    expect(convert({ tool_choice: choice }).toolChoice).toEqual({ type: choice });
  });

  it.each([
    [{ type: 'text' }, { type: 'text' }],
    [{ type: 'json_object' }, { type: 'json-object' }],
    [
      { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' }, strict: true, description: 'd' } },
      { type: 'json-schema', name: 'a', schema: { type: 'object' }, strict: true, description: 'd' },
    ],
    [
      { type: 'json_schema', json_schema: { name: 'a', strict: null } },
      { type: 'json-schema', name: 'a', schema: {} },
    ],
  ])('knows the response format %j', (format, expected) => {
    expect(convert({ response_format: format }).responseFormat).toEqual(expected);
  });

  it('keeps what the contract has no word for, null excepted', () => {
    expect(convert({ thinking: { type: 'enabled' }, modalities: ['text'], audio: null }).extra).toEqual({
      thinking: { type: 'enabled' },
      modalities: ['text'],
    });
  });

  it.each([
    ['functions', [{ name: 'look' }], 'tools'],
    ['function_call', 'auto', 'tool_choice'],
  ])('refuses the older form %s and names its successor', (name, value, successor) => {
    const error = refusalOf({ [name]: value });
    expect(error).toMatchObject({ code: 'unsupported_parameter', status: 400, param: name });
    expect(error.message).toContain(`"${successor}"`);
  });
});

describe('a chat request that is wrong', () => {
  const message = (fields: JsonObject) => ({ messages: [...MESSAGES, { role: 'user', content: 'a', ...fields }] });

  it.each<[string, JsonObject, string]>([
    ['an unknown role', { messages: [{ role: 'function', name: 'f', content: '1' }] }, 'messages[0].role'],
    ['a content that is no text', message({ content: 1 }), 'messages[1].content'],
    ['a text part without text', message({ content: [{ type: 'text' }] }), 'messages[1].content[0].text'],
    ['a part of unknown type', message({ content: [{ type: 'video' }] }), 'messages[1].content[0].type'],
    [
      'an image without an address',
      message({ content: [{ type: 'image_url', image_url: {} }] }),
      'messages[1].content[0].image_url.url',
    ],
    [
      'a tool call without a name',
      message({ role: 'assistant', tool_calls: [{ id: 'a', function: { arguments: '' } }] }),
      'messages[1].tool_calls[0].function.name',
    ],
    ['a result without its call', message({ role: 'tool' }), 'messages[1].tool_call_id'],
    ['a tool of another type', { tools: [{ type: 'custom', custom: { name: 'a' } }] }, 'tools[0].type'],
    ['a tool choice without a name', { tool_choice: { type: 'function', function: {} } }, 'tool_choice.function.name'],
    ['an unknown tool choice', { tool_choice: 'any' }, 'tool_choice'],
    ['a response format without a schema', { response_format: { type: 'json_schema' } }, 'response_format.json_schema'],
    [
      'a schema that is no object',
      { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: [] } } },
      'response_format.json_schema.schema',
    ],
    ['a temperature out of range', { temperature: 3 }, 'temperature'],
    ['an unknown effort', { reasoning_effort: 'most' }, 'reasoning_effort'],
    ['a bias that is no number', { logit_bias: { '5': 'a' } }, 'logit_bias.5'],
    ['a list of stops with a number', { stop: ['a', 1] }, 'stop[1]'],
  ])('is refused by the path of the field: %s', (_name, fields, param) => {
    const error = refusalOf(fields);
    expect(error).toMatchObject({ code: 'invalid_value', status: 400, param });
    expect(error.message.startsWith(`"${param}" `)).toBe(true);
  });

  it('is refused as a whole where no field is at fault', () => {
    expect(() => toCanonicalChat({ messages: MESSAGES })).toThrow('"model"');
  });
});

describe('a chat request that no model is asked', () => {
  it.each(['disabled', 'invalid', '', 'most'])('G32: names no effort there is: %j', (effort) => {
    expect(refusalOf({ reasoning_effort: effort })).toMatchObject({
      code: 'invalid_value',
      status: 400,
      param: 'reasoning_effort',
    });
  });

  it('O10: has no messages', () => {
    expect(refusalOf({ messages: [] })).toMatchObject({ code: 'invalid_value', status: 400, param: 'messages' });
  });
});
