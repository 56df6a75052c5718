import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import pino from 'pino';
import { ConfigStore, type ConfigSnapshot } from '../config/config.store.js';
import { LOGGER } from '../config/logging.js';
import { ROUTE_POLICY } from '../contract/route-policy.js';
import { RedisStore } from '../state/redis.store.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsModule } from './metrics.module.js';

describe('MetricsModule', () => {
  let application: INestApplication;
  let config: ConfigStore;
  let available: boolean;
  const listeners = new Set<(available: boolean) => void>();
  const failureListeners = new Set<() => void>();

  beforeEach(async () => {
    available = true;
    config = new ConfigStore({ version: 1, sha: 'a'.repeat(64), source: 'file' } as ConfigSnapshot);
    const store = {
      get available() {
        return available;
      },
      onAvailability: (listener: (available: boolean) => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      onFailure: (listener: () => void) => {
        failureListeners.add(listener);
        return () => failureListeners.delete(listener);
      },
    };
    const provided = [
      { provide: ConfigStore, useValue: config },
      { provide: RedisStore, useValue: store },
      { provide: LOGGER, useValue: pino({ level: 'silent' }) },
    ];
    const globals = {
      module: class Globals {},
      global: true,
      providers: provided,
      exports: [ConfigStore, RedisStore, LOGGER],
    };
    const testing = await Test.createTestingModule({ imports: [globals, MetricsModule] }).compile();
    application = testing.createNestApplication({ logger: false });
    await application.listen(0, '127.0.0.1');
  });

  afterEach(() => application.close());

  const scrape = async () => {
    const response = await fetch(`${await application.getUrl()}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    return response.text();
  };

  it('serves our metrics beside those of the process, once each', async () => {
    const page = await scrape();
    expect(page).toMatch(/^tollgate_build_info\{version="\d+\.\d+\.\d+",node="v\d+/m);
    expect(page).toMatch(/^process_cpu_seconds_total /m);
    expect(page).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
    const types = page.match(/^# TYPE \S+/gm) ?? [];
    expect(types).toEqual([...new Set(types)]);
  });

  it('shows the configuration in force and no earlier one', async () => {
    expect(await scrape()).toMatch(/^tollgate_config_info\{sha="a{12}",version="1"\} 1$/m);
    config.replace({ sha: 'b'.repeat(64), config: config.current.config });
    config.recordReload({ result: 'success', atMs: 5_000, heldBack: [] });
    const page = await scrape();
    expect(page.match(/^tollgate_config_info.*/gm)).toEqual(['tollgate_config_info{sha="bbbbbbbbbbbb",version="2"} 1']);
    expect(page).toMatch(/^tollgate_config_last_success_timestamp_seconds 5$/m);
    expect(page).toMatch(/^tollgate_config_reload_total\{result="success"\} 1$/m);
  });

  it('counts a refused configuration and keeps the time of the last good one', async () => {
    const loadedAt = /^tollgate_config_last_success_timestamp_seconds .*/m;
    const before = loadedAt.exec(await scrape())?.[0];
    expect(before).toMatch(/ [1-9]/);
    config.recordReload({ result: 'failure', atMs: 9_000, error: 'no', heldBack: [] });
    const page = await scrape();
    expect(page).toMatch(/^tollgate_config_reload_total\{result="failure"\} 1$/m);
    expect(loadedAt.exec(page)?.[0]).toBe(before);
  });

  it("follows the store's state, and no longer once it is closed", async () => {
    expect(await scrape()).toMatch(/^tollgate_redis_up 1$/m);
    for (const listener of listeners) listener(false);
    expect(await scrape()).toMatch(/^tollgate_redis_up 0$/m);
    for (const listener of failureListeners) listener();
    expect(await scrape()).toMatch(/^tollgate_redis_errors_total 1$/m);
    await application.close();
    expect([listeners.size, failureListeners.size]).toEqual([0, 0]);
  });

  it('declares its listener and that no credential is needed', () => {
    expect(Reflect.getMetadata(ROUTE_POLICY, MetricsController)).toEqual({ plane: 'metrics', access: 'public' });
  });
});
