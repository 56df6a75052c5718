import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Catch,
  Controller,
  Get,
  Global,
  Module,
  NotFoundException,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { NextFunction, Request, Response } from 'express';
import { z } from 'zod';
import { FakeIdp } from '../../test/support/fake-idp.ts';
import { requestRecord } from '../../test/support/request-record.ts';
import { buildConfig } from '../config/build-config.js';
import { ConfigStore } from '../config/config.store.js';
import { FileReader } from '../config/file-reader.js';
import { createLogger, LOGGER } from '../config/logging.js';
import { generateApiKey } from '../contract/api-key.js';
import { GatewayError, toGatewayError } from '../contract/errors.js';
import { contextOf, openContext, type Plane } from '../contract/request-context.js';
import { RoutePolicy } from '../contract/route-policy.js';
import { BackgroundTasks } from '../state/background-tasks.js';
import { StateModule } from '../state/state.module.js';
import { AccessGuard } from './access.guard.js';
import { AuthModule } from './auth.module.js';
import { AuthenticateGuard } from './authenticate.guard.js';
import { FloodGuard } from './flood.guard.js';
import { FloodObserver } from './flood.observer.js';

const KEY = generateApiKey();

@Controller()
@RoutePolicy({ plane: 'data', access: 'caller' })
class DataController {
  @Get('call')
  call(): string {
    return 'called';
  }

  @Get('docs')
  @RoutePolicy({ plane: 'data', access: 'public' })
  docs(): string {
    return 'docs';
  }

  @Get('admin')
  @RoutePolicy({ plane: 'admin', access: 'caller' })
  admin(): string {
    return 'admin';
  }

  @Get('livez')
  @RoutePolicy({ plane: 'metrics', access: 'public' })
  livez(): string {
    return 'live';
  }
}

@Controller()
class UndeclaredController {
  @Get('undeclared')
  undeclared(): string {
    return 'open';
  }
}

@Catch()
class PlainFilter implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    const error = thrown instanceof NotFoundException ? new GatewayError('route_not_found') : toGatewayError(thrown);
    const response = host.switchToHttp().getResponse<Response>();
    response
      .status(error.status)
      .set({ ...error.headers })
      .json({ code: error.code, retryAfterMs: error.retryAfterMs });
  }
}

