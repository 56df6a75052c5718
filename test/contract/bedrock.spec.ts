import { ConverseCommand, type BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import type { ChatRequest } from '../../src/contract/chat-request.js';
import type { ChatPart } from '../../src/contract/chat-response.js';
import { GatewayError } from '../../src/contract/errors.js';
import type { AbilityCall, AttemptContext, LossWarning, PartStream, Provider } from '../../src/contract/provider.js';
import { bedrockSettings } from '../../src/providers/bedrock/bedrock.config.js';
import { BedrockService } from '../../src/providers/bedrock/bedrock.module.js';
import { ConverseStreamReader } from '../../src/providers/bedrock/bedrock.stream.js';
import { EventStreamDecoder } from '../../src/transport/event-stream.js';
import { Transport } from '../../src/transport/transport.js';
import { errorFrame, eventFrame, exceptionFrame, withWrongChecksum } from '../support/fake-event-stream.ts';
import { converseEvents, FakeBedrock, vectorOf } from '../support/fake-bedrock.ts';
import type { Script } from '../support/fake-upstream.ts';
import { askOracle, commandInput, pureClient, seenChat, streamOracle } from './bedrock-harness.ts';
import { declared } from './capabilities.ts';
import { describeProviderContract } from './provider-contract.ts';

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-of-the-account' };
const ROLE = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret-of-the-role', sessionToken: 'token/of+the==role' };
const API_KEY = 'bedrock-api-key-of-the-test';
const ROLE_ARN = 'arn:aws:iam::123456789012:role/gate';
const OTHER_ROLE = { accessKeyId: 'ASIAOTHER', secretAccessKey: 'secret-of-the-other-role', sessionToken: 'token-2' };
const OTHER_ROLE_ARN = 'arn:aws:iam::210987654321:role/other';
const MODEL = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';

const TRANSPORT = {
  connectionsPerOrigin: 16,
  keepAliveMs: 4_000,
  maxResponseBytes: 67_108_864,
};

interface Running {
  readonly fake: FakeBedrock;
  readonly transport: Transport;
  readonly sdk: BedrockRuntimeClient;
  provider(credentials?: Record<string, unknown>, more?: Record<string, unknown>): Provider;
  stop(): Promise<void>;
}

async function run(): Promise<Running> {
  const fake = new FakeBedrock({
    region: 'eu-central-1',
    keys: KEYS,
    apiKey: API_KEY,
    roles: [
      { roleArn: ROLE_ARN, externalId: 'outside', keys: ROLE },
      { roleArn: OTHER_ROLE_ARN, keys: OTHER_ROLE },
    ],
  });
  const origin = await fake.listen();
  const transport = new Transport(TRANSPORT);
  const sdk = pureClient(origin, KEYS);
  const service = new BedrockService(transport);
  const providers: Provider[] = [];
  return {
    fake,
    transport,
    sdk,
    provider: (credentials = KEYS, more = {}) => {
      const settings = bedrockSettings.parse({ region: 'eu-central-1', endpoint: origin, credentials, ...more });
      const provider = service.create('bedrock', settings);
      providers.push(provider);
      return provider;
    },
    stop: async () => {
      await Promise.all(providers.map((provider) => provider.close()));
      sdk.destroy();
      await transport.close();
      await fake.close();
    },
  };
}

describeProviderContract('bedrock', {
  ...declared('bedrock'),
  contextLength: { status: 400, code: 'ValidationException', message: 'Input is too long for requested model.' },
  contentFilter: {
    status: 400,
    code: 'ValidationException',
    message: 'This request has been blocked by our content filters.',
  },
  secrets: [KEYS.secretAccessKey, KEYS.accessKeyId, '127.0.0.1'],
  start: async () => {
    const running = await run();
    return {
      provider: running.provider(),
      fake: running.fake,
      chatModel: MODEL,
      embeddingsModel: 'cohere.embed-multilingual-v3',
      seen: seenChat,
      oracle: (prompt, stream) => (stream ? streamOracle : askOracle)(running.sdk, MODEL, prompt),
      stop: running.stop,
    };
  },
});

const HELLO: ChatRequest = { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] };

