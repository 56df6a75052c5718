import { Cluster, Redis, type ClusterNode, type RedisOptions } from 'ioredis';
import type { TollgateConfig } from '../config/config.schema.js';

/** A connection to the store, whatever stands behind it. */
export type StoreClient = Redis | Cluster;

/** How connections to the store are made. */
export interface ClientSettings {
  /** The `redis` part of the configuration, `url` set. */
  readonly redis: TollgateConfig['redis'] & { readonly url: string };
  /** Silence after which a connection with open commands is given up, in milliseconds. */
  readonly socketTimeoutMs: number;
}

const retryDelay = (attempt: number): number => Math.min(50 * attempt, 450) + Math.random() * 50;

type Purpose = 'commands' | 'subscriptions';

function options(settings: ClientSettings, purpose: Purpose): RedisOptions {
  const isForCommands = purpose === 'commands';
  return {
    enableAutoPipelining: isForCommands,
    enableOfflineQueue: !isForCommands,
    maxRetriesPerRequest: isForCommands ? 0 : null,
    autoResendUnfulfilledCommands: !isForCommands,
    autoResubscribe: true,
    connectTimeout: 1_000,
    socketTimeout: settings.socketTimeoutMs,
    keepAlive: 5_000,
    disconnectTimeout: 200,
    retryStrategy: retryDelay,
    // A primary that became a replica: connect anew, to whoever is primary by then.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    disableClientInfo: true,
    connectionName: 'tollgate',
  };
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function addresses(nodes: readonly string[], defaultPort: number): Address[] {
  return nodes.map((node) => {
    const url = new URL(`redis://${node}`);
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || defaultPort };
  });
}

function credentials(url: URL): RedisOptions {
  return {
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' ? { tls: { servername: url.hostname } } : {}),
  };
}

function cluster(settings: ClientSettings, purpose: Purpose): Cluster {
  const url = new URL(settings.redis.url);
  const nodes: ClusterNode[] = addresses([url.host, ...settings.redis.nodes], 6_379);
  const { retryStrategy: _perNode, ...perNode } = options(settings, purpose);
  return new Cluster(nodes, {
    enableAutoPipelining: perNode.enableAutoPipelining === true,
    enableOfflineQueue: perNode.enableOfflineQueue === true,
    slotsRefreshTimeout: 1_000,
    clusterRetryStrategy: retryDelay,
    retryDelayOnFailover: 100,
    redisOptions: { ...perNode, ...credentials(url) },
  });
}

function sentinel(settings: ClientSettings, purpose: Purpose): Redis {
  const url = new URL(settings.redis.url);
  return new Redis({
    ...options(settings, purpose),
    ...credentials(url),
    db: Number(url.pathname.slice(1)) || 0,
    sentinels: addresses(settings.redis.nodes.length > 0 ? settings.redis.nodes : [url.host], 26_379),
    name: settings.redis.sentinelName ?? 'mymaster',
    failoverDetector: true,
    sentinelRetryStrategy: retryDelay,
  });
}

function connect(settings: ClientSettings, purpose: Purpose): StoreClient {
  if (settings.redis.mode === 'cluster') return cluster(settings, purpose);
  if (settings.redis.mode === 'sentinel') return sentinel(settings, purpose);
  return new Redis(settings.redis.url, options(settings, purpose));
}

/** A connection for commands. It never queues while disconnected and never sends a command twice. */
export function connectForCommands(settings: ClientSettings): StoreClient {
  return connect(settings, 'commands');
}

/** A connection for subscriptions. It keeps them over reconnects; its silence is no fault. */
export function connectForSubscriptions(settings: ClientSettings): StoreClient {
  return connect(settings, 'subscriptions');
}
