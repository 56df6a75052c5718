import { AZURE_CONTENT_FILTER, FakeAzureOpenAI } from '../../../test/support/fake-azure-openai.ts';
import type { Script } from '../../../test/support/fake-upstream.ts';
import { contextOf, type ContextOptions } from '../../../test/support/provider-context.ts';
import { drain } from '../../../test/support/transport-calls.ts';
import type { JsonObject } from '../../contract/json.js';
import { NATIVE_EVENT, type NativeAbility, type NativeCall, type NativeResponse } from '../../contract/provider.js';
import { SseSplitter } from '../../transport/sse-splitter.js';
import { Transport } from '../../transport/transport.js';
import { azureOpenAISettings } from './azure-openai.config.js';
import { AzureOpenAIProviders } from './azure-openai.module.js';

const BODY: JsonObject = { model: 'public-name', messages: [{ role: 'user', content: 'Hi' }], logit_bias: { '1': 2 } };
const WHOLE = Buffer.from(
  '{ "id":"x", "choices":[], "unknown": 1e2, "usage": {"prompt_tokens":3,"completion_tokens":4} }\n',
);

describe('native forwarding', () => {
  let fake: FakeAzureOpenAI;
  let transport: Transport;
  let endpoint: string;

  beforeEach(async () => {
    fake = new FakeAzureOpenAI('key-1');
    endpoint = await fake.listen();
    transport = new Transport({ connectionsPerOrigin: 4, keepAliveMs: 4_000, maxResponseBytes: 1_000_000 });
  });

  afterEach(async () => {
    await transport.close();
    await fake.close();
  });

  function native(settings: object = {}): NativeAbility {
    const parsed = azureOpenAISettings.parse({ endpoint, apiKey: 'key-1', ...settings });
    const ability = new AzureOpenAIProviders(transport).create('azure', parsed).native;
    if (ability === undefined) throw new Error('the provider forwards nothing');
    return ability;
  }

  function send(
    call: Partial<NativeCall> & { context?: NativeCall['context'] } = {},
    settings = {},
  ): Promise<NativeResponse> {
    const context = contextOf();
    return native(settings).send({
      dialect: 'openai-chat',
      model: 'gpt-4o',
      stream: false,
      body: BODY,
      context,
      ...call,
    });
  }

  interface StreamRun {
    readonly bytes: string;
    readonly error: string | undefined;
    readonly bits: number[];
    readonly response: Extract<NativeResponse, { type: 'stream' }>;
  }

  async function stream(script: Script, options: ContextOptions = {}): Promise<StreamRun> {
    fake.enqueue(script);
    const body = { ...BODY, stream: true, stream_options: { include_usage: true } };
    const response = await send({ stream: true, body, context: contextOf(options) });
    if (response.type !== 'stream') throw new Error('expected a stream');
    const { text, error } = await drain(response.source);
    const events = new SseSplitter(1_000_000).push(Buffer.from(text));
    return { bytes: text, error, bits: events.map(({ data }) => response.tap.event(data)), response };
  }

  it('O05: sends the body to the deployment, its own model name in it', async () => {
    await send();
    await send({}, { api: 'v1' });
    expect(fake.records.map(({ path }) => path)).toEqual([
      '/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21',
      '/openai/v1/chat/completions',
    ]);
    for (const { json } of fake.records) expect(json).toEqual({ ...BODY, model: 'gpt-4o' });
  });

  it('returns the answer byte for byte, with its usage', async () => {
    fake.enqueue({ wire: { status: 200, headers: { 'content-type': 'application/json' }, pieces: [WHOLE] } });
    const response = await send();
    expect(response).toMatchObject({ type: 'whole', usage: { promptTokens: 3, completionTokens: 4, source: 'final' } });
    expect(response.type === 'whole' && response.body.equals(WHOLE)).toBe(true);
    expect(response.headers['content-type']).toBe('application/json');
  });

  it('passes on only headers that are meant for callers', async () => {
    const headers = {
      'content-type': 'application/json',
      'x-ms-region': 'r',
      'set-cookie': 'a=b',
      'x-ratelimit-limit-tokens': '1',
    };
    fake.enqueue({ wire: { status: 200, headers, pieces: [WHOLE] } });
    expect((await send()).headers).toEqual({ 'content-type': 'application/json', 'x-ms-region': 'r' });
  });

  it('forwards embeddings in the encoding asked for', async () => {
    const body = { model: 'e', input: ['a', 'b'], encoding_format: 'base64' };
    const response = await send({ dialect: 'openai-embeddings', model: 'embedder', body });
    const answer = response.type === 'whole' ? JSON.parse(response.body.toString()) : undefined;
    expect(answer.data.map(({ embedding }: { embedding: unknown }) => typeof embedding)).toEqual(['string', 'string']);
    expect(response).toMatchObject({ usage: { promptTokens: 11, completionTokens: 0 } });
  });

  it('O01, O02: streams the bytes, filter results included, and watches them: commit, usage and end', async () => {
    const { bits, response, error, bytes } = await stream({ reply: { deltas: ['Hé', 'llo'] } });
    expect(error).toBeUndefined();
    expect(bytes).toContain('prompt_filter_results');
    expect(bytes).toContain('"content_filter_results":{"hate"');
    const { none, content, usageOnly, terminal } = NATIVE_EVENT;
    expect(bits).toEqual([none, none, content, content, none, usageOnly, terminal]);
    expect(response.tap.usage()).toMatchObject({ promptTokens: 11, completionTokens: 7, source: 'final' });
    expect(response.tap.isComplete()).toBe(true);
    expect(response.tap.generatedBytes()).toBe(6);
  });

  it('O15: is not complete when the stream broke off', async () => {
    const cut = await stream({ delivery: { endAfterBytes: 900 } });
    expect(cut).toMatchObject({ error: undefined });
    expect(cut.response.tap.isComplete()).toBe(false);
    expect((await stream({ delivery: { resetAfterBytes: 900 } })).error).toBe('provider_stream_broken');
  });

  it.each([
    [undefined, true],
    [2, false],
  ])('with n: %s, one ended choice makes a stream complete: %s', async (n, isComplete) => {
    const body = { ...BODY, stream: true, ...(n === undefined ? {} : { n }) };
    const response = await send({ stream: true, body });
    if (response.type !== 'stream') throw new Error('expected a stream');
    await drain(response.source);
    response.tap.event('{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}');
    expect(response.tap.isComplete()).toBe(isComplete);
  });

  it('uses a connection again after a stream was read to its end', async () => {
    await stream({});
    await new Promise(setImmediate);
    await stream({});
    expect(fake.connections).toBe(1);
  });

  it.each([false, true])('O03: keeps what a filter said, stream: %s', async (isStream) => {
    fake.enqueue({ failure: AZURE_CONTENT_FILTER });
    await expect(send({ stream: isStream, body: { ...BODY, stream: isStream } })).rejects.toMatchObject({
      code: 'content_filter',
      status: 400,
      param: 'prompt',
      extra: { innererror: { code: 'ResponsibleAIPolicyViolation' } },
    });
  });

  it('takes a wrong key for our own fault', async () => {
    await expect(send({}, { apiKey: 'key-2' })).rejects.toMatchObject({ code: 'provider_authentication', status: 502 });
  });

  it('refuses a success that is no JSON, or no stream', async () => {
    const html = { status: 200, headers: { 'content-type': 'text/html' }, pieces: [Buffer.from('<html>')] };
    fake.enqueue({ wire: html }, { wire: html });
    await expect(send()).rejects.toMatchObject({ code: 'provider_bad_response' });
    await expect(send({ stream: true })).rejects.toMatchObject({ code: 'provider_bad_response' });
  });

  it('reads no more of an error than an error body may hold', async () => {
    const pieces = Array.from({ length: 64 }, () => Buffer.alloc(65_536, 'x'));
    fake.enqueue({
      wire: { status: 429, headers: { 'retry-after': '2' }, pieces },
      delivery: { stallAfterPieces: 63 },
    });
    await expect(send({ stream: true })).rejects.toMatchObject({ code: 'provider_rate_limited', retryAfterMs: 2_000 });
    await fake.records[0]?.closed;
  });
});
