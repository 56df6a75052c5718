import { getEventListeners } from 'node:events';
import type { ChatRequest } from '../../contract/chat-request.js';
import type { ChatPart } from '../../contract/chat-response.js';
import type { EmbeddingsRequest } from '../../contract/embeddings.js';
import type { AbilityCall, LossWarning, PartStream, Provider } from '../../contract/provider.js';
import { sandboxSettings } from './sandbox.config.js';
import { SandboxProviders } from './sandbox.provider.js';

const TIMEOUTS = { connectMs: 1_000, firstContentMs: 2_000, idleMs: 1_000, totalMs: 5_000 };

function create(settings: object = {}, name = 'east'): Provider {
  return new SandboxProviders().create(name, sandboxSettings.parse(settings));
}

function call<Request>(request: Request) {
  const abort = new AbortController();
  const onDispatch = jest.fn();
  const warnings: LossWarning[] = [];
  const made: AbilityCall<Request> = {
    request,
    model: 'demo',
    context: { requestId: 'r1', signal: abort.signal, timeouts: TIMEOUTS, onDispatch },
    warn: (warning) => warnings.push(warning),
  };
  return { call: made, abort, onDispatch, warnings };
}

const ask = (text: string, request: Partial<ChatRequest> = {}) =>
  call<ChatRequest>({ messages: [{ role: 'user', content: [{ type: 'text', text }] }], ...request });

const complete = (provider: Provider, text: string) => provider.chat?.complete(ask(text).call);
const embed = (request: EmbeddingsRequest, provider = create()) => provider.embeddings?.embed(call(request).call);

