import type { Dialect } from '../../src/contract/dialect.js';
import type { JsonObject } from '../../src/contract/json.js';
import type { LossWarning, NativeAbility, NativeResponse } from '../../src/contract/provider.js';
import { openAICompatibleSettings } from '../../src/providers/openai-compatible/openai-compatible.config.js';
import { OpenAICompatibleProviders } from '../../src/providers/openai-compatible/openai-compatible.module.js';
import { openAISettings } from '../../src/providers/openai/openai.config.js';
import { OpenAIProviders } from '../../src/providers/openai/openai.module.js';
import { Transport } from '../../src/transport/transport.js';
import { FakeOpenAI } from '../support/fake-openai.ts';
import { sseEvent, type WireHabits } from '../support/fake-openai-wire.ts';
import { contextOf } from '../support/provider-context.ts';
import { drain } from '../support/transport-calls.ts';

const KEY = 'openai-test-key';
const JSON_HEADERS = { 'content-type': 'application/json' };
const ASK: JsonObject = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };

interface Forwarding {
  readonly body?: JsonObject;
  readonly dialect?: Dialect;
  readonly stream?: boolean;
}

describe('bodies forwarded on OpenAI’s wire', () => {
  let transport: Transport;
  let fake: FakeOpenAI;
  let warnings: LossWarning[];

  beforeEach(() => {
    warnings = [];
    transport = new Transport({ connectionsPerOrigin: 4, keepAliveMs: 4_000, maxResponseBytes: 1_000_000 });
  });

  afterEach(async () => {
    await transport.close();
    await fake.close();
  });

  async function openAI(): Promise<NativeAbility | undefined> {
    fake = new FakeOpenAI(KEY);
    const settings = openAISettings.parse({ baseUrl: `${await fake.listen()}/v1`, apiKey: KEY });
    return new OpenAIProviders(transport).create('openai', settings).native;
  }

  async function compatible(more: object, habits: Partial<WireHabits> = {}): Promise<NativeAbility | undefined> {
    fake = new FakeOpenAI(KEY, habits);
    const settings = openAICompatibleSettings.parse({ baseUrl: `${await fake.listen()}/v1`, apiKey: KEY, ...more });
    return new OpenAICompatibleProviders(transport).create('compatible', settings).native;
  }

  function send(native: NativeAbility | undefined, call: Forwarding = {}): Promise<NativeResponse> {
    if (native === undefined) throw new Error('the provider forwards nothing');
    const { body = ASK, dialect = 'openai-chat', stream = false } = call;
    const warn = (warning: LossWarning): void => void warnings.push(warning);
    return native.send({ dialect, model: 'gpt', stream, body, context: contextOf(), warn });
  }

  async function streamed(native: NativeAbility | undefined): Promise<{ text: string; response: NativeResponse }> {
    const response = await send(native, { stream: true, body: { ...ASK, stream: true } });
    if (response.type !== 'stream') throw new Error('expected a stream');
    const { text } = await drain(response.source);
    for (const [, data = ''] of text.matchAll(/^data: (.*)$/gm)) response.tap.event(data);
    return { text, response };
  }

  const parsed = (response: NativeResponse): JsonObject =>
    JSON.parse(response.type === 'whole' ? response.body.toString() : '{}') as JsonObject;

  it('O06: pass a stream byte for byte: usage null, obfuscation, a fingerprint of null', async () => {
    const native = await openAI();
    const chunk = { id: 'c', choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }] };
    const odd = { ...chunk, usage: null, obfuscation: 'aX9', system_fingerprint: null, brand_new: { a: 1 } };
    const pieces = [sseEvent(odd), Buffer.from('data: [DONE]\n\n')];
    fake.enqueue({ wire: { status: 200, headers: { 'content-type': 'text/event-stream' }, pieces } });
    expect((await streamed(native)).text).toBe(Buffer.concat(pieces).toString());
  });

  it.each([
    ['O09', 'max_tokens', 'unsupported_parameter', "Unsupported parameter: 'max_tokens' is not supported."],
    ['O10', 'messages', 'empty_array', "Invalid 'messages': empty array."],
    ['O12', 'temperature', 'unsupported_value', "Unsupported value: 'temperature' does not support 0."],
    ['O16', 'messages[0].role', 'unsupported_value', "'messages[0].role' does not support 'developer'."],
  ])('%s: what OpenAI says of %s reaches the caller as it was said', async (_case, param, code, message) => {
    const native = await openAI();
    fake.enqueue({
      failure: { status: 400, body: { error: { message, param, code, type: 'invalid_request_error' } } },
    });
    await expect(send(native)).rejects.toMatchObject({
      code: 'provider_rejected',
      status: 400,
      param,
      providerCode: code,
      message,
    });
  });

  it('O11: a model OpenAI does not know is the operator’s to mend, a 502 without its words', async () => {
    const native = await openAI();
    fake.enqueue({ failure: { status: 404, code: 'model_not_found', message: 'The model `x` does not exist.' } });
    await expect(send(native)).rejects.toMatchObject({
      code: 'provider_not_found',
      status: 502,
      providerCode: undefined,
    });
  });

  it('O13: vectors come back as they were asked for, base64 as base64', async () => {
    const native = await openAI();
    for (const [encoding_format, type] of [
      ['base64', 'string'],
      ['float', 'object'],
    ] as const) {
      const body = { model: 'm', input: 'a', encoding_format };
      const { data } = parsed(await send(native, { dialect: 'openai-embeddings', body })) as { data: JsonObject[] };
      expect(typeof data[0]?.['embedding']).toBe(type);
    }
  });

  it('O13: vectors of a server that knows no base64 are not forwarded but made by the gateway', async () => {
    expect([...((await compatible({})) ?? { dialects: [] }).dialects]).toEqual(['openai-chat']);
    await fake.close();
    expect([...((await compatible({ embeddings: 'base64' })) ?? { dialects: [] }).dialects]).toEqual([
      'openai-chat',
      'openai-embeddings',
    ]);
  });

  it('O14: a refusal stays a refusal', async () => {
    const native = await openAI();
    fake.enqueue({ reply: { refusal: 'I cannot.' } });
    expect(parsed(await send(native))).toMatchObject({
      choices: [{ finish_reason: 'stop', message: { content: null, refusal: 'I cannot.' } }],
    });
  });

  it('O15: a stream cut in the middle is not complete, and one without its mark is', async () => {
    const native = await compatible({}, { done: false, usage: 'last-content' });
    const { response } = await streamed(native);
    expect(response.type === 'stream' && response.tap.isComplete()).toBe(true);
    expect(response.type === 'stream' && response.tap.usage()).toMatchObject({ promptTokens: 11, source: 'final' });
    fake.enqueue({ delivery: { endAfterBytes: 500 } });
    const cut = (await streamed(native)).response;
    expect(cut.type === 'stream' && cut.tap.isComplete()).toBe(false);
  });

  it('O15: bytes of an open event are a break, though every choice has finished', async () => {
    const native = await compatible({});
    const whole = sseEvent({ id: 'c', choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }] });
    const pieces = [whole, Buffer.from('data: {"choi')];
    fake.enqueue({ wire: { status: 200, headers: { 'content-type': 'text/event-stream' }, pieces } });
    const response = await send(native, { stream: true, body: { ...ASK, stream: true } });
    if (response.type !== 'stream') throw new Error('expected a stream');
    expect(await drain(response.source)).toMatchObject({ text: whole.toString(), error: 'provider_stream_broken' });
  });

  it('O17: functions and function_call are forwarded, and so is the call', async () => {
    const native = await openAI();
    const message = { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } };
    const answer = { id: 'c', choices: [{ index: 0, message, finish_reason: 'function_call' }] };
    fake.enqueue({ wire: { status: 200, headers: JSON_HEADERS, pieces: [Buffer.from(JSON.stringify(answer))] } });
    const body = { ...ASK, functions: [{ name: 'f', parameters: {} }], function_call: 'auto' };
    expect(parsed(await send(native, { body }))).toEqual(answer);
    expect(fake.records[0]?.json).toEqual({ ...body, model: 'gpt' });
  });

  it('O19: a call without id gets one, in whole answers and in streams', async () => {
    const native = await compatible({}, { callIds: false });
    const reply = { toolCalls: [{ id: '', name: 'f', arguments: '{"a":1}' }] };
    fake.enqueue({ reply }, { reply });
    const id = 'call_chatcmplfake_0_0';
    expect(parsed(await send(native))).toMatchObject({
      choices: [{ message: { tool_calls: [{ id, type: 'function' }] } }],
    });
    const { text } = await streamed(native);
    expect(text.split(id)).toHaveLength(2);
    expect(text).toContain('"type":"function"');
  });

  it('O20: empty content and null content of a call stay what they were, both ways', async () => {
    const native = await openAI();
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
    for (const content of ['', null]) {
      const body = { ...ASK, messages: [{ role: 'assistant', content, tool_calls: [call] }] };
      await send(native, { body });
      expect(fake.records.at(-1)?.json).toEqual({ ...body, model: 'gpt' });
    }
  });

  it('sends unknown fields untouched, and takes out with a warning what is declared absent', async () => {
    const native = await compatible({ preset: 'deepseek' });
    await send(native, { body: { ...ASK, seed: 7, max_completion_tokens: 9, brand_new: { a: [1] } } });
    expect(fake.records[0]?.json).toEqual({ ...ASK, model: 'gpt', max_tokens: 9, brand_new: { a: [1] } });
    expect(warnings).toMatchObject([{ field: 'seed', kind: 'dropped' }]);
  });

  it('reports a loss before anything is sent, so that it can still be refused', async () => {
    const native = await compatible({ unsupported: ['seed'] });
    const context = {
      ...contextOf(),
      beforeSend: () => {
        if (warnings.length > 0) throw new Error('refused');
      },
    };
    const warn = (warning: LossWarning): void => void warnings.push(warning);
    const body = { ...ASK, seed: 7 };
    await expect(
      native?.send({ dialect: 'openai-chat', model: 'gpt', stream: false, body, context, warn }),
    ).rejects.toBeDefined();
    expect(fake.records).toHaveLength(0);
  });

  it('finds an error behind blanks, and one in place of a stream', async () => {
    const native = await compatible({});
    const error = Buffer.from('\n  {"error":{"code":429,"message":"m"}}');
    const wire = { status: 200, headers: JSON_HEADERS, pieces: [error] };
    fake.enqueue({ wire }, { wire });
    await expect(send(native)).rejects.toMatchObject({ code: 'provider_rate_limited' });
    await expect(send(native, { stream: true })).rejects.toMatchObject({ code: 'provider_rate_limited' });
  });
});
