import { once } from 'node:events';
import { createServer, request as httpRequest, type ClientRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ArgumentsHost } from '@nestjs/common';
import type { Request, Response } from 'express';
import { contextOf } from '../../test/support/provider-context.ts';
import { FakeByteSource, FakePartStream, FakeTap, ManualTicker } from '../../test/support/relay-fakes.ts';
import { caller, deployment, envelope, model, provider } from '../../test/support/routing-builders.ts';
import type { ConfigStore } from '../config/config.store.js';
import type { ChatRequest } from '../contract/chat-request.js';
import type { ChatResponse } from '../contract/chat-response.js';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../contract/embeddings.js';
import { GatewayError } from '../contract/errors.js';
import type { JsonObject } from '../contract/json.js';
import type { Deployment } from '../contract/plan.js';
import {
  NATIVE_EVENT,
  type AbilityCall,
  type AttemptContext,
  type NativeCall,
  type NativeResponse,
  type Provider,
} from '../contract/provider.js';
import type { RequestRecord } from '../contract/record.js';
import { NO_USAGE, type MeasuredUsage } from '../contract/usage.js';
import type { MetricsRecorder } from '../metrics/metrics.recorder.js';
import type { Settlement } from '../quota/settlement.js';
import type { Attempt, Attempted, AttemptRequest, AttemptRunner } from '../routing/attempt-runner.js';
import { DIALECTS } from './dialects/dialects.js';
import { Dispatcher } from './dispatcher.js';
import { ErrorFilter } from './error.filter.js';
import { DrainSlots } from './relay/drain-slots.js';
import type { StreamTicker } from './relay/stream-ticker.js';
import { liveRequestOf, type LiveRequest } from './request/live-request.js';
import { RequestLifecycle } from './request/request-lifecycle.js';

const { content, malformed, none, terminal } = NATIVE_EVENT;
const event = (bits: number): string => `data: ${bits}\n\n`;
const PROMPT_TOKENS = 7;
const FIRST_CONTENT_MS = 10_000;
const DRAIN_MS = 60_000;
const SLOTS = 64;
const USAGE: MeasuredUsage = { ...NO_USAGE, promptTokens: 3, completionTokens: 2, source: 'final' };
const ESTIMATED_PROMPT: MeasuredUsage = { ...NO_USAGE, promptTokens: PROMPT_TOKENS, source: 'estimate' };
const STREAM = {
  holdMs: 15_000,
  heartbeatMs: 15_000,
  stallMs: 60_000,
  maxBufferedBytes: 65_536,
  maxEventBytes: 10_000,
};

/** Tries the plan in order, as the real one does, without its waits, its health and its records. */
class FakeRunner implements Pick<AttemptRunner, 'run'> {
  readonly released: (GatewayError | undefined)[] = [];
  requests: AttemptRequest[] = [];
  firstContentMs = FIRST_CONTENT_MS;

  async run<T>(request: AttemptRequest, attempt: Attempt<T>): Promise<Attempted<T>> {
    this.requests.push(request);
    let failure = new GatewayError('no_deployment');
    for (const each of request.plan.attempts) {
      try {
        const value = await attempt(
          each,
          contextOf({ signal: request.signal, timeouts: { firstContentMs: this.firstContentMs } }),
        );
        return { value, deployment: each, release: (error) => void this.released.push(error) };
      } catch (thrown) {
        failure = request.signal.aborted ? request.signal.reason : thrown;
        if (!failure.retryable) break;
      }
    }
    throw failure;
  }
}

/** An upstream call that waits for the test to answer it. */
class Upstream<Call extends { readonly context: AttemptContext }, Answer> {
  readonly calls: Call[] = [];
  private waiting: PromiseWithResolvers<Answer>[] = [];
  private wake: () => void = () => undefined;

  /** `sends` = its bytes leave at once. */
  constructor(private readonly sends = true) {}

  readonly call = (call: Call): Promise<Answer> => {
    call.context.beforeSend?.();
    if (this.sends) call.context.onDispatch();
    const answer = Promise.withResolvers<Answer>();
    call.context.signal.addEventListener('abort', () => answer.reject(new GatewayError('client_closed')));
    this.calls.push(call);
    this.waiting.push(answer);
    this.wake();
    return answer.promise;
  };

  async called(count = 1): Promise<Call> {
    while (this.calls.length < count) await new Promise<void>((resolve) => (this.wake = resolve));
    const call = this.calls[count - 1];
    if (call === undefined) throw new Error('never called');
    return call;
  }

  async answer(answer: Answer): Promise<void> {
    await this.called();
    this.answerNow(answer);
  }

  answerNow(answer: Answer): void {
    this.waiting.at(-1)?.resolve(answer);
  }

