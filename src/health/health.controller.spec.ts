import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ConfigStore } from '../config/config.store.js';
import { ROUTE_POLICY } from '../contract/route-policy.js';
import { RedisStore } from '../state/redis.store.js';
import { HealthController } from './health.controller.js';
import { HealthModule } from './health.module.js';
import { Readiness } from './readiness.js';

describe('the probes', () => {
  let application: INestApplication;
  let limits: 'closed' | 'open' | 'shadow';
  let available: boolean;

  beforeEach(async () => {
    limits = 'shadow';
    available = true;
    const config = { current: { config: { redis: { onFailure: { limits: 'shadow' } } } } };
    Object.defineProperty(config.current.config.redis.onFailure, 'limits', { get: () => limits });
    const store = Object.defineProperty({}, 'available', { get: () => available });
    const testing = await Test.createTestingModule({
      imports: [
        {
          module: class State {},
          global: true,
          providers: [
            { provide: ConfigStore, useValue: config },
            { provide: RedisStore, useValue: store },
          ],
          exports: [ConfigStore, RedisStore],
        },
        HealthModule,
      ],
    }).compile();
    application = testing.createNestApplication({ logger: false });
    await application.listen(0, '127.0.0.1');
  });

  afterEach(() => application.close());

  const probe = async (path: string) => {
    const response = await fetch(`${await application.getUrl()}${path}`);
    return { status: response.status, body: await response.json() };
  };

  it('answers /livez whatever the state of the process and the store', async () => {
    available = false;
    limits = 'closed';
    application.get(Readiness).startDraining();
    expect(await probe('/livez')).toEqual({ status: 200, body: { status: 'alive' } });
  });

  it('answers /readyz with 503 and the reasons until start-up is done and again when draining', async () => {
    expect(await probe('/readyz')).toEqual({ status: 503, body: { status: 'not_ready', reasons: ['starting'] } });
    application.get(Readiness).setReady();
    expect(await probe('/readyz')).toEqual({ status: 200, body: { status: 'ready' } });
    application.get(Readiness).startDraining();
    expect(await probe('/readyz')).toEqual({ status: 503, body: { status: 'not_ready', reasons: ['draining'] } });
  });

  it('stays ready without the store unless limits are closed then', async () => {
    application.get(Readiness).setReady();
    available = false;
    expect((await probe('/readyz')).status).toBe(200);
    limits = 'closed';
    expect(await probe('/readyz')).toEqual({ status: 503, body: { status: 'not_ready', reasons: ['redis'] } });
    available = true;
    expect((await probe('/readyz')).status).toBe(200);
  });

  it('declares its listener and that no credential is needed', () => {
    expect(Reflect.getMetadata(ROUTE_POLICY, HealthController)).toEqual({ plane: 'metrics', access: 'public' });
  });
});