function collect(stream: PartStream): ChatPart[] {
  const parts: ChatPart[] = [];
  stream.start((batch) => parts.push(...batch) > 0);
  jest.runAllTimers();
  return parts;
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('sandbox chat', () => {
  it('answers and streams the same text', async () => {
    const whole = await complete(create(), 'hello');
    const stream = await create().chat?.stream(ask('hello').call);
    if (stream === undefined) throw new Error('the sandbox streams');
    const text = collect(stream)
      .map((part) => (part.type === 'text-delta' ? part.text : ''))
      .join('');
    expect(whole?.choices[0]?.content).toEqual([{ type: 'text', text }]);
  });

  it('tells of the dispatch and of what it ignores', async () => {
    const { call: made, onDispatch, warnings } = ask('hello', { temperature: 1 });
    await create().chat?.complete(made);
    expect(onDispatch).toHaveBeenCalledTimes(1);
    expect(warnings.map(({ field }) => field)).toEqual(['temperature']);
  });

  it('takes its latency, from the settings or the message', async () => {
    const answered = jest.fn();
    const slow = complete(create({ latencyMs: 300 }), 'hello')?.then(answered);
    const slower = complete(create({ latencyMs: 300 }), '[[latency 400]]')?.then(answered);
    await jest.advanceTimersByTimeAsync(299);
    expect(answered).toHaveBeenCalledTimes(0);
    await jest.advanceTimersByTimeAsync(1);
    expect(answered).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(100);
    expect(answered).toHaveBeenCalledTimes(2);
    await Promise.all([slow, slower]);
  });

  it('leaves no listener on the signal', async () => {
    const { call: made } = ask('[[latency 5]]');
    const answer = create().chat?.complete(made);
    expect(getEventListeners(made.context.signal, 'abort')).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(5);
    await answer;
    expect(getEventListeners(made.context.signal, 'abort')).toHaveLength(0);
  });

  it('fails as told', async () => {
    await expect(complete(create(), '[[fail 429 retry=2]]')).rejects.toMatchObject({
      code: 'provider_rate_limited',
      retryAfterMs: 2_000,
    });
    await expect(create().chat?.stream(ask('[[fail 500]]').call)).rejects.toMatchObject({ code: 'provider_error' });
  });

  it('fails only where told', async () => {
    const text = '[[fail 500 on=east]]';
    await expect(complete(create({}, 'east'), text)).rejects.toMatchObject({ code: 'provider_error' });
    await expect(complete(create({}, 'west'), text)).resolves.toBeDefined();
    await expect(complete(create({}, 'west'), '[[fail 500 on=demo]]')).rejects.toThrow();
  });

  it('dispatches nothing when it cannot be reached', async () => {
    const { call: made, onDispatch } = ask('[[fail unreachable]]');
    await expect(create().chat?.complete(made)).rejects.toMatchObject({ code: 'provider_unreachable' });
    expect(onDispatch).not.toHaveBeenCalled();
  });

  it('fails at its rate, in the same sequence for the same seed', async () => {
    const sequence = async (seed: number) => {
      const provider = create({ failRate: 0.3, failStatus: 503, seed });
      const codes: string[] = [];
      for (let index = 0; index < 300; index++) {
        const outcome = await complete(provider, 'hi')?.catch((error: { code: string }) => error.code);
        codes.push(typeof outcome === 'string' ? outcome : 'ok');
      }
      return codes;
    };
    const first = await sequence(7);
    expect(await sequence(7)).toEqual(first);
    expect(await sequence(8)).not.toEqual(first);
    const failed = first.filter((code) => code === 'provider_overloaded').length;
    expect(failed).toBeGreaterThan(60);
    expect(failed).toBeLessThan(120);
  });

  it('is a timeout when it stalls, or its latency is longer than the call may take', async () => {
    const failures = ['[[stall]]', '[[latency 6000]]'].map((text) =>
      expect(complete(create(), text)).rejects.toMatchObject({ code: 'provider_timeout' }),
    );
    const stream = create().chat?.stream(ask('[[latency 2500]]').call);
    const late = expect(stream).rejects.toMatchObject({ code: 'provider_timeout' });
    await jest.advanceTimersByTimeAsync(2_000);
    await late;
    await jest.advanceTimersByTimeAsync(3_000);
    await Promise.all(failures);
  });

  it('breaks off a whole answer as a whole', async () => {
    await expect(complete(create(), '[[break after 3]]')).rejects.toMatchObject({ code: 'provider_stream_broken' });
  });

  it('breaks off a stream after the pieces told', async () => {
    const stream = await create().chat?.stream(ask('[[break after 3]]').call);
    if (stream === undefined) throw new Error('the sandbox streams');
    const types = collect(stream).map(({ type }) => type);
    expect(types).toEqual(['start', 'text-delta', 'text-delta', 'text-delta', 'error']);
  });

  it('takes the pace of the message before its own', async () => {
    const stream = await create({ tokensPerSecond: 1 }).chat?.stream(ask('[[pace 0]] [[tokens 9]]').call);
    const batches = jest.fn(() => true);
    stream?.start(batches);
    jest.advanceTimersByTime(1);
    expect(batches).toHaveBeenCalledTimes(1);
  });

  it('stops waiting when the client is gone, and does not begin when it was gone before', async () => {
    const { call: made, abort } = ask('[[latency 1000]]');
    const answer = create().chat?.complete(made);
    abort.abort();
    await expect(answer).rejects.toMatchObject({ code: 'client_closed' });
    const { call: late, abort: before, onDispatch } = ask('hello');
    before.abort();
    await expect(create().chat?.complete(late)).rejects.toMatchObject({ code: 'client_closed' });
    expect(onDispatch).not.toHaveBeenCalled();
  });
});

describe('sandbox embeddings', () => {
  it('are unit vectors that depend on the text alone', async () => {
    const response = await embed({ input: ['one', 'two', 'one'] });
    const [one, two, again] = response?.vectors ?? [];
    expect(one).toHaveLength(256);
    expect(Math.hypot(...(one ?? []))).toBeCloseTo(1, 10);
    expect(again).toEqual(one);
    expect(two).not.toEqual(one);
    expect(response?.usage).toMatchObject({ promptTokens: 3, completionTokens: 0, source: 'final' });
  });

  it('have the dimensions asked for, else those of the settings', async () => {
    expect((await embed({ input: ['x'], dimensions: 8 }))?.vectors[0]).toHaveLength(8);
    expect((await embed({ input: ['x'] }, create({ dimensions: 3 })))?.vectors[0]).toHaveLength(3);
    await expect(embed({ input: ['x'], dimensions: 4_097 })).rejects.toMatchObject({ code: 'provider_rejected' });
  });

  it('count lists of token ids by their length', async () => {
    const response = await embed({ input: [[1, 2, 3], [4]] });
    expect(response?.vectors).toHaveLength(2);
    expect(response?.usage?.promptTokens).toBe(4);
  });

  it('follow instructions too', async () => {
    await expect(embed({ input: ['a', '[[fail 404]]'] })).rejects.toMatchObject({ code: 'provider_not_found' });
  });
});

it('is what its settings say to a vanished client', () => {
  expect(create().onDisconnect).toBe('abort');
  expect(create({ onDisconnect: 'drain' }).onDisconnect).toBe('drain');
  expect(() => create({ unknown: 1 })).toThrow();
});