describe('the guards in their order', () => {
  let app: INestApplication;
  let idp: FakeIdp;
  let base: string;
  let address = '';
  let plane: Plane = 'data';

  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${base}/${path}`, { headers });
    const text = await response.text();
    const body = text.startsWith('{') ? (JSON.parse(text) as { code: string; retryAfterMs?: number }) : { code: text };
    return { status: response.status, headers: response.headers, ...body };
  };
  const codes = async (times: number, path: string, headers: Record<string, string> = {}) => {
    const found: string[] = [];
    for (let count = 0; count < times; count++) found.push((await get(path, headers)).code);
    return found;
  };

  beforeAll(async () => {
    idp = await FakeIdp.start();
    const { config } = buildConfig(
      {
        source: 'test',
        value: {
          keys: [{ id: 'good', secret: KEY }],
          auth: {
            pepper: 'a pepper of more than thirty-two characters',
            flood: { limit: 3, windowMs: 60_000, blockMs: 30_000 },
            jwt: [
              { issuer: idp.issuer, audience: 'tollgate', jwksUri: idp.jwksUri },
              { issuer: 'https://away.example', audience: 'tollgate', jwksUri: 'http://127.0.0.1:9/jwks' },
            ],
          },
          redis: {
            url: process.env['REDIS_URL'],
            keyPrefix: `t${randomBytes(8).toString('hex')}`,
            commandTimeoutMs: 2_000,
          },
        },
      },
      {
        kinds: [{ kind: 'test', settings: z.strictObject({}) }],
        environment: {},
        directory: '/',
        reader: new FileReader(),
        pepper: '',
      },
    );
    @Global()
    @Module({
      providers: [
        { provide: ConfigStore, useValue: new ConfigStore({ version: 1, sha: '', source: 'file', config }) },
        { provide: LOGGER, useValue: createLogger('silent') },
      ],
      exports: [ConfigStore, LOGGER],
    })
    class TestConfigModule {}
    const testing = await Test.createTestingModule({
      imports: [TestConfigModule, StateModule, AuthModule],
      controllers: [DataController, UndeclaredController],
      providers: [
        { provide: APP_GUARD, useExisting: AuthenticateGuard },
        { provide: APP_GUARD, useExisting: FloodGuard },
        { provide: APP_GUARD, useExisting: AccessGuard },
      ],
    }).compile();
    app = testing.createNestApplication({ bodyParser: false, logger: false });
    app.useGlobalFilters(new PlainFilter());
    const observer = app.get(FloodObserver);
    app.use((request: Request, response: Response, next: NextFunction) => {
      const record = requestRecord({ requestId: 'r', address, plane, caller: undefined });
      openContext(request, { requestId: 'r', plane, record });
      response.on('finish', () => {
        record.status = response.statusCode;
        observer.closed(record);
      });
      next();
    });
    await app.listen(0, '127.0.0.1');
    base = `http://127.0.0.1:${((app.getHttpServer() as Server).address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    plane = 'data';
    address = `10.${randomBytes(3).join('.')}`;
  });
  afterAll(async () => {
    await app.close();
    await idp.close();
  });

  it('lets a key and a token in', async () => {
    expect((await get('call', { 'api-key': KEY })).code).toBe('called');
    expect((await get('call', { authorization: `Bearer ${idp.token()}` })).code).toBe('called');
  });

  it('refuses strangers with the reason and a challenge', async () => {
    const nothing = await get('call');
    expect(nothing).toMatchObject({ status: 401, code: 'authentication_required' });
    expect(nothing.headers.get('www-authenticate')).toBe('Bearer realm="tollgate"');
    expect(await get('call', { 'api-key': 'tg_wrong' })).toMatchObject({ status: 401, code: 'invalid_api_key' });
  });

  it('serves public routes to all and authenticates nobody there', async () => {
    const docs = await get('docs');
    expect(docs.code).toBe('docs');
    expect([...docs.headers.keys()].filter((name) => /ratelimit|retry/.test(name))).toEqual([]);
    expect((await get('docs', { 'api-key': 'tg_wrong' })).code).toBe('docs');
  });

  it('hides the routes of other listeners, also from callers', async () => {
    expect(await get('admin', { 'api-key': KEY })).toMatchObject({ status: 404, code: 'route_not_found' });
    expect(await get('livez')).toMatchObject({ status: 404, code: 'route_not_found' });
    plane = 'admin';
    expect((await get('admin', { 'api-key': KEY })).code).toBe('admin');
    expect((await get('call', { 'api-key': KEY })).code).toBe('route_not_found');
  });

  it('refuses a route that declares no policy, also to callers', async () => {
    expect(await get('undeclared', { 'api-key': KEY })).toMatchObject({ status: 500, code: 'internal_error' });
  });

  it('blocks an address that sends too many wrong credentials, though a guard before it knew the failure', async () => {
    expect(await codes(5, 'call', { 'api-key': 'tg_wrong' })).toEqual([
      'invalid_api_key',
      'invalid_api_key',
      'invalid_api_key',
      'flood_blocked',
      'flood_blocked',
    ]);
    const blocked = await get('call');
    expect(blocked).toMatchObject({ status: 429, code: 'flood_blocked' });
    expect(blocked.retryAfterMs).toBeGreaterThan(28_000);
    expect([...blocked.headers.keys()].filter((name) => /ratelimit|retry/.test(name))).toEqual([]);
  });

  it('lets callers in from a blocked address, and never counts them', async () => {
    await codes(4, 'call');
    expect((await get('call')).code).toBe('flood_blocked');
    expect(new Set(await codes(20, 'call', { 'api-key': KEY }))).toEqual(new Set(['called']));
    expect(new Set(await codes(20, 'admin', { 'api-key': KEY }))).toEqual(new Set(['route_not_found']));
  });

  it('counts per address, not per route', async () => {
    await get('call');
    await get('docs');
    await get('admin');
    expect((await get('call')).code).toBe('flood_blocked');
    address = '10.255.255.255';
    expect((await get('call')).code).toBe('authentication_required');
  });

  it('counts requests no guard sees', async () => {
    for (let count = 0; count < 4; count++) await get('wp-login.php');
    await app.get(BackgroundTasks).drain(2_000);
    expect((await get('call')).code).toBe('flood_blocked');
  });

  it('never counts probes', async () => {
    plane = 'metrics';
    expect(new Set(await codes(20, 'livez'))).toEqual(new Set(['live']));
  });

  it('does not count callers whose tokens cannot be checked', async () => {
    const authorization = `Bearer ${idp.token({ iss: 'https://away.example' })}`;
    expect(new Set(await codes(10, 'call', { authorization }))).toEqual(new Set(['authentication_unavailable']));
    expect((await get('call')).code).toBe('authentication_required');
  });

  it('writes the caller into the context and the record', async () => {
    const guard = app.get(AuthenticateGuard);
    const request = { headers: { 'api-key': KEY }, rawHeaders: [] };
    const record = requestRecord({ caller: undefined });
    openContext(request, { requestId: 'r', plane, record });
    const host = {
      switchToHttp: () => ({ getRequest: () => request }),
      getHandler: () => DataController.prototype.call,
      getClass: () => DataController,
    };
    await guard.canActivate(host as unknown as Parameters<AuthenticateGuard['canActivate']>[0]);

    expect(contextOf(request).caller?.id).toBe('good');
    expect(record.caller?.id).toBe('good');
  });
});
