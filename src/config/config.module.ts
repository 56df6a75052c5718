import { Global, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import { ConfigReloader } from './config.reloader.js';
import { PROVIDER_KINDS } from './config.schema.js';
import type { ProviderKindDescriptor } from './config.schema.js';
import { ConfigStore } from './config.store.js';
import type { ConfigSnapshot } from './config.store.js';
import { FileReader } from './file-reader.js';
import { loadConfig, QUICK_START } from './load-config.js';
import type { LoadedConfig, QuickStart } from './load-config.js';
import { createLogger, LOGGER, NestPinoLogger } from './logging.js';

/** What the composition root tells the configuration. */
export interface ConfigModuleOptions {
  readonly kinds: readonly ProviderKindDescriptor[];
  /** Served when there is no configuration file. */
  readonly quickStart: QuickStart;
  /** Put in force as it is, without reading or watching any file; default: loadConfig decides. */
  readonly snapshot?: ConfigSnapshot;
}

const LOADED_CONFIG = Symbol('LOADED_CONFIG');

/** Provides the configuration in force, the provider kinds and the logger to every module. */
@Global()
@Module({})
export class ConfigModule {
  /** Creating the application rejects with ConfigError when the configuration cannot be used. */
  static forRoot({ kinds, quickStart, snapshot }: ConfigModuleOptions): DynamicModule {
    return {
      module: ConfigModule,
      providers: [
        { provide: PROVIDER_KINDS, useValue: kinds },
        { provide: QUICK_START, useValue: quickStart },
        {
          provide: LOADED_CONFIG,
          useFactory: (): LoadedConfig =>
            snapshot
              ? { snapshot, fingerprint: snapshot.sha, reader: new FileReader() }
              : loadConfig({ kinds, quickStart }),
        },
        {
          provide: ConfigStore,
          inject: [LOADED_CONFIG],
          useFactory: (loaded: LoadedConfig) => new ConfigStore(loaded.snapshot, loaded.quickStartKey),
        },
        { provide: LOGGER, inject: [ConfigStore], useFactory: levelledLogger },
        {
          provide: NestPinoLogger,
          inject: [LOGGER],
          useFactory: (logger: Logger) => new NestPinoLogger(logger),
        },
        {
          provide: ConfigReloader,
          inject: [LOADED_CONFIG, ConfigStore, LOGGER],
          useFactory: (loaded: LoadedConfig, store: ConfigStore, logger: Logger) =>
            new ConfigReloader(loaded, store, logger),
        },
      ],
      exports: [ConfigStore, LOGGER, NestPinoLogger, PROVIDER_KINDS],
    };
  }
}

function levelledLogger(store: ConfigStore): Logger {
  const logger = createLogger(store.current.config.logging.level);
  store.subscribe(({ config }) => {
    logger.level = config.logging.level;
  });
  return logger;
}