function context(signal: AbortSignal = new AbortController().signal): AttemptContext {
  const timeouts = { connectMs: 2_000, firstContentMs: 5_000, idleMs: 5_000, totalMs: 10_000 };
  return { requestId: 'test', signal, timeouts, onDispatch: () => undefined };
}

function callOf<Request>(request: Request, model = MODEL, warnings: LossWarning[] = []): AbilityCall<Request> {
  return { request, model, context: context(), warn: (warning) => warnings.push(warning) };
}

/** All parts of a stream, and how they came in batches. */
function collect(stream: PartStream): Promise<ChatPart[]> {
  return new Promise((resolve) => {
    const parts: ChatPart[] = [];
    stream.start((batch) => {
      parts.push(...batch);
      const last = batch.at(-1)?.type;
      if (last === 'finish' || last === 'error') resolve(parts);
      return true;
    });
  });
}

async function failure(promise: Promise<unknown> | undefined): Promise<GatewayError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('bedrock', () => {
  let running: Running;
  beforeEach(async () => (running = await run()));
  afterEach(() => running.stop());

  const complete = (provider: Provider, request = HELLO, model = MODEL) =>
    provider.chat?.complete(callOf(request, model));

  async function streamed(script: Script, request = HELLO): Promise<ChatPart[]> {
    running.fake.enqueue(script);
    const stream = await running.provider().chat?.stream(callOf(request));
    if (stream === undefined) throw new Error('there is no stream');
    return collect(stream);
  }

  const framed = (...pieces: Buffer[]): Script => ({
    wire: { status: 200, headers: { 'content-type': 'application/vnd.amazon.eventstream' }, pieces, chunked: true },
  });
  const beginning = [
    eventFrame('messageStart', { role: 'assistant' }),
    eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hi' } }),
  ] as const;

  it.each([
    ['a model id with a colon', MODEL],
    [
      'an ARN with slashes',
      'arn:aws:bedrock:eu-central-1:123456789012:inference-profile/us.anthropic.claude-3-haiku:0',
    ],
    ['characters the SDK escapes beyond encodeURIComponent', "custom!model'(1)*"],
  ])('B89: asks the very path the SDK asks for %s', async (_what, model) => {
    await running.sdk.send(
      new ConverseCommand({ modelId: model, messages: [{ role: 'user', content: [{ text: 'Hello' }] }] }),
    );
    await complete(running.provider(), HELLO, model);
    const [theirs, ours] = running.fake.records;
    expect(ours?.status).toBe(200);
    expect(ours?.path).toBe(theirs?.path);
  });

  it('sends the JSON the SDK makes of the same command', async () => {
    const request: ChatRequest = {
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'Be brief. Ünïcödé 🙂' }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'iVBORw0KGgo=' } },
            {
              type: 'file',
              source: { type: 'base64', mediaType: 'application/pdf', data: 'JVBERi0=' },
              filename: 'a b.pdf',
            },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 'Hm.', state: { issuer: 'anthropic-signature', value: 's:c2ln' } },
            { type: 'reasoning', text: '', state: { issuer: 'anthropic-signature', value: 'r:red' } },
            { type: 'tool-call', id: 'call_1', name: 'look', arguments: '{"deep":{"list":[1,2.5,null,true]}}' },
          ],
        },
        { role: 'tool', toolCallId: 'call_1', content: [{ type: 'text', text: 'A cat.' }], isError: true },
      ],
      tools: [
        { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: { deep: {} } }, strict: true },
      ],
      toolChoice: { type: 'auto' },
      parallelToolCalls: false,
      maxOutputTokens: 20,
      temperature: 0.5,
      topP: 0.9,
      stop: ['END'],
      serviceTier: 'flex',
      responseFormat: { type: 'json-schema', name: 'Answer', schema: { type: 'object', properties: {} } },
    };
    await complete(running.provider(), request);
    const ours = running.fake.records[0]?.json;
    await running.sdk.send(new ConverseCommand({ modelId: MODEL, ...commandInput(ours) }));
    expect(running.fake.records[1]?.json).toEqual(ours);
  });

  it('signs so that a wrong secret is refused', async () => {
    const provider = running.provider({ ...KEYS, secretAccessKey: 'another secret' });
    const error = await failure(complete(provider));
    expect(error.code).toBe('provider_authentication');
    expect(error.message).not.toContain('signature');
  });

  it('signs temporary keys with their token', async () => {
    await complete(running.provider(ROLE));
    expect(running.fake.records[0]).toMatchObject({
      status: 200,
      headers: { 'x-amz-security-token': ROLE.sessionToken },
    });
  });

  it('sends a Bedrock API key as bearer token', async () => {
    await complete(running.provider({ apiKey: API_KEY }));
    expect(running.fake.records[0]).toMatchObject({ status: 200, headers: { authorization: `Bearer ${API_KEY}` } });
  });

  describe('with the default chain', () => {
    const saved = { ...process.env };
    afterEach(() => {
      process.env = { ...saved };
    });

    it('signs with the keys of the environment', async () => {
      process.env['AWS_ACCESS_KEY_ID'] = KEYS.accessKeyId;
      process.env['AWS_SECRET_ACCESS_KEY'] = KEYS.secretAccessKey;
      await complete(running.provider(undefined, { credentials: undefined }));
      expect(running.fake.records[0]?.status).toBe(200);
    });

    it('prefers the bearer key of the environment, as the SDK does', async () => {
      process.env['AWS_BEARER_TOKEN_BEDROCK'] = API_KEY;
      await complete(running.provider(undefined, { credentials: undefined }));
      expect(running.fake.records[0]?.headers.authorization).toBe(`Bearer ${API_KEY}`);
    });

    it('keeps to configured keys when the environment holds a bearer key', async () => {
      process.env['AWS_BEARER_TOKEN_BEDROCK'] = 'of somebody else';
      await complete(running.provider());
      expect(running.fake.records[0]?.status).toBe(200);
    });

    it('assumes the role once for many calls', async () => {
      process.env['AWS_ACCESS_KEY_ID'] = KEYS.accessKeyId;
      process.env['AWS_SECRET_ACCESS_KEY'] = KEYS.secretAccessKey;
      const assumeRole = { roleArn: ROLE_ARN, externalId: 'outside', endpoint: running.fake.origin };
      const provider = running.provider({ assumeRole });
      await Promise.all([complete(provider), complete(provider)]);
      await complete(provider);
      const paths = running.fake.records.map((record) => record.path);
      expect(paths.filter((path) => path === '/')).toHaveLength(1);
      expect(running.fake.records.at(-1)).toMatchObject({
        status: 200,
        headers: { 'x-amz-security-token': ROLE.sessionToken },
      });
    });

    it('assumes the role again when its keys are about to expire', async () => {
      process.env['AWS_ACCESS_KEY_ID'] = KEYS.accessKeyId;
      process.env['AWS_SECRET_ACCESS_KEY'] = KEYS.secretAccessKey;
      running.fake.roleSeconds = 60;
      const provider = running.provider({
        assumeRole: { roleArn: ROLE_ARN, externalId: 'outside', endpoint: running.fake.origin },
      });
      await complete(provider);
      expect(running.fake.records.map((record) => record.path)[0]).toBe('/');
      await running.fake.nextRequest();
      await running.fake.nextRequest();
      await complete(provider);
      const later = [await running.fake.nextRequest(), await running.fake.nextRequest()];
      expect(later.map((record) => record.path)).toContain('/');
    });

    it('keeps the roles of two accounts apart', async () => {
      process.env['AWS_ACCESS_KEY_ID'] = KEYS.accessKeyId;
      process.env['AWS_SECRET_ACCESS_KEY'] = KEYS.secretAccessKey;
      const endpoint = running.fake.origin;
      const first = running.provider({ assumeRole: { roleArn: ROLE_ARN, externalId: 'outside', endpoint } });
      const second = running.provider({ assumeRole: { roleArn: OTHER_ROLE_ARN, endpoint } });
      for (const provider of [first, second, first, second]) await complete(provider);
      const calls = running.fake.records.filter((record) => record.path !== '/');
      expect(calls.map((record) => record.headers['x-amz-security-token'])).toEqual([
        ROLE.sessionToken,
        OTHER_ROLE.sessionToken,
        ROLE.sessionToken,
        OTHER_ROLE.sessionToken,
      ]);
      expect(running.fake.records).toHaveLength(calls.length + 2);
    });

    it('goes on with the keys of a role while STS fails to renew them', async () => {
      process.env['AWS_ACCESS_KEY_ID'] = KEYS.accessKeyId;
      process.env['AWS_SECRET_ACCESS_KEY'] = KEYS.secretAccessKey;
      running.fake.roleSeconds = 60;
      const assumeRole = { roleArn: ROLE_ARN, externalId: 'outside', endpoint: running.fake.origin };
      const provider = running.provider({ assumeRole });
      await complete(provider);
      running.fake.failRoles = true;
      await complete(provider);
      await complete(provider);
      expect(running.fake.records.filter((record) => record.path !== '/').map(({ status }) => status)).toEqual([
        200, 200, 200,
      ]);
      await running.fake.nextRequest();
      let renewal = await running.fake.nextRequest();
      while (renewal.path !== '/') renewal = await running.fake.nextRequest();
      expect(renewal.status).toBe(500);
    });

    it('tells credentials that are nowhere to be found as a failure of our credential', async () => {
      Object.assign(process.env, {
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_CONFIG_FILE: '/none',
        AWS_SHARED_CREDENTIALS_FILE: '/none',
      });
      const error = await failure(complete(running.provider(undefined, { credentials: undefined })));
      expect(error.code).toBe('provider_authentication');
      expect(running.fake.records).toEqual([]);
    });

    it('tells a refused role as a failure of our credential', async () => {
      process.env['AWS_ACCESS_KEY_ID'] = KEYS.accessKeyId;
      process.env['AWS_SECRET_ACCESS_KEY'] = KEYS.secretAccessKey;
      const provider = running.provider({ assumeRole: { roleArn: ROLE_ARN, endpoint: running.fake.origin } });
      expect((await failure(complete(provider))).code).toBe('provider_authentication');
    });
  });

  it.each([
    ['throttlingException', 'provider_rate_limited'],
    ['validationException', 'provider_rejected'],
    ['internalServerException', 'provider_error'],
    ['serviceUnavailableException', 'provider_overloaded'],
    ['modelStreamErrorException', 'provider_error'],
    ['modelTimeoutException', 'provider_timeout'],
  ])('C31: ends a stream with the error of a %s frame', async (type, code) => {
    const parts = await streamed(framed(...beginning, exceptionFrame(type, 'Too many tokens.')));
    expect(parts.slice(0, 2)).toEqual([{ type: 'start' }, { type: 'text-delta', text: 'Hi' }]);
    expect(parts).toHaveLength(3);
    expect(parts[2]).toMatchObject({ type: 'error', error: { code } });
  });

  it('ends a stream with the error of an error frame', async () => {
    const parts = await streamed(framed(...beginning, errorFrame('InternalFailure', 'An internal error.')));
    expect(parts.at(-1)).toMatchObject({ type: 'error', error: { code: 'provider_error' } });
  });

  it.each(['prelude', 'message'] as const)('never shows a frame whose %s checksum is wrong', async (which) => {
    const bad = withWrongChecksum(eventFrame('contentBlockDelta', { delta: { text: 'wrong' } }), which);
    const parts = await streamed(framed(...beginning, bad));
    expect(parts.map((part) => part.type)).toEqual(['start', 'text-delta', 'error']);
    expect(parts.at(-1)).toMatchObject({ error: { code: 'provider_stream_broken' } });
  });

  it.each([
    ['before messageStop', 3],
    ['before metadata, inside a frame', 4.5],
  ])('C32/C33: never makes a stream look whole that ends %s', async (_when, frames) => {
    const pieces = converseEvents({ text: 'Hi' }).map(([type, payload]) => eventFrame(type, payload));
    const bytes = pieces
      .slice(0, Math.floor(frames))
      .reduce((sum, piece) => sum + piece.length, frames % 1 === 0 ? 0 : 9);
    const script = { ...framed(...pieces), delivery: { endAfterBytes: bytes } };
    const parts = await streamed(script);
    expect(parts.at(-1)).toMatchObject({ type: 'error', error: { code: 'provider_stream_broken' } });
  });

  it('finishes without usage when metadata never comes', async () => {
    const pieces = converseEvents({ text: 'Hi' }).slice(0, -1);
    const parts = await streamed(framed(...pieces.map(([type, payload]) => eventFrame(type, payload))));
    expect(parts.at(-1)).toEqual({ type: 'finish' });
  });

  it('uses the connection of a finished stream again', async () => {
    const provider = running.provider();
    // The end of the body then comes after the last event, in a segment of its own.
    running.fake.defaultScript = { delivery: { writeBytes: 65_536 } };
    for (let round = 0; round < 2; round += 1) {
      const stream = await provider.chat?.stream(callOf(HELLO));
      if (stream === undefined) throw new Error('there is no stream');
      await collect(stream);
      stream.destroy();
      do await new Promise(setImmediate);
      while (running.transport.openCalls > 0);
      await new Promise(setImmediate);
    }
    expect(running.fake.connections).toBe(1);
  });

  it('refuses an answer to a stream that is no event stream', async () => {
    running.fake.enqueue({
      wire: { status: 200, headers: { 'content-type': 'text/html' }, pieces: [Buffer.from('<p>')] },
    });
    expect((await failure(running.provider().chat?.stream(callOf(HELLO)))).code).toBe('provider_bad_response');
  });

  it('B84/C35: takes the answer out of a tool where the model has no schemas, whole and streamed', async () => {
    const request: ChatRequest = {
      ...HELLO,
      responseFormat: { type: 'json-schema', name: 'City', schema: { type: 'object', properties: { city: {} } } },
    };
    const reply = { text: '', toolCalls: [{ id: 't', name: 'json_answer', arguments: '{"city":"Paris"}' }] };
    const model = 'amazon.nova-lite-v1:0';
    running.fake.defaultScript = { reply };
    const answer = await complete(running.provider(), request, model);
    expect(answer?.choices[0]).toEqual({ content: [{ type: 'text', text: '{"city":"Paris"}' }], finishReason: 'stop' });
    const stream = await running.provider().chat?.stream(callOf(request, model));
    const parts = stream === undefined ? [] : await collect(stream);
    expect(parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('')).toBe('{"city":"Paris"}');
    expect(parts).toContainEqual({ type: 'choice-finish', reason: 'stop' });
    expect(parts.some((part) => part.type.startsWith('tool-call'))).toBe(false);
  });

  it('B90: asks for a stream by the path, not in the body', async () => {
    await streamed({});
    const [record] = running.fake.records;
    expect(record?.path).toBe(`/model/${encodeURIComponent(MODEL)}/converse-stream`);
    expect(Object.keys(record?.json as object)).toEqual(['messages']);
  });

  it('C19: reads the same parts wherever the bytes of a stream are split', async () => {
    const events = converseEvents({
      text: 'Grüße 🎉',
      reasoning: 'Hm.',
      toolCalls: [{ id: 't', name: 'look', arguments: '{"a":1}' }],
    });
    const bytes = Buffer.concat(events.map(([type, payload]) => eventFrame(type, payload)));
    const whole = await streamed(framed(bytes));
    expect(whole.map(({ type }) => type)).toContain('tool-call-delta');
    for (let at = 1; at < bytes.length; at += 1) {
      const reader = new ConverseStreamReader({ renamedTools: new Map(), issuer: 'anthropic-signature' });
      const decoder = new EventStreamDecoder();
      const parts = [bytes.subarray(0, at), bytes.subarray(at)].flatMap((piece) =>
        decoder.push(piece).flatMap((message) => reader.push(message)),
      );
      expect([...parts, ...reader.end(decoder.end())]).toEqual(whole);
    }
  });

  describe('token counts', () => {
    const count = (request: ChatRequest, model: string) => running.provider().tokenCount?.count(callOf(request, model));

    it('come from the foundation model, for all that it would read', async () => {
      const request: ChatRequest = {
        messages: [{ role: 'system', content: [{ type: 'text', text: 'Be brief.' }] }, ...HELLO.messages],
        tools: [{ name: 'look' }],
        maxOutputTokens: 5,
        temperature: 0,
        serviceTier: 'flex',
      };
      running.fake.enqueue({ reply: { usage: { promptTokens: 375, completionTokens: 0 } } });
      expect(await count(request, MODEL)).toEqual({ promptTokens: 375 });
      expect(running.fake.records[0]).toMatchObject({
        path: '/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens',
        json: {
          input: {
            converse: {
              system: [{ text: 'Be brief.' }],
              messages: [{ role: 'user', content: [{ text: 'Hello' }] }],
              toolConfig: { tools: [{ toolSpec: { name: 'look', inputSchema: { json: { type: 'object' } } } }] },
            },
          },
        },
      });
      const { converse } = (running.fake.records[0]?.json as { input: { converse: object } }).input;
      expect(Object.keys(converse).toSorted()).toEqual(['messages', 'system', 'toolConfig']);
    });

    it('fail as chat does, and refuse an answer without a count', async () => {
      running.fake.enqueue({ failure: { status: 429, retryAfter: '2' } }, { reply: { usage: null } });
      expect(await failure(count(HELLO, MODEL))).toMatchObject({ code: 'provider_rate_limited', retryAfterMs: 2_000 });
      expect((await failure(count(HELLO, MODEL))).code).toBe('provider_bad_response');
    });

    it('are asked of the profile itself where its model is not told', async () => {
      const arn = 'arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc';
      await count(HELLO, arn);
      expect(running.fake.records[0]?.model).toBe(arn);
    });
  });

  describe('embeddings', () => {
    const embed = (input: string[], model: string, more = {}) =>
      running.provider().embeddings?.embed(callOf({ input, ...more }, model));

    it('embeds each text of a request to Titan in its own call and sums the usage', async () => {
      const input = Array.from({ length: 20 }, (_, at) => `text ${at}`);
      const answer = await embed(input, 'amazon.titan-embed-text-v2:0', { dimensions: 8 });
      expect(answer?.vectors).toEqual(input.map((text) => vectorOf(text, 8)));
      expect(answer?.usage).toMatchObject({ promptTokens: 20 * 11, completionTokens: 0, source: 'final' });
      expect(running.fake.records).toHaveLength(20);
      expect(running.fake.records[0]?.json).toEqual({ inputText: 'text 0', dimensions: 8 });
    });

    it('sends texts to Cohere together, at most 96 a call', async () => {
      const input = Array.from({ length: 100 }, (_, at) => `text ${at}`);
      const answer = await embed(input, 'cohere.embed-english-v3', { extra: { input_type: 'search_query' } });
      expect(answer?.vectors).toEqual(input.map((text) => vectorOf(text)));
      expect(running.fake.records.map(({ json }) => (json as { texts: unknown[] }).texts.length)).toEqual([96, 4]);
      expect(running.fake.records[0]?.json).toMatchObject({ input_type: 'search_query' });
    });

    it.each(['cohere.embed-v4:0', 'amazon.nova-2-multimodal-embeddings-v1:0'])(
      'lets %s choose the length',
      async (model) => {
        const answer = await embed(['one'], model, { dimensions: 6 });
        expect(answer?.vectors).toEqual([vectorOf('one', 6)]);
      },
    );

    it.each([
      ['amazon.titan-embed-text-v2:0', { normalize: false }, { inputText: 'one', normalize: false }],
      [
        'amazon.nova-2-multimodal-embeddings-v1:0',
        { truncationMode: 'END' },
        { singleEmbeddingParams: { text: { value: 'one', truncationMode: 'END' } } },
      ],
      ['cohere.embed-english-v3', { truncate: 'START' }, { truncate: 'START', input_type: 'search_document' }],
    ])('lets %s take fields of its own', async (model, extra, expected) => {
      await embed(['one'], model, { extra });
      expect(running.fake.records[0]?.json).toMatchObject(expected);
    });

    it('fails as a whole when one of its calls fails', async () => {
      running.fake.enqueue({}, { failure: { status: 429, retryAfter: '7' } });
      const error = await failure(embed(['a', 'b', 'c'], 'amazon.titan-embed-text-v1'));
      expect(error).toMatchObject({ code: 'provider_rate_limited', retryAfterMs: 7_000 });
    });

    it('refuses token ids, lengths that cannot be chosen and models without embeddings', async () => {
      const titan = 'amazon.titan-embed-text-v1';
      const tokens = running.provider().embeddings?.embed(callOf({ input: [[1, 2]] }, titan));
      expect(await failure(tokens)).toMatchObject({ code: 'invalid_value', param: 'input' });
      expect((await failure(embed(['a'], titan, { dimensions: 8 }))).code).toBe('unsupported_parameter');
      expect((await failure(embed(['a'], MODEL))).code).toBe('not_supported');
    });
  });
});
