import type { Logger } from 'pino';
import { CallDeadlines } from './call-deadlines.js';
import type { Keys } from './keys.js';
import { connectForCommands, connectForSubscriptions, type ClientSettings, type StoreClient } from './redis.clients.js';
import type { Script } from './script.js';
import { StoreBreaker, type AvailabilityListener } from './store-breaker.js';
import { StoreUnavailableError, toStoreError } from './store-error.js';
import { Subscriptions } from './subscriptions.js';

/** What a store is opened with. */
export interface StoreOptions extends ClientSettings {
  readonly keys: Keys;
  readonly logger: Logger;
  /** Bound of one call in milliseconds. */
  readonly commandTimeoutMs: number;
  /** True when the store is the embedded server: one process, not durable. */
  readonly isEmbedded: boolean;
}

/**
 * The only way to the store. Every call is pipelined with its neighbours, bounded by our own timeout, and rejects with
 * StoreUnavailableError (away) or StoreReplyError (a defect). It never repeats a call by itself.
 */
export class RedisStore {
  readonly keys: Keys;
  readonly isEmbedded: boolean;
  readonly #clients: readonly StoreClient[];
  readonly #deadlines: CallDeadlines;
  readonly #breaker: StoreBreaker;
  readonly #subscriptions: Subscriptions;
  readonly #logger: Logger;
  readonly #failureListeners = new Set<() => void>();
  #turn = 0;
  #isClosed = false;

  constructor(options: StoreOptions) {
    this.keys = options.keys;
    this.isEmbedded = options.isEmbedded;
    this.#logger = options.logger;
    this.#deadlines = new CallDeadlines(options.commandTimeoutMs);
    this.#breaker = new StoreBreaker(() => this.#probe(), { silenceMs: options.commandTimeoutMs });
    this.#breaker.subscribe((available) => {
      if (available) this.#logger.info('the store is back');
      else this.#logger.error('the store is away: limits follow redis.onFailure until it is back');
    });
    this.#clients = Array.from({ length: options.redis.connections }, () => this.#watch(connectForCommands(options)));
    this.#subscriptions = new Subscriptions(() => connectForSubscriptions(options), options.logger);
  }

  /** False while the breaker is open: calls fail at once. */
  get available(): boolean {
    return !this.#breaker.isOpen;
  }

  /** Tells of every change of `available`; returns what removes the listener. */
  onAvailability(listener: AvailabilityListener): () => void {
    return this.#breaker.subscribe(listener);
  }

  /** Tells of every call that failed or was not answered in time; returns what removes the listener. */
  onFailure(listener: () => void): () => void {
    this.#failureListeners.add(listener);
    return () => this.#failureListeners.delete(listener);
  }

  /** Waits for a usable connection. After `timeoutMs` the store counts as away and is asked again in the background. */
  async connect(timeoutMs: number): Promise<boolean> {
    const until = performance.now() + timeoutMs;
    while (performance.now() < until) {
      if (this.#readyClient() !== undefined) return true;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.#breaker.open();
    return false;
  }

  /** Runs a script by its hash; where the server does not know it yet, by its source. All keys must share one slot. */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#call(async (client) => {
      try {
        return await client.evalsha(script.sha, keys.length, ...keys, ...args);
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
        return await client.eval(script.source, keys.length, ...keys, ...args);
      }
    });
  }

  /** What the server does when its memory is full (`noeviction`, ...); undefined where it does not tell. */
  async evictionPolicy(): Promise<string | undefined> {
    const memory = await this.#call((client) => client.info('memory'));
    return /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  }

  /** The value of a key; null = there is none. */
  get(key: string): Promise<string | null> {
    return this.#call((client) => client.get(key));
  }

  /** Sets a key; `ttlMs` absent = for ever. With `onlyIfAbsent` false is answered when the key was there. */
  async set(
    key: string,
    value: string,
    options: { readonly ttlMs?: number; readonly onlyIfAbsent?: boolean } = {},
  ): Promise<boolean> {
    const { ttlMs, onlyIfAbsent = false } = options;
    const reply = await this.#call((client) => {
      if (ttlMs === undefined) return onlyIfAbsent ? client.set(key, value, 'NX') : client.set(key, value);
      return onlyIfAbsent ? client.set(key, value, 'PX', ttlMs, 'NX') : client.set(key, value, 'PX', ttlMs);
    });
    return reply === 'OK';
  }

  /** Removes a key; true when it was there. */
  async delete(key: string): Promise<boolean> {
    return (await this.#call((client) => client.del(key))) === 1;
  }

  /** All fields of a hash; empty when there is none. */
  hashGetAll(key: string): Promise<Record<string, string>> {
    return this.#call((client) => client.hgetall(key));
  }

  /** Sets fields of a hash. */
  async hashSet(key: string, fields: Readonly<Record<string, string | number>>): Promise<void> {
    await this.#call((client) => client.hset(key, fields));
  }

  /** Sends a message to all subscribers of a channel. */
  async publish(channel: string, message: string): Promise<void> {
    await this.#call((client) => client.publish(channel, message));
  }

  /**
   * Hears a channel's messages until the returned function is called. Resolves when the server confirmed. Messages
   * sent while the connection is down are lost: poll an epoch beside it.
   */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => void> {
    return this.#subscriptions.add(channel, listener);
  }

  /** Ends all connections. Calls in flight reject. */
  close(): void {
    this.#isClosed = true;
    this.#breaker.stop();
    this.#subscriptions.close();
    for (const client of this.#clients) client.disconnect();
  }

  #watch(client: StoreClient): StoreClient {
    client.on('ready', () => void this.#breaker.tryNow());
    client.on('close', () => {
      if (!this.#isClosed && this.#readyClient() === undefined) this.#breaker.open();
    });
    client.on('error', (error: unknown) => this.#logger.debug({ err: error }, 'store connection error'));
    return client;
  }

  #readyClient(): StoreClient | undefined {
    const clients = this.#clients;
    // The first connections may already speak while the constructor is still making the others.
    for (let step = 0; clients !== undefined && step < clients.length; step += 1) {
      this.#turn = (this.#turn + 1) % clients.length;
      const client = clients[this.#turn];
      if (client?.status === 'ready') return client;
    }
    return undefined;
  }

  #call<T>(command: (client: StoreClient) => Promise<T>): Promise<T> {
    if (this.#breaker.isOpen) return Promise.reject(new StoreUnavailableError('The store is away.', 'none'));
    return this.#send(command).then(
      (value) => {
        this.#breaker.succeeded();
        return value;
      },
      (error: unknown) => {
        const failure = toStoreError(error);
        for (const listener of this.#failureListeners) listener();
        if (failure instanceof StoreUnavailableError) this.#breaker.failed(failure.outcome === 'unknown');
        throw failure;
      },
    );
  }

  #send<T>(command: (client: StoreClient) => Promise<T>): Promise<T> {
    const client = this.#readyClient();
    if (client === undefined) return Promise.reject(new StoreUnavailableError('The store is not connected.', 'none'));
    return this.#deadlines.guard(() => command(client));
  }

  /** A write, because a replica or a full server answers reads. */
  async #probe(): Promise<void> {
    await this.#send((client) => client.set(this.keys.shared('probe'), '1', 'PX', 60_000));
  }
}
