import { Inject, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Logger } from 'pino';
import { sampleKinds, sampleQuickStart } from '../../test/support/config-samples.js';
import { ConfigModule } from './config.module.js';
import { configSchema, PROVIDER_KINDS } from './config.schema.js';
import { ConfigStore } from './config.store.js';
import type { ConfigSnapshot } from './config.store.js';
import { LOGGER } from './logging.js';

@Injectable()
class Reader {
  constructor(
    readonly store: ConfigStore,
    @Inject(LOGGER) readonly logger: Logger,
    @Inject(PROVIDER_KINDS) readonly kinds: unknown,
  ) {}
}

@Module({ providers: [Reader] })
class ReaderModule {}

const config = configSchema(sampleKinds).parse({ ...sampleQuickStart, logging: { level: 'silent' } });
const snapshot: ConfigSnapshot = { version: 1, sha: 'a', source: 'file', config };

const create = async (given?: ConfigSnapshot) => {
  const root = ConfigModule.forRoot({
    kinds: sampleKinds,
    quickStart: sampleQuickStart,
    ...(given && { snapshot: given }),
  });
  const testing = await Test.createTestingModule({ imports: [root, ReaderModule] }).compile();
  await testing.init();
  return { testing, reader: testing.get(Reader) };
};

describe('ConfigModule', () => {
  it('gives every module the snapshot, the logger and the kinds', async () => {
    const { testing, reader } = await create(snapshot);
    expect(reader.store.current).toBe(snapshot);
    expect(reader.kinds).toBe(sampleKinds);
    expect(reader.logger.level).toBe('silent');
    await testing.close();
  });

  it('lets the level of the log follow the configuration', async () => {
    const { testing, reader } = await create(snapshot);
    reader.store.replace({ sha: 'b', config: { ...config, logging: { level: 'error' } } });
    expect(reader.logger.level).toBe('error');
    await testing.close();
  });

  it('serves the quick start where there is no file', async () => {
    const { testing, reader } = await create();
    expect(reader.store.current.source).toBe('quick-start');
    expect(reader.store.quickStartKey).toMatch(/^tg_/);
    await testing.close();
    expect(process.listenerCount('SIGHUP')).toBe(0);
  });
});
