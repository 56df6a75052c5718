import type { Logger } from 'pino';
import type { TollgateConfig } from '../config/config.schema.js';
import { startEmbeddedServer } from './embedded-server.js';
import { Keys } from './keys.js';
import { RedisStore } from './redis.store.js';

/** A store with what must be ended beside it. */
export interface OpenedStore {
  readonly store: RedisStore;
  close(): void;
}

/** How long start-up waits for the first connection; after that the gateway starts without its store. */
const CONNECT_MS = 2_000;

function openRemote(redis: TollgateConfig['redis'] & { readonly url: string }, logger: Logger): RedisStore {
  const commandTimeoutMs = redis.commandTimeoutMs ?? 100;
  const socketTimeoutMs = Math.max(2_000, commandTimeoutMs * 4);
  const keys = new Keys(redis.keyPrefix);
  return new RedisStore({ redis, logger, keys, commandTimeoutMs, socketTimeoutMs, isEmbedded: false });
}

async function openEmbedded(redis: TollgateConfig['redis'], logger: Logger): Promise<OpenedStore> {
  const server = await startEmbeddedServer((reason) => {
    logger.fatal({ reason }, 'the embedded store died and its contents are gone; the gateway ends');
    process.exit(1);
  });
  logger.warn(
    'no redis.url is set: running on the embedded store. It serves this one process and keeps nothing over a restart.',
  );
  const store = new RedisStore({
    redis: { ...redis, mode: 'standalone', connections: 1, url: server.url },
    logger,
    keys: new Keys(redis.keyPrefix),
    commandTimeoutMs: redis.commandTimeoutMs ?? 2_000,
    socketTimeoutMs: 15_000,
    isEmbedded: true,
  });
  const close = (): void => {
    store.close();
    server.stop();
  };
  return { store, close };
}

/** Opens the store the configuration names, the embedded one if it names none. Rejects only where there is none at all. */
export async function openStore(redis: TollgateConfig['redis'], logger: Logger): Promise<OpenedStore> {
  let opened: OpenedStore;
  if (redis.url === undefined) {
    opened = await openEmbedded(redis, logger);
  } else {
    const store = openRemote({ ...redis, url: redis.url }, logger);
    opened = { store, close: () => store.close() };
  }
  const isConnected = await opened.store.connect(CONNECT_MS);
  if (isConnected) await warnOfEviction(opened.store, logger);
  else logger.error('the store cannot be reached; starting without it');
  return opened;
}

/** A server that evicts keys loses limits and unsettled usage without a sound. */
async function warnOfEviction(store: RedisStore, logger: Logger): Promise<void> {
  try {
    const policy = await store.evictionPolicy();
    if (policy === undefined || policy === 'noeviction') return;
    logger.warn(
      { maxmemory_policy: policy },
      'the store may evict limits and usage: set its maxmemory-policy to noeviction',
    );
  } catch (error) {
    logger.debug({ err: error }, 'the store does not tell its eviction policy');
  }
}
