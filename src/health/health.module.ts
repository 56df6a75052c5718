import { Module, type OnModuleInit } from '@nestjs/common';
import { ConfigStore } from '../config/config.store.js';
import { RedisStore } from '../state/redis.store.js';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';

/** The probes. A store that is away makes the gateway not ready only where limits then refuse everything. */
@Module({ controllers: [HealthController], providers: [Readiness], exports: [Readiness] })
export class HealthModule implements OnModuleInit {
  constructor(
    private readonly readiness: Readiness,
    private readonly config: ConfigStore,
    private readonly store: RedisStore,
  ) {}

  onModuleInit(): void {
    this.readiness.addCheck('redis', () => {
      const { onFailure } = this.config.current.config.redis;
      return onFailure.limits !== 'closed' || this.store.available;
    });
  }
}