  async fail(error: GatewayError): Promise<void> {
    await this.called();
    this.waiting.at(-1)?.reject(error);
  }
}

type NativeUpstream = Upstream<NativeCall, NativeResponse>;

function nativeDeployment(name: string, upstream: NativeUpstream, overrides: Partial<Provider> = {}): Deployment {
  const native = { dialects: new Set(['openai-chat', 'openai-embeddings'] as const), send: upstream.call };
  return deployment(name, { provider: provider(name, { native, ...overrides }), upstreamModel: `${name}-model` });
}

function nativeStream(headers: Record<string, string> = {}) {
  const source = new FakeByteSource();
  const tap = new FakeTap();
  return { source, tap, response: { type: 'stream', source, tap, headers } satisfies NativeResponse };
}

const whole = (body: string, usage?: MeasuredUsage): NativeResponse => ({
  type: 'whole',
  body: Buffer.from(body),
  headers: { 'x-region': 'north' },
  ...(usage === undefined ? {} : { usage }),
});

describe('the dispatcher', () => {
  let server: Server;
  let runner: FakeRunner;
  let ticker: ManualTicker;
  let drains: DrainSlots;
  let lifecycle: RequestLifecycle;
  let metrics: { streamOpened: jest.Mock; streamClosed: jest.Mock; malformedEvents: jest.Mock };
  let settlement: Settlement & { settle: jest.Mock; cancel: jest.Mock };
  let live: LiveRequest;
  let dispatched: Promise<void>;
  /** Awaited before the call is dispatched, as its reservation is. */
  let reservation: Promise<unknown>;
  let client: ClientRequest;
  let responded: Promise<IncomingMessage>;
  let record: Promise<RequestRecord>;

  beforeEach(async () => {
    runner = new FakeRunner();
    ticker = new ManualTicker();
    drains = new DrainSlots();
    metrics = { streamOpened: jest.fn(), streamClosed: jest.fn(), malformedEvents: jest.fn() };
    settlement = {
      headers: { 'x-ratelimit-limit-requests': '5' },
      admittedBy: 'store',
      estimatedPromptTokens: PROMPT_TOKENS,
      settle: jest.fn(),
      cancel: jest.fn(),
    };
    reservation = Promise.resolve();
    const closed = Promise.withResolvers<RequestRecord>();
    record = closed.promise;
    lifecycle = new RequestLifecycle([{ closed: closed.resolve }]);
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    client.destroy();
    await dispatched;
    await record;
    expect(settlement.settle.mock.calls.length + settlement.cancel.mock.calls.length).toBe(1);
    expect(metrics.streamClosed).toHaveBeenCalledTimes(metrics.streamOpened.mock.calls.length);
    expect(ticker.entries.size).toBe(0);
    expect(Array.from({ length: SLOTS }, () => drains.take())).not.toContain(false);
    expect(live.onAbandoned).toBeUndefined();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    jest.useRealTimers();
  });

  interface CallOptions {
    readonly attempts: readonly Deployment[];
    readonly body?: JsonObject;
    readonly operation?: 'chat' | 'embeddings';
    readonly isStrict?: boolean;
  }

  /** Sends a call that is planned and reserved; resolves when it was handed to the dispatcher. */
  async function send({ attempts, body = {}, operation = 'chat', isStrict = false }: CallOptions): Promise<void> {
    const dispatcher = new Dispatcher(
      runner as unknown as AttemptRunner,
      { current: { config: { stream: STREAM } } } as unknown as ConfigStore,
      ticker as unknown as StreamTicker,
      drains,
      metrics as unknown as MetricsRecorder,
    );
    const dialect = operation === 'chat' ? DIALECTS['openai-chat'] : DIALECTS['openai-embeddings'];
    const handled = Promise.withResolvers<void>();
    server.on('request', (request: IncomingMessage, response: Response) => {
      lifecycle.middleware(request as Request, response, () => {
        live = liveRequestOf(request);
        live.caller = caller();
        live.call = {
          dialect,
          body: { model: 'asked-for', messages: [{ role: 'user', content: 'Hi' }], input: 'Hi', ...body },
          envelope: envelope({ model: 'asked-for', operation, stream: body['stream'] === true }),
          plan: { model: model(attempts, { operation }), attempts },
          isStrict,
          settlement,
        };
        const host = { switchToHttp: () => ({ getRequest: () => request, getResponse: () => response }) };
        dispatched = reservation
          .then(() => dispatcher.dispatch(live, response))
          .catch((error) => new ErrorFilter().catch(error, host as ArgumentsHost));
        handled.resolve();
      });
    });
    const { port } = server.address() as AddressInfo;
    client = httpRequest({ port, host: '127.0.0.1', method: 'POST', agent: false });
    client.on('error', () => undefined);
    responded = new Promise((resolve) => client.once('response', resolve));
    client.end();
    await handled.promise;
  }

  async function answer(): Promise<{
    status: number;
    headers: IncomingMessage['headers'];
    text: string;
    json: () => ReturnType<typeof JSON.parse>;
  }> {
    const response = await responded;
    const text = await response.setEncoding('utf8').reduce((all: string, chunk: string) => all + chunk, '');
    const { statusCode: status = 0, headers } = response;
    return { status, headers, text, json: () => JSON.parse(text) };
  }

  /** Reads the answer until the text has come. */
  async function until(text: string): Promise<void> {
    const response = await responded;
    let seen = '';
    for await (const chunk of response.setEncoding('utf8')) {
      seen += chunk as string;
      if (seen.includes(text)) return;
    }
    throw new Error(`the answer ended with: ${seen}`);
  }

  /** The client leaves, and we have noticed. */
  async function leave(): Promise<void> {
    const noticed = Promise.withResolvers<void>();
    const before = live.onAbandoned;
    live.onAbandoned = () => {
      before?.();
      noticed.resolve();
    };
    client.destroy();
    await noticed.promise;
    if (before === undefined) delete live.onAbandoned;
  }

  const settledUsage = (): MeasuredUsage => settlement.settle.mock.calls[0]?.[0];

  describe('of a whole answer', () => {
    it('hands on the bytes of a provider that speaks the dialect, and settles what it told', async () => {
      const upstream: NativeUpstream = new Upstream();
      await send({ attempts: [nativeDeployment('east', upstream)], body: { seed: 5 } });
      await upstream.answer(whole('{"id":1}', USAGE));
      const { status, headers, text } = await answer();
      expect([status, text]).toEqual([200, '{"id":1}']);
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'x-region': 'north',
        'x-ratelimit-limit-requests': '5',
      });
      expect(headers).not.toHaveProperty('x-tollgate-warnings');
      expect(upstream.calls[0]).toMatchObject({
        dialect: 'openai-chat',
        model: 'east-model',
        stream: false,
        body: { model: 'east-model', seed: 5 },
      });
      expect(await record).toMatchObject({ outcome: 'completed', status: 200, usage: USAGE, usageEstimated: false });
      expect(settlement.settle).toHaveBeenCalledWith(USAGE, live.record);
      expect(runner.released).toEqual([undefined]);
      expect(runner.requests[0]).toMatchObject({ requestId: live.requestId, record: live.record });
    });

    it('presents what a provider answers in its own way', async () => {
      const chat = new Upstream<AbilityCall<ChatRequest>, ChatResponse>();
      const east = provider('east', { chat: { complete: chat.call, stream: () => Promise.reject(new Error('no')) } });
      await send({ attempts: [deployment('east', { provider: east })], body: { temperature: 0.5 } });
      const call = await chat.called();
      expect(call).toMatchObject({ model: 'upstream', request: { temperature: 0.5 } });
      call.warn({ field: 'maxOutputTokens', kind: 'approximated', detail: '' });
      call.warn({ field: 'seed', kind: 'dropped', detail: '' });
      await chat.answer({
        choices: [{ content: [{ type: 'text', text: 'Hello' }], finishReason: 'stop' }],
        usage: USAGE,
      });
      const { headers, json } = await answer();
      expect(json()).toMatchObject({ model: 'asked-for', choices: [{ message: { content: 'Hello' } }] });
      expect(json().id).toBe(`chatcmpl-${live.requestId}`);
      expect(headers['x-tollgate-warnings']).toBe('max_completion_tokens=approximated, seed=dropped');
      expect(settledUsage()).toEqual(USAGE);
    });

    it('embeds', async () => {
      const embed = new Upstream<AbilityCall<EmbeddingsRequest>, EmbeddingsResponse>();
      const east = provider('east', { embeddings: { embed: embed.call } });
      await send({ attempts: [deployment('east', { provider: east })], operation: 'embeddings' });
      await embed.answer({ vectors: [[1, 2]], usage: USAGE });
      expect((await answer()).json()).toMatchObject({ object: 'list', data: [{ embedding: [1, 2] }] });
      expect(settledUsage()).toEqual(USAGE);
    });

    it.each([
      ['chat', { promptTokens: PROMPT_TOKENS, completionTokens: 2 }],
      ['embeddings', { promptTokens: PROMPT_TOKENS, completionTokens: 0 }],
    ] as const)('estimates what a provider did not tell: %s', async (operation, expected) => {
      const upstream: NativeUpstream = new Upstream();
      await send({ attempts: [nativeDeployment('east', upstream)], operation });
      await upstream.answer(whole('{"choices":[{"message":{"content":"Good day"}}],"data":[{"embedding":[1,2,3,4]}]}'));
      await answer();
      expect(settledUsage()).toMatchObject({ ...expected, source: 'estimate' });
      expect(await record).toMatchObject({ usageEstimated: true });
    });

    it('tries the next deployment, and names only what that one lost', async () => {
      const first = new Upstream<AbilityCall<ChatRequest>, ChatResponse>();
      const second = new Upstream<AbilityCall<ChatRequest>, ChatResponse>();
      const chat = ({ call }: typeof first) => ({
        chat: { complete: call, stream: () => Promise.reject(new Error()) },
      });
      await send({
        attempts: [first, second].map((each, index) =>
          deployment(`d${index}`, { provider: provider(`d${index}`, chat(each)) }),
        ),
      });
      (await first.called()).warn({ field: 'seed', kind: 'dropped', detail: '' });
      await first.fail(new GatewayError('provider_overloaded'));
      (await second.called()).warn({ field: 'topP', kind: 'dropped', detail: '' });
      await second.answer({ choices: [{ content: [], finishReason: 'stop' }], usage: USAGE });
      expect((await answer()).headers['x-tollgate-warnings']).toBe('top_p=dropped');
    });

    it('refuses a stream where none was asked for, closes it, and tries the next', async () => {
      const [first, second]: NativeUpstream[] = [new Upstream(), new Upstream()];
      const { source, response } = nativeStream();
      await send({
        attempts: [nativeDeployment('a', first as NativeUpstream), nativeDeployment('b', second as NativeUpstream)],
      });
      await first?.answer(response);
      await second?.answer(whole('{}', USAGE));
      expect((await answer()).status).toBe(200);
      expect(source.calls).toEqual(['destroy']);
    });

    it('tells a failure with its status, under the caller’s own names, and gives everything back', async () => {
      const upstream: NativeUpstream = new Upstream(false);
      await send({ attempts: [nativeDeployment('east', upstream)] });
      await upstream.fail(new GatewayError('invalid_value', { param: 'topP', message: 'No.' }));
      const { status, json } = await answer();
      expect([status, json().error.param]).toEqual([400, 'top_p']);
      expect(await record).toMatchObject({ outcome: 'refused', error: 'invalid_value', usage: NO_USAGE });
      expect(settlement.cancel).toHaveBeenCalledTimes(1);
    });

    it('charges nothing for what was sent and failed', async () => {
      const upstream: NativeUpstream = new Upstream();
      await send({ attempts: [nativeDeployment('east', upstream)] });
      await upstream.fail(new GatewayError('provider_error'));
      expect((await answer()).status).toBe(502);
      expect(await record).toMatchObject({ outcome: 'failed', error: 'provider_error' });
      expect(settledUsage()).toEqual(NO_USAGE);
    });

    it('keeps a defect of ours for the log', async () => {
      const defect = new Error('secret');
      const upstream: NativeUpstream = new Upstream();
      await send({ attempts: [nativeDeployment('east', upstream)] });
      await upstream.fail(defect as GatewayError);
      const { status, text } = await answer();
      expect(status).toBe(500);
      expect(text).not.toContain('secret');
      expect(await record).toMatchObject({ error: 'internal_error', cause: defect });
    });

    it('is not for a deployment that cannot do it', async () => {
      await send({ attempts: [deployment('east')], operation: 'embeddings' });
      expect((await answer()).status).toBe(501);
      expect(settlement.cancel).toHaveBeenCalledTimes(1);
    });

    it('sends nothing that would be lost where losses are refused', async () => {
      const chat = jest.fn(async ({ warn, context }: AbilityCall<ChatRequest>) => {
        warn({ field: 'responseFormat', kind: 'emulated', detail: '' });
        warn({ field: 'topP', kind: 'dropped', detail: 'why' });
        context.beforeSend?.();
        return Promise.reject(new GatewayError('internal_error'));
      });
      const east = provider('east', { chat: { complete: chat, stream: () => Promise.reject(new Error()) } });
      await send({ attempts: [deployment('east', { provider: east })], isStrict: true });
      const { status, json } = await answer();
      expect(status).toBe(422);
      expect(json().error).toMatchObject({
        code: 'unsupported_parameter',
        param: 'top_p',
        losses: [{ field: 'top_p', kind: 'dropped', detail: 'why' }],
      });
      expect(settlement.cancel).toHaveBeenCalledTimes(1);
    });
  });

  describe('of a stream', () => {
    const body = { stream: true };

    it('passes a native stream on, lets go of the call, and settles what was told', async () => {
      const upstream: NativeUpstream = new Upstream();
      const { source, tap, response } = nativeStream({ 'x-region': 'north', 'content-type': 'text/event-stream' });
      await send({ attempts: [nativeDeployment('east', upstream)], body });
      await upstream.answer(response);
      source.push(event(content));
      tap.told = USAGE;
      source.push(event(terminal));
      const { status, headers, text } = await answer();
      expect([status, text]).toEqual([200, event(content) + event(terminal)]);
      expect(headers).toMatchObject({
        'content-type': 'text/event-stream; charset=utf-8',
        'x-region': 'north',
        'x-ratelimit-limit-requests': '5',
      });
      expect(upstream.calls[0]).toMatchObject({ stream: true, body: { stream_options: { include_usage: true } } });
      expect(await record).toMatchObject({
        outcome: 'completed',
        usage: USAGE,
        usageEstimated: false,
        timeToFirstTokenMs: expect.any(Number),
      });
      expect(live.call).toBeUndefined();
      expect(settledUsage()).toEqual(USAGE);
      expect(metrics.streamClosed).toHaveBeenCalledWith('completed');
      expect(runner.released).toEqual([undefined]);
    });

    it('presents a translated stream, with its usage where that was asked for', async () => {
      const chat = new Upstream<AbilityCall<ChatRequest>, FakePartStream>();
      const stream = new FakePartStream();
      const east = provider('east', { chat: { stream: chat.call, complete: () => Promise.reject(new Error()) } });
      await send({
        attempts: [deployment('east', { provider: east })],
        body: { stream: true, stream_options: { include_usage: true } },
      });
      (await chat.called()).warn({ field: 'seed', kind: 'dropped', detail: '' });
      await chat.answer(stream);
      stream.push(
        { type: 'text-delta', text: 'Hi' },
        { type: 'choice-finish', reason: 'stop' },
        { type: 'finish', usage: USAGE },
      );
      const { headers, text } = await answer();
      expect(headers['x-tollgate-warnings']).toBe('seed=dropped');
      expect(text).toContain('"content":"Hi"');
      expect(text).toContain('"prompt_tokens":3');
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
      expect(settledUsage()).toEqual(USAGE);
    });

    it('estimates what a provider did not tell', async () => {
      const upstream: NativeUpstream = new Upstream();
      const { source, tap, response } = nativeStream();
      await send({ attempts: [nativeDeployment('east', upstream)], body });
      await upstream.answer(response);
      tap.bytes = 9;
      source.push(event(content) + event(terminal));
      await answer();
      expect(await record).toMatchObject({ usageEstimated: true });
      expect(settledUsage()).toEqual({ ...ESTIMATED_PROMPT, completionTokens: 3 });
    });

    it('passes on and counts what nobody understands', async () => {
      const upstream: NativeUpstream = new Upstream();
      const { source, response } = nativeStream();
      await send({ attempts: [nativeDeployment('east', upstream)], body });
      await upstream.answer(response);
      source.push(event(content) + event(malformed) + event(malformed) + event(terminal));
      expect((await answer()).text).toContain(event(malformed));
      expect(await record).toMatchObject({ malformedEvents: 2 });
      expect(metrics.malformedEvents.mock.calls).toEqual([['east', 2]]);
    });

    it('that fails before its content is another deployment’s, in the headers too', async () => {
      const [first, second]: NativeUpstream[] = [new Upstream(), new Upstream()];
      const [broken, sound] = [nativeStream(), nativeStream()];
      await send({
        attempts: [nativeDeployment('a', first as NativeUpstream), nativeDeployment('b', second as NativeUpstream)],
        body,
      });
      await first?.answer(broken.response);
      broken.source.push(event(none));
      broken.source.end();
      await second?.answer(sound.response);
      sound.source.push(event(content) + event(terminal));
      expect((await answer()).text).toBe(event(content) + event(terminal));
      expect(broken.source.calls).toContain('destroy');
      expect(runner.released).toEqual([undefined]);
    });

    it('that fails before its content, with nobody else to answer, is a status', async () => {
      const upstream: NativeUpstream = new Upstream();
      const { source, response } = nativeStream();
      await send({ attempts: [nativeDeployment('east', upstream)], body });
      await upstream.answer(response);
      await new Promise(setImmediate);
      source.end();
      const { status, headers, json } = await answer();
      expect([status, json().error.code]).toEqual([502, 'provider_stream_broken']);
      expect(headers['content-type']).toBe('application/json');
      expect(await record).toMatchObject({ outcome: 'failed', error: 'provider_stream_broken', usage: NO_USAGE });
      expect(settledUsage()).toEqual(NO_USAGE);
      expect(metrics.streamOpened).not.toHaveBeenCalled();
    });

    it('that fails when the status has left with a comment tells it in the stream', async () => {
      runner.firstContentMs = 2 * STREAM.holdMs;
      const upstream: NativeUpstream = new Upstream();
      await send({ attempts: [nativeDeployment('east', upstream)], body });
      await upstream.called();
      ticker.tick(Date.now() + STREAM.holdMs);
      await upstream.fail(new GatewayError('provider_overloaded'));
      const { status, headers, text } = await answer();
      expect([status, headers['x-ratelimit-limit-requests']]).toEqual([200, '5']);
      expect(text).toMatch(/^: ping\n\ndata: \{"error":.*"provider_overloaded".*\}\n\n$/);
      expect(await record).toMatchObject({ outcome: 'failed', error: 'provider_overloaded', status: 200 });
    });

    it.each([
      ['provider_stream_broken', 'provider_error'],
      ['provider_timeout', 'idle_timeout'],
    ] as const)('that fails with %s after its content tells it in the stream', async (code, reason) => {
      const upstream: NativeUpstream = new Upstream();
      const { source, tap, response } = nativeStream();
      await send({ attempts: [nativeDeployment('east', upstream)], body });
      await upstream.answer(response);
      source.push(event(content));
      tap.told = USAGE;
      const error = new GatewayError(code);
      source.fail(error);
      const { status, text } = await answer();
      expect(status).toBe(200);
      expect(text.startsWith(event(content))).toBe(true);
      expect(text).toContain(`"code":"${code}"`);
      expect(await record).toMatchObject({ outcome: 'failed', error: code });
      expect(settledUsage()).toEqual({ ...USAGE, source: 'partial' });
      expect(metrics.streamClosed).toHaveBeenCalledWith(reason);
      expect(runner.released).toEqual([error]);
    });

    it('may be silent until its content as long as that may take, and after it no longer than a stream', async () => {
      runner.firstContentMs = 30_000;
      const upstream: NativeUpstream = new Upstream();
      const { source, response } = nativeStream();
      await send({ attempts: [nativeDeployment('east', upstream)], body });
      const { timeouts } = (await upstream.called()).context;
      expect(timeouts.idleMs).toBe(30_000);
      await upstream.answer(response);
      source.push(event(content));
      await until(event(content));
      expect(timeouts.idleMs).toBe(10_000);
      source.push(event(terminal));
    });

    it('that never gives its headers, or its content, in time is given up', async () => {
      const upstreams: NativeUpstream[] = [new Upstream(), new Upstream(), new Upstream()];
      const [silent, sound] = [nativeStream(), nativeStream()];
      await send({ attempts: upstreams.map((each, index) => nativeDeployment(`d${index}`, each)), body });
      const { signal } = (await upstreams[0]?.called())?.context as AttemptContext;
      ticker.tick(Date.now() + FIRST_CONTENT_MS - 1_000);
      expect(signal.aborted).toBe(false);
      ticker.tick(Date.now() + FIRST_CONTENT_MS);
      expect(signal.aborted).toBe(true);
      await upstreams[1]?.called();
      await upstreams[1]?.answer(silent.response);
      await new Promise(setImmediate);
      silent.source.push(event(none));
      ticker.tick(Date.now() + FIRST_CONTENT_MS);
      expect(silent.source.calls).toEqual(['start', 'destroy']);
      await upstreams[2]?.called();
      await upstreams[2]?.answer(sound.response);
      sound.source.push(event(content));
      await new Promise(setImmediate);
      ticker.tick(Date.now() + FIRST_CONTENT_MS);
      sound.source.push(event(terminal));
      expect((await answer()).text).toContain(event(content) + event(terminal));
      expect(await record).toMatchObject({ outcome: 'completed' });
    });

    it('that gives no content in time is told as a timeout', async () => {
      const upstream: NativeUpstream = new Upstream();
      await send({ attempts: [nativeDeployment('east', upstream)], body });
      await upstream.called();
      ticker.tick(Date.now() + FIRST_CONTENT_MS);
      const { status, json } = await answer();
      expect([status, json().error.code]).toEqual([504, 'provider_timeout']);
    });

    it('is not made of a whole answer', async () => {
      const upstream: NativeUpstream = new Upstream();
      await send({ attempts: [nativeDeployment('east', upstream)], body });
      await upstream.answer(whole('{}'));
      expect((await answer()).json().error.code).toBe('provider_bad_response');
    });

    it('is not for a deployment that cannot do it', async () => {
      const east = provider('east');
      await send({ attempts: [deployment('east', { provider: { ...east, chat: undefined as never } })], body });
      expect((await answer()).status).toBe(501);
      expect(settlement.cancel).toHaveBeenCalledTimes(1);
    });
  });

  describe('when the client leaves', () => {
    const left = { outcome: 'client-abort', error: 'client_closed' };

    it.each([false, true])(
      'before anything is dispatched: nothing is sent, nothing charged, stream %s',
      async (stream) => {
        const reserved = Promise.withResolvers<void>();
        reservation = reserved.promise;
        const upstream: NativeUpstream = new Upstream();
        await send({ attempts: [nativeDeployment('east', upstream)], body: { stream } });
        client.destroy();
        expect(await record).toMatchObject(left);
        reserved.resolve();
        await dispatched;
        expect(upstream.calls).toEqual([]);
        expect(settlement.cancel).toHaveBeenCalledTimes(1);
      },
    );

    it.each([false, true])(
      'before its bytes have left: the attempt ends, nothing is charged, stream %s',
      async (stream) => {
        const upstream: NativeUpstream = new Upstream(false);
        await send({
          attempts: [nativeDeployment('east', upstream, { onDisconnect: 'drain' }), nativeDeployment('west', upstream)],
          body: { stream },
        });
        const { context } = await upstream.called();
        await leave();
        expect(context.signal.aborted).toBe(true);
        expect(await record).toMatchObject({ ...left, status: 499, usage: NO_USAGE });
        expect(settlement.cancel).toHaveBeenCalledTimes(1);
        expect(upstream.calls).toHaveLength(1);
      },
    );

    it.each([false, true])(
      'before there are headers: the attempt ends, the prompt is charged, stream %s',
      async (stream) => {
        const upstream: NativeUpstream = new Upstream();
        await send({
          attempts: [nativeDeployment('east', upstream), nativeDeployment('west', upstream)],
          body: { stream },
        });
        const { context } = await upstream.called();
        await leave();
        expect(context.signal.aborted).toBe(true);
        expect(await record).toMatchObject({ ...left, usageEstimated: true });
        expect(settledUsage()).toEqual(ESTIMATED_PROMPT);
        expect(upstream.calls).toHaveLength(1);
      },
    );

    it('before there is content: the upstream is closed, the prompt charged', async () => {
      const upstream: NativeUpstream = new Upstream();
      const { source, response } = nativeStream();
      await send({ attempts: [nativeDeployment('east', upstream)], body: { stream: true } });
      await upstream.answer(response);
      await new Promise(setImmediate);
      source.push(event(none));
      await leave();
      expect(source.calls).toEqual(['start', 'destroy']);
      expect(await record).toMatchObject(left);
      expect(settledUsage()).toEqual(ESTIMATED_PROMPT);
    });

    it('between headers and the start: what just answered is closed unread', async () => {
      const upstream: NativeUpstream = new Upstream();
      const { source, response } = nativeStream();
      await send({ attempts: [nativeDeployment('east', upstream)], body: { stream: true } });
      const { context } = await upstream.called();
      upstream.answerNow(response);
      live.abandon();
      expect(context.signal.aborted).toBe(true);
      await new Promise(setImmediate);
      expect(source.calls).toEqual(['destroy']);
      expect(settledUsage()).toEqual(ESTIMATED_PROMPT);
    });

    it('in the middle of a stream: the upstream is closed, what was generated charged', async () => {
      const upstream: NativeUpstream = new Upstream();
      const { source, tap, response } = nativeStream();
      await send({ attempts: [nativeDeployment('east', upstream)], body: { stream: true } });
      await upstream.answer(response);
      source.push(event(content));
      tap.bytes = 8;
      await until(event(content));
      await leave();
      expect(source.calls).toEqual(['start', 'destroy']);
      expect(await record).toMatchObject({ ...left, status: 200 });
      expect(settledUsage()).toEqual({ ...ESTIMATED_PROMPT, completionTokens: 2 });
      expect(metrics.streamClosed).toHaveBeenCalledWith('client_abort');
      expect(runner.released).toEqual([undefined]);
    });
  });

  describe('when the client leaves a provider that bills in full', () => {
    const drain = { onDisconnect: 'drain' } as const;

    it('a whole answer is awaited and charged', async () => {
      const upstream: NativeUpstream = new Upstream();
      await send({ attempts: [nativeDeployment('east', upstream, drain)] });
      const { context } = await upstream.called();
      await leave();
      expect(context.signal.aborted).toBe(false);
      await upstream.answer(whole('{}', USAGE));
      expect(await record).toMatchObject({ outcome: 'client-abort', usage: USAGE, bytesOut: 0 });
      expect(settledUsage()).toEqual(USAGE);
    });

    it.each([
      ['before its content', false],
      ['after its content', true],
    ])('a stream is read to its end and charged: %s', async (_name, isLate) => {
      const upstream: NativeUpstream = new Upstream();
      const { source, tap, response } = nativeStream();
      await send({ attempts: [nativeDeployment('east', upstream, drain)], body: { stream: true } });
      await upstream.answer(response);
      if (isLate) {
        source.push(event(content));
        await until(event(content));
      }
      await leave();
      source.push(event(content));
      await new Promise(setImmediate);
      // It has content, so that no clock takes it for silent.
      ticker.tick(Date.now() + 10 * DRAIN_MS);
      tap.told = USAGE;
      source.push(event(terminal));
      expect(await record).toMatchObject({ outcome: 'client-abort', usage: USAGE });
      expect(source.calls).not.toContain('destroy');
      expect(settledUsage()).toEqual(USAGE);
      expect(metrics.streamClosed).toHaveBeenCalledWith('client_abort');
      // Nobody was given a first token that nobody waited for.
      expect(live.record.timeToFirstTokenMs !== undefined).toBe(isLate);
    });

    it('no other deployment is tried for it', async () => {
      const upstream: NativeUpstream = new Upstream();
      await send({ attempts: [nativeDeployment('a', upstream, drain), nativeDeployment('b', upstream, drain)] });
      await upstream.called();
      await leave();
      await upstream.fail(new GatewayError('provider_error'));
      expect(await record).toMatchObject({ outcome: 'client-abort', error: 'client_closed' });
      expect(upstream.calls).toHaveLength(1);
      expect(settledUsage()).toEqual(ESTIMATED_PROMPT);
    });

    it('nothing is read on when all slots are taken', async () => {
      while (drains.take());
      const upstream: NativeUpstream = new Upstream();
      await send({ attempts: [nativeDeployment('east', upstream, drain)] });
      const { context } = await upstream.called();
      await leave();
      expect(context.signal.aborted).toBe(true);
      expect(await record).toMatchObject({ outcome: 'client-abort' });
      for (let slot = 0; slot < SLOTS; slot += 1) drains.free();
    });

    it('nothing is read on for ever', async () => {
      const upstream: NativeUpstream = new Upstream();
      const { source, response } = nativeStream();
      await send({ attempts: [nativeDeployment('east', upstream, drain)], body: { stream: true } });
      await upstream.answer(response);
      source.push(event(content));
      await until(event(content));
      jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date', 'performance'] });
      await leave();
      jest.advanceTimersByTime(DRAIN_MS - 1);
      expect(source.calls).not.toContain('destroy');
      jest.advanceTimersByTime(1);
      expect(source.calls).toContain('destroy');
      expect(await record).toMatchObject({ outcome: 'client-abort', error: 'client_closed' });
      expect(jest.getTimerCount()).toBe(0);
    });

    it('a cut ends the reading, and it is settled', async () => {
      const upstream: NativeUpstream = new Upstream();
      const { source, response } = nativeStream();
      await send({ attempts: [nativeDeployment('east', upstream, drain)], body: { stream: true } });
      await upstream.answer(response);
      source.push(event(content));
      await until(event(content));
      await leave();
      lifecycle.cutAll(new GatewayError('server_shutting_down'));
      expect(await record).toMatchObject({ outcome: 'client-abort', error: 'server_shutting_down' });
      expect(source.calls).toContain('destroy');
      expect(settledUsage()).toMatchObject({ source: 'estimate' });
    });
  });

  describe('when the gateway cuts the request', () => {
    const CUT = new GatewayError('server_shutting_down');

    it.each([false, true])('before its answer: a status, and the prompt charged, stream %s', async (stream) => {
      const upstream: NativeUpstream = new Upstream();
      await send({ attempts: [nativeDeployment('east', upstream)], body: { stream } });
      await upstream.called();
      lifecycle.cutAll(CUT);
      const { status, json } = await answer();
      expect([status, json().error.code]).toEqual([503, 'server_shutting_down']);
      expect(await record).toMatchObject({ outcome: 'drain-cut', error: 'server_shutting_down' });
      expect(settledUsage()).toEqual(ESTIMATED_PROMPT);
    });

    it('in the middle of a stream: an error in the stream, never its mark', async () => {
      const upstream: NativeUpstream = new Upstream();
      const { source, response } = nativeStream();
      await send({ attempts: [nativeDeployment('east', upstream, { onDisconnect: 'drain' })], body: { stream: true } });
      await upstream.answer(response);
      source.push(event(content));
      await new Promise(setImmediate);
      lifecycle.cutAll(CUT);
      const { text } = await answer();
      expect(text).toContain('"server_shutting_down"');
      expect(text).not.toContain('[DONE]');
      expect(source.calls).toEqual(['start', 'destroy']);
      expect(await record).toMatchObject({ outcome: 'drain-cut', error: 'server_shutting_down' });
      expect(metrics.streamClosed).toHaveBeenCalledWith('drain_cut');
    });
  });
});

describe('a dispatch without a reserved call', () => {
  it('is a defect of ours', async () => {
    const nothing = {} as never;
    const dispatcher = new Dispatcher(nothing, nothing, nothing, nothing, nothing);
    await expect(dispatcher.dispatch({} as LiveRequest, nothing)).rejects.toMatchObject({ code: 'internal_error' });
  });
});
