import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import { Pool, ProxyAgent, type Dispatcher } from 'undici';
import type { TollgateConfig } from '../config/config.schema.js';
import type { ByteSource } from '../contract/byte-source.js';
import { GatewayError } from '../contract/errors.js';
import { routeBuiltInFetch } from './built-in-fetch.js';
import { DeadlineWheel } from './deadline-wheel.js';
import type { Exchange } from './exchange.js';
import { SseSplitter } from './sse-splitter.js';
import { StreamExchange } from './stream-exchange.js';
import type { OpenResponse, UpstreamRequest, WholeResponse } from './upstream.js';
import { tooLong, WholeExchange } from './whole-exchange.js';

/** The `transport` section of the configuration. */
export type TransportSettings = TollgateConfig['transport'];

/** Longest handshake a connection may take; calls wait for one only as long as their own `connectMs`. */
const HANDSHAKE_MS = 10_000;

/**
 * The one way out to providers: a connection pool per origin, one timer for all timeouts, and a socket that is
 * destroyed the moment its call is given up. It never follows a redirect, never retries and reads no status.
 */
export class Transport {
  private readonly wheel = new DeadlineWheel();
  private readonly pools = new Map<string, Dispatcher>();
  /** Pools of earlier settings that still finish their calls. */
  private readonly retired = new Set<Dispatcher>();
  private readonly fetchRoutes = new Map<string, () => void>();
  private settings: TransportSettings;
  private isClosed = false;

  /** @param maxEventBytes longest event of an upstream's event stream; default 1 MiB. */
  constructor(
    settings: TransportSettings,
    private maxEventBytes = 1_048_576,
  ) {
    this.settings = settings;
  }

  /** Calls in flight. */
  get openCalls(): number {
    return this.wheel.size;
  }

  /** Takes new settings: later calls use new connections, calls in flight end on the old ones. */
  reconfigure(settings: TransportSettings, maxEventBytes = this.maxEventBytes): void {
    const isSame = JSON.stringify(settings) === JSON.stringify(this.settings);
    this.maxEventBytes = maxEventBytes;
    this.settings = settings;
    if (isSame) return;
    for (const pool of this.pools.values()) {
      this.retired.add(pool);
      pool.close(() => this.retired.delete(pool));
    }
    this.pools.clear();
  }

  /** Sends and gathers the whole answer, whatever its status. Rejects only with GatewayError, `beforeSend`'s included. */
  send(request: UpstreamRequest): Promise<WholeResponse> {
    return new Promise((resolve, reject) => {
      const { context } = request;
      context.beforeSend?.();
      const maxBytes = this.settings.maxResponseBytes;
      this.dispatch(request, new WholeExchange({ context, wheel: this.wheel, maxBytes, resolve, reject }));
    });
  }

  /** Sends and resolves with the headers, whatever the status. Rejects only with GatewayError. */
  open(request: UpstreamRequest): Promise<OpenResponse> {
    return new Promise((resolve, reject) => {
      const { context } = request;
      context.beforeSend?.();
      this.dispatch(request, new StreamExchange({ context, wheel: this.wheel, resolve, reject }));
    });
  }

  /** Reads a source to its end; `provider_bad_response` beyond `maxBytes` (default: `maxResponseBytes`). */
  collect(source: ByteSource, maxBytes = this.settings.maxResponseBytes): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      source.start({
        data: (chunk) => {
          bytes += chunk.length;
          chunks.push(chunk);
          if (bytes <= maxBytes) return true;
          source.destroy();
          reject(tooLong());
          return false;
        },
        end: () => resolve(Buffer.concat(chunks, bytes)),
        error: reject,
      });
    });
  }

  /** A splitter for one event stream, with the configured cap. */
  createSplitter(): SseSplitter {
    return new SseSplitter(this.maxEventBytes);
  }

  /**
   * From now on the runtime's own fetch reaches this origin over our connections, until `close`. For SDKs that accept
   * no client: their calls then take the proxy and the certificate authorities of the settings, but none of our timeouts.
   */
  carryFetch(origin: string): void {
    if (!this.fetchRoutes.has(origin))
      this.fetchRoutes.set(
        origin,
        routeBuiltInFetch(origin, () => this.pool(origin)),
      );
  }

  /** Destroys every connection; calls in flight fail. Later calls are refused. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const undo of this.fetchRoutes.values()) undo();
    const pools = [...this.pools.values(), ...this.retired];
    this.pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  private dispatch(request: UpstreamRequest, exchange: Exchange): void {
    if (!exchange.begin()) return;
    const { method, body, url } = request;
    const pathAt = url.indexOf('/', url.indexOf('//') + 2);
    const origin = pathAt === -1 ? url : url.slice(0, pathAt);
    const path = pathAt === -1 ? '/' : url.slice(pathAt);
    try {
      this.pool(origin).dispatch({ origin, path, method, body: body ?? null, headers: request.headers }, exchange);
    } catch (error) {
      exchange.refuse(error);
    }
  }

  private pool(origin: string): Dispatcher {
    if (this.isClosed) throw new GatewayError('server_shutting_down');
    const key = this.settings.proxy === undefined ? origin : '';
    const known = this.pools.get(key);
    if (known !== undefined) return known;
    const created = createPool(origin, this.settings);
    this.pools.set(key, created);
    return created;
  }
}

/** Timeouts of undici's own are off: the wheel keeps them. HTTP/2 is off: one call, one connection, one abort. */
function createPool(origin: string, settings: TransportSettings): Dispatcher {
  const { connectionsPerOrigin, keepAliveMs, proxy, caFile } = settings;
  const tls = caFile === undefined ? {} : { ca: [...getCACertificates('default'), readFileSync(caFile, 'utf8')] };
  const options = {
    connections: connectionsPerOrigin,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    connectTimeout: HANDSHAKE_MS,
    allowH2: false,
  };
  if (proxy === undefined) return new Pool(origin, { ...options, connect: tls });
  return new ProxyAgent({ ...options, uri: proxy, requestTls: tls, proxyTls: tls });
}
