import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, HttpException, Post, Res, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Response } from 'express';
import { GatewayError } from '../contract/errors.js';
import type { RequestRecord } from '../contract/record.js';
import { ErrorFilter } from './error.filter.js';
import { RequestLifecycle } from './request/request-lifecycle.js';

/** What the routes below throw; called first where it is a function. */
let thrown: unknown;

function fail(): never {
  throw typeof thrown === 'function' ? thrown() : thrown;
}

@Controller()
class ThrowingController {
  @Get('v1/things/*rest')
  all(): never {
    return fail();
  }

  @Post('v1/upload')
  upload(): never {
    return fail();
  }

  @Get('v1/half')
  async half(@Res() response: Response): Promise<never> {
    response.write('half an ');
    await new Promise(setImmediate);
    return fail();
  }
}

describe('the last word on a failure', () => {
  let application: INestApplication;
  let port: number;
  let records: RequestRecord[];
  let opened: RequestRecord;
  let wake: () => void;

  beforeAll(async () => {
    const lifecycle = new RequestLifecycle([
      {
        opened: (record) => void (opened = record),
        closed: (record) => {
          records.push(record);
          wake();
        },
      },
    ]);
    const module = await Test.createTestingModule({ controllers: [ThrowingController] }).compile();
    application = module.createNestApplication({ bodyParser: false, logger: false });
    application.use(lifecycle.middleware);
    application.useGlobalFilters(new ErrorFilter());
    await application.listen(0, '127.0.0.1');
    port = (application.getHttpServer().address() as AddressInfo).port;
  });
  afterAll(() => application.close());
  beforeEach(() => {
    thrown = new GatewayError('invalid_request');
    records = [];
    wake = () => undefined;
  });

  async function call(path: string, method = 'GET', body?: { declared: number }) {
    const headers = { connection: 'keep-alive', ...(body && { 'content-length': body.declared }) };
    const client = httpRequest({ port, host: '127.0.0.1', path, method, headers, agent: false });
    client.on('error', () => undefined);
    if (body === undefined) client.end();
    else client.flushHeaders();
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    let text = '';
    let isWhole = true;
    try {
      for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
    } catch {
      isWhole = false;
    }
    client.destroy();
    while (records.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    const { statusCode: status, headers: answered } = response;
    return { status, headers: answered, text, isWhole, error: isWhole ? JSON.parse(text).error : undefined };
  }

  it('is in OpenAI’s shape, with the status, and for nobody to keep', async () => {
    thrown = new GatewayError('content_filter', {
      message: 'Filtered: ü.',
      param: 'messages[0]',
      providerCode: 'own_code',
      headers: { 'x-a': 'b' },
    });
    const { status, headers, text, error } = await call('/v1/things/a');
    expect(status).toBe(400);
    expect(error).toEqual({
      message: 'Filtered: ü.',
      type: 'invalid_request_error',
      param: 'messages[0]',
      code: 'own_code',
    });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-length': String(Buffer.byteLength(text)),
      'x-a': 'b',
      'x-request-id': records[0]?.requestId,
    });
    expect(headers).not.toHaveProperty('retry-after');
  });

  it('says when to try again, in whole seconds and in milliseconds, never too early', async () => {
    thrown = new GatewayError('rate_limit_exceeded', { retryAfterMs: 1_000.2 });
    const { status, headers } = await call('/v1/things/a');
    expect(status).toBe(429);
    expect(headers).toMatchObject({ 'retry-after': '2', 'retry-after-ms': '1001' });
  });

  it.each([
    ['invalid_value', 'refused'],
    ['rate_limit_exceeded', 'refused'],
    ['provider_error', 'failed'],
    ['quota_store_unavailable', 'failed'],
  ] as const)('is recorded by who has to act: %s is %s', async (code, outcome) => {
    thrown = new GatewayError(code, { cause: new Error('not for the log') });
    await call('/v1/things/a');
    expect(records[0]).toMatchObject({ error: code, outcome });
    expect(records[0]).not.toHaveProperty('cause');
  });

  it('keeps a defect of ours for the log and tells nothing of it', async () => {
    thrown = new Error('secret');
    const { status, text, error } = await call('/v1/things/a');
    expect([status, error.code]).toEqual([500, 'internal_error']);
    expect(text).not.toContain('secret');
    expect(records[0]).toMatchObject({ error: 'internal_error', outcome: 'failed', cause: thrown });
  });

  it('bears whatever is thrown', async () => {
    thrown = null;
    expect((await call('/v1/things/a')).status).toBe(500);
  });

  it('of the framework keeps its status where it is the caller’s fault', async () => {
    thrown = new HttpException('secret', 406);
    const { status, error } = await call('/v1/things/a');
    expect([status, error.code]).toEqual([406, 'invalid_request']);
    expect(error.message).not.toContain('secret');
    records = [];
    thrown = new HttpException('secret', 503);
    expect((await call('/v1/things/a')).status).toBe(500);
    records = [];
    expect((await call('/v1/things/%E0%A4%A')).status).toBe(400);
  });

  it('on an unknown path names it, and not for ever', async () => {
    const { status, error } = await call(`/${'x'.repeat(300)}`);
    expect([status, error.code]).toEqual([404, 'route_not_found']);
    expect(error.message).toBe(`There is no route GET /${'x'.repeat(127)}; see /docs.`);
    expect(records[0]).toMatchObject({ outcome: 'refused' });
  });

  it('on a wrong method names the right ones, for paths of callers', async () => {
    const { status, headers, error } = await call('/v1/half', 'DELETE');
    expect([status, error.code, headers.allow]).toEqual([405, 'method_not_allowed', 'GET']);
    expect(error.message).toContain('takes GET');
  });

  it('never lets half an answer look whole', async () => {
    const { status, text, isWhole } = await call('/v1/half');
    expect([status, text, isWhole]).toEqual([200, 'half an ', false]);
    // The gateway broke it off, not the client.
    expect(records[0]).toMatchObject({ error: 'invalid_request', outcome: 'refused' });
  });

  it('leaves an outcome that somebody knew better', async () => {
    thrown = () => {
      opened.outcome = 'drain-cut';
      return new GatewayError('server_shutting_down');
    };
    expect((await call('/v1/things/a')).status).toBe(503);
    expect(records[0]).toMatchObject({ error: 'server_shutting_down', outcome: 'drain-cut' });
  });

  it('closes the connection of an upload that nobody reads, and is no break-off when the client goes', async () => {
    const { status, headers } = await call('/v1/upload', 'POST', { declared: 1_000_000 });
    expect([status, headers.connection]).toEqual([400, 'close']);
    expect(records[0]).toMatchObject({ outcome: 'refused', status: 400, error: 'invalid_request' });
  });

  it('leaves the connection of a small one', async () => {
    const { headers } = await call('/v1/upload', 'POST', { declared: 10 });
    expect(headers.connection).toBe('keep-alive');
  });
});
