import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import type { TollgateConfig } from '../config/config.schema.js';
import { ConfigStore } from '../config/config.store.js';
import { LOGGER } from '../config/logging.js';
import type { Caller } from '../contract/caller.js';
import { KeyIndex, type Peppers } from './key-index.js';

/** The API keys of the configuration in force. It never asks a store: an index is compiled once per configuration. */
@Injectable()
export class KeyStore implements OnModuleDestroy {
  private readonly unsubscribe: () => void;
  private index: KeyIndex;

  constructor(
    config: ConfigStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.index = this.compile(config.current.config);
    this.unsubscribe = config.subscribe((next) => {
      this.index = this.compile(next.config);
    });
  }

  /** The caller a key belongs to; undefined where it is wrong, unknown or expired. */
  find(credential: string): Caller | undefined {
    return this.index.find(credential, Date.now());
  }

  onModuleDestroy(): void {
    this.unsubscribe();
  }

  private compile(config: TollgateConfig): KeyIndex {
    const { pepper, previousPepper } = config.auth;
    if (pepper === undefined) throw new Error('the configuration in force has no pepper');
    const peppers: Peppers = previousPepper === undefined ? [pepper] : [pepper, previousPepper];
    const index = new KeyIndex(config, peppers);
    for (const problem of index.problems) this.logger.error({ problem }, 'a configured key is not accepted');
    return index;
  }
}
