import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { ConfigStore } from '../config/config.store.js';
import { LOGGER } from '../config/logging.js';
import { BackgroundTasks } from './background-tasks.js';
import { openStore, type OpenedStore } from './open-store.js';
import { RedisStore } from './redis.store.js';

const OPENED_STORE = Symbol('OPENED_STORE');

/** The store and what outlives a request. */
@Global()
@Module({
  providers: [
    {
      provide: OPENED_STORE,
      inject: [ConfigStore, LOGGER],
      useFactory: (config: ConfigStore, logger: Logger) => openStore(config.current.config.redis, logger),
    },
    { provide: RedisStore, inject: [OPENED_STORE], useFactory: (opened: OpenedStore) => opened.store },
    BackgroundTasks,
  ],
  exports: [RedisStore, BackgroundTasks],
})
export class StateModule implements OnApplicationShutdown {
  constructor(@Inject(OPENED_STORE) private readonly opened: OpenedStore) {}

  /** Closes the store; whoever still has work for it has drained before. */
  onApplicationShutdown(): void {
    this.opened.close();
  }
}
