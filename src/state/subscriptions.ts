import type { Logger } from 'pino';
import type { StoreClient } from './redis.clients.js';

type MessageListener = (message: string) => void;

/** Channels heard over one connection, which is made at the first subscription. */
export class Subscriptions {
  #client: StoreClient | undefined;
  readonly #listeners = new Map<string, Set<MessageListener>>();

  constructor(
    private readonly connect: () => StoreClient,
    private readonly logger: Logger,
  ) {}

  /** Hears a channel; resolves when the server confirmed. The returned function ends it. */
  async add(channel: string, listener: MessageListener): Promise<() => void> {
    const client = this.#connected();
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    await client.subscribe(channel);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#listeners.get(channel) !== listeners) return;
      this.#listeners.delete(channel);
      client.unsubscribe(channel).catch((error: unknown) => this.logger.debug({ err: error }, 'unsubscribe failed'));
    };
  }

  close(): void {
    this.#client?.disconnect();
  }

  #connected(): StoreClient {
    if (this.#client !== undefined) return this.#client;
    const client = this.connect();
    client.on('error', (error: unknown) => this.logger.debug({ err: error }, 'store subscription error'));
    client.on('message', (channel: string, message: string) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(message);
    });
    this.#client = client;
    return client;
  }
}
