import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CallHandler, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { of } from 'rxjs';
import { caller, deployment, model } from '../../test/support/routing-builders.ts';
import type { ConfigStore } from '../config/config.store.js';
import type { Caller } from '../contract/caller.js';
import type { CallEnvelope } from '../contract/call.js';
import { GatewayError } from '../contract/errors.js';
import type { Plan } from '../contract/plan.js';
import type { PlanOptions, RoutingService } from '../routing/routing.service.js';
import { CallInterceptor } from './call.interceptor.js';
import { Speaks } from './dialects/dialects.js';
import { liveRequestOf, type LiveRequest } from './request/live-request.js';
import { RequestLifecycle } from './request/request-lifecycle.js';

const BODY = { model: 'asked-for', messages: [{ role: 'user', content: 'Hi' }] };
const SERVER = { maxBodyBytes: 1_000, bodyTimeoutMs: 5_000, maxJsonDepth: 8, maxArrayLength: 4 };

class Handlers {
  @Speaks('openai-chat')
  chat(): void {}

  @Speaks('openai-embeddings')
  embed(): void {}
}

describe('reading a call', () => {
  let server: Server;
  let plan: Plan;
  let planned: jest.Mock<Plan, [CallEnvelope, Caller, PlanOptions]>;

  beforeEach(async () => {
    const attempts = [deployment('east')];
    plan = { model: model(attempts, { name: 'configured' }), attempts };
    planned = jest.fn((_call: CallEnvelope, _caller: Caller, _options: PlanOptions) => plan);
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  interface CallOptions {
    readonly body?: string;
    readonly headers?: Record<string, string>;
    readonly params?: Record<string, string>;
    readonly caller?: Caller | undefined;
    readonly handler?: (...parts: never[]) => unknown;
  }

  /** What becomes of a request with the body; rejects with the refusal. */
  async function read(options: CallOptions = {}): Promise<{ live: LiveRequest; isPassed: boolean }> {
    const { body = JSON.stringify(BODY), headers = {}, params = {}, handler = Handlers.prototype.chat } = options;
    const interceptor = new CallInterceptor(
      new Reflector(),
      { current: { config: { server: SERVER } } } as unknown as ConfigStore,
      { plan: planned } as unknown as RoutingService,
    );
    const outcome = Promise.withResolvers<{ live: LiveRequest; isPassed: boolean }>();
    server.once('request', (incoming: IncomingMessage, response: Response) => {
      const request = Object.assign(incoming, { params }) as unknown as Request;
      new RequestLifecycle([]).middleware(request, response, () => {
        const live = liveRequestOf(request);
        const who = 'caller' in options ? options.caller : caller();
        if (who !== undefined) live.caller = who;
        const next = { handle: jest.fn(() => of(undefined)) } satisfies CallHandler;
        const context = {
          switchToHttp: () => ({ getRequest: () => request, getResponse: () => response }),
          getHandler: () => handler,
        } as unknown as ExecutionContext;
        interceptor
          .intercept(context, next)
          .then(() => outcome.resolve({ live, isPassed: next.handle.mock.calls.length === 1 }))
          .catch((error) => outcome.reject(Object.assign(error as object, { live })))
          .finally(() => response.end());
      });
    });
    const { port } = server.address() as AddressInfo;
    const client = httpRequest({
      port,
      host: '127.0.0.1',
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
    });
    client.on('error', () => undefined).on('response', (response) => response.resume());
    client.end(body);
    return outcome.promise;
  }

  it('finds what is asked, of whom, and by what plan', async () => {
    const text = JSON.stringify({ ...BODY, stream: true });
    const { live, isPassed } = await read({ body: text });
    expect(isPassed).toBe(true);
    expect(planned).toHaveBeenCalledWith(
      {
        operation: 'chat',
        dialect: 'openai-chat',
        model: 'asked-for',
        stream: true,
        bodyBytes: text.length,
        choices: 1,
      },
      live.caller,
      {},
    );
    expect(live.call).toMatchObject({ body: { ...BODY, stream: true }, plan, isStrict: false });
    expect(live.call?.dialect.name).toBe('openai-chat');
    expect(live.record).toMatchObject({
      operation: 'chat',
      dialect: 'openai-chat',
      model: 'configured',
      stream: true,
      bytesIn: text.length,
    });
  });

  it('speaks the dialect of the route', async () => {
    const { live } = await read({ body: '{"model":"m","input":"a"}', handler: Handlers.prototype.embed });
    expect(live.record).toMatchObject({ operation: 'embeddings', dialect: 'openai-embeddings' });
    expect(live.call?.dialect.name).toBe('openai-embeddings');
  });

  it('asks for the labels the caller demands', async () => {
    const labels = ['eu'];
    await read({ caller: caller({ labels }) });
    expect(planned.mock.calls[0]?.[2]).toEqual({ labels });
  });

  it('takes the model of the path over the body’s', async () => {
    await read({ params: { deployment: 'of-the-path' } });
    expect(planned.mock.calls[0]?.[0].model).toBe('of-the-path');
  });

  it.each([
    ['the caller asks', { headers: { 'x-tollgate-strict': 'true' } }, false, true],
    ['the caller does not', { headers: { 'x-tollgate-strict': 'false' } }, false, false],
    ['the caller is', { caller: caller({ strict: true }) }, false, true],
    ['the model is, whatever is asked', { headers: { 'x-tollgate-strict': 'false' } }, true, true],
  ])('is strict where %s', async (_name, options, isModelStrict, expected) => {
    plan = { ...plan, model: { ...plan.model, strict: isModelStrict } };
    expect((await read(options)).live.call?.isStrict).toBe(expected);
  });

  it('refuses a strictness that is none', async () => {
    await expect(read({ headers: { 'x-tollgate-strict': 'yes' } })).rejects.toMatchObject({ code: 'invalid_value' });
  });

  it.each<[string, CallOptions, string]>([
    ['a body that is no JSON', { body: '{' }, 'invalid_json'],
    ['one that is too long', { body: 'x'.repeat(1_001) }, 'request_too_large'],
    ['one that is too deep', { body: `{"a":${'['.repeat(9)}${']'.repeat(9)}}` }, 'invalid_value'],
    ['a list that is too long', { body: '{"a":["","","","",""]}' }, 'invalid_value'],
    ['another type', { headers: { 'content-type': 'text/plain' } }, 'unsupported_media_type'],
    ['a wrong field', { body: '{"model":"m","messages":[]}' }, 'invalid_value'],
    ['a stranger', { caller: undefined }, 'internal_error'],
  ])('refuses %s, and asks for no plan', async (_name, options, code) => {
    await expect(read(options)).rejects.toMatchObject({ code, live: { call: undefined } });
    expect(planned).not.toHaveBeenCalled();
  });

  it('passes on what routing refuses, with what is known by then in the record', async () => {
    planned.mockImplementation(() => {
      throw new GatewayError('model_not_found');
    });
    await expect(read()).rejects.toMatchObject({
      code: 'model_not_found',
      live: { call: undefined, record: { operation: 'chat', stream: false, bytesIn: expect.any(Number) } },
    });
  });
});
