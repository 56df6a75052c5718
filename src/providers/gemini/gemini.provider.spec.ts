import type { AbilityCall, AttemptContext, Timeouts } from '../../contract/provider.js';
import type { ChatRequest } from '../../contract/chat-request.js';
import { Transport } from '../../transport/transport.js';
import { blockedPrompt, FAKE_GEMINI_KEY, FakeGemini, rateLimited } from '../../../test/support/fake-gemini.ts';
import { GeminiClient } from './gemini.client.js';
import { geminiSettings } from './gemini.config.js';
import { GeminiProvider } from './gemini.provider.js';

const TIMEOUTS: Timeouts = { connectMs: 2_000, firstContentMs: 2_000, idleMs: 2_000, totalMs: 5_000 };
const REQUEST: ChatRequest = {
  messages: [
    { role: 'system', content: [{ type: 'text', text: 'be brief' }] },
    { role: 'user', content: [{ type: 'text', text: 'hi' }] },
  ],
  tools: [{ name: 'now', parameters: { type: 'object' } }],
};

describe('GeminiProvider', () => {
  const fake = new FakeGemini();
  const transport = new Transport({ connectionsPerOrigin: 8, keepAliveMs: 4_000, maxResponseBytes: 1_048_576 });
  let baseUrl = '';

  beforeAll(async () => {
    baseUrl = await fake.listen();
  });
  beforeEach(() => fake.reset());
  afterAll(async () => {
    await transport.close();
    await fake.close();
  });

  const provider = (apiKey = FAKE_GEMINI_KEY): GeminiProvider =>
    new GeminiProvider('test', new GeminiClient(geminiSettings.parse({ apiKey, baseUrl: `${baseUrl}/` }), transport));

  function call<Request>(request: Request, context: Partial<AttemptContext> = {}): AbilityCall<Request> {
    const { signal } = new AbortController();
    return {
      request,
      model: 'gemini-2.5-flash',
      warn: () => undefined,
      context: { requestId: 'r', signal, timeouts: TIMEOUTS, onDispatch: () => undefined, ...context },
    };
  }

  it('counts the tokens of messages, system text and tools', async () => {
    fake.enqueue({ reply: { usage: { promptTokens: 31, completionTokens: 0 } } });
    await expect(provider().tokenCount.count(call(REQUEST))).resolves.toEqual({ promptTokens: 31 });
    const record = await fake.nextRequest();
    expect(record.path).toBe('/v1beta/models/gemini-2.5-flash:countTokens');
    expect(record.json).toEqual({
      generateContentRequest: {
        model: 'models/gemini-2.5-flash',
        safetySettings: [],
        generationConfig: {},
        systemInstruction: { parts: [{ text: 'be brief' }] },
        contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
        tools: [{ functionDeclarations: [{ name: 'now', parametersJsonSchema: { type: 'object' } }] }],
      },
    });
  });

  it('asks for all vectors in one call and checks their number', async () => {
    const embeddings = provider().embeddings;
    const request = { input: ['a', 'b'], dimensions: 3 };
    await expect(embeddings.embed(call(request))).resolves.toMatchObject({
      vectors: [
        [0.25, -0.5, 0.125],
        [1.25, -0.5, 0.125],
      ],
    });
    expect((await fake.nextRequest()).json).toMatchObject({
      requests: [{ outputDimensionality: 3, content: { parts: [{ text: 'a' }] } }, { outputDimensionality: 3 }],
    });
    fake.enqueue({ reply: { vectors: [[1]] } });
    await expect(embeddings.embed(call(request))).rejects.toMatchObject({ code: 'provider_bad_response' });
  });

  it('G40: sends the key in its own header and no Authorization', async () => {
    await provider().chat.complete(call(REQUEST));
    const { headers } = await fake.nextRequest();
    expect(headers['x-goog-api-key']).toBe(FAKE_GEMINI_KEY);
    expect(headers).not.toHaveProperty('authorization');
  });

  it('G41: asks for server-sent events of streamGenerateContent', async () => {
    (await provider().chat.stream(call(REQUEST))).destroy();
    expect((await fake.nextRequest()).path).toBe('/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse');
  });

  it('refuses lists of token ids before it dispatches', async () => {
    const onDispatch = jest.fn();
    const embedding = provider().embeddings.embed(call({ input: [[1, 2]] }, { onDispatch }));
    await expect(embedding).rejects.toMatchObject({ code: 'invalid_value', param: 'input' });
    expect(onDispatch).not.toHaveBeenCalled();
  });

  it('never starts an SDK call whose signal is aborted already', async () => {
    const onDispatch = jest.fn();
    const embedding = provider().embeddings.embed(call({ input: ['a'] }, { signal: AbortSignal.abort(), onDispatch }));
    await expect(embedding).rejects.toMatchObject({ code: 'client_closed' });
    expect(onDispatch).not.toHaveBeenCalled();
    expect(fake.records).toHaveLength(0);
  });

  it('closes the connection of an SDK call that is given up, and leaves no listener on the signal', async () => {
    fake.enqueue({ delivery: { silent: true } });
    const abort = new AbortController();
    const removed = jest.spyOn(abort.signal, 'removeEventListener');
    const embedding = provider().embeddings.embed(call({ input: ['a'] }, { signal: abort.signal }));
    const record = await fake.nextRequest();
    abort.abort();
    await expect(embedding).rejects.toMatchObject({ code: 'client_closed' });
    await record.closed;
    expect(removed).toHaveBeenCalledTimes(1);
  });

  it('ends an SDK call at its total time', async () => {
    fake.enqueue({ delivery: { silent: true } });
    const embedding = provider().embeddings.embed(call({ input: ['a'] }, { timeouts: { ...TIMEOUTS, totalMs: 30 } }));
    await expect(embedding).rejects.toMatchObject({ code: 'provider_timeout' });
  });

  it.each(['complete', 'embed'] as const)('honours the delay of a refused %s', async (ability) => {
    fake.enqueue({ failure: rateLimited('34.4s') });
    const subject = provider();
    const answer =
      ability === 'embed' ? subject.embeddings.embed(call({ input: ['a'] })) : subject.chat.complete(call(REQUEST));
    await expect(answer).rejects.toMatchObject({ code: 'provider_rate_limited', retryAfterMs: 34_400 });
  });

  it.each(['complete', 'stream', 'embed'] as const)('blames the gateway for its bad key in %s', async (ability) => {
    const subject = provider('a-wrong-key');
    const answer: Promise<unknown> =
      ability === 'embed' ? subject.embeddings.embed(call({ input: ['a'] })) : subject.chat[ability](call(REQUEST));
    await expect(answer).rejects.toMatchObject({ code: 'provider_authentication', status: 502 });
  });

  it('answers a blocked prompt with an empty choice', async () => {
    const pieces = [Buffer.from(JSON.stringify(blockedPrompt('SAFETY')))];
    fake.enqueue({ wire: { status: 200, headers: { 'content-type': 'application/json' }, pieces } });
    await expect(provider().chat.complete(call(REQUEST))).resolves.toMatchObject({
      choices: [{ content: [], finishReason: 'content-filter' }],
      usage: { promptTokens: 9 },
    });
  });
});

describe('geminiSettings', () => {
  it.each([
    'http://gemini.example',
    'ftp://localhost',
    'https://user:pass@gemini.example',
    'https://gemini.example?key=1',
    'x',
  ])('refuses the address %s', (baseUrl) => {
    expect(geminiSettings.safeParse({ apiKey: 'k', baseUrl }).success).toBe(false);
  });

  it('defaults to the public endpoint', () => {
    expect(geminiSettings.parse({ apiKey: 'k' })).toEqual({
      apiKey: 'k',
      baseUrl: 'https://generativelanguage.googleapis.com',
      apiVersion: 'v1beta',
    });
  });
});
