import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import { Pool, ProxyAgent, type Dispatcher } from 'undici';
import type { TollgateConfig } from '../config/config.schema.js';
import type { ByteSource } from '../contract/byte-source.js';
import { GatewayError } from '../contract/errors.js';
import { routeBuiltInFetch } from './built-in-fetch.js';
import { bypassesProxy } from './no-proxy.js';
import { DeadlineWheel } from './deadline-wheel.js';
import type { Exchange } from './exchange.js';
import { SseSplitter } from './sse-splitter.js';
import { StreamExchange } from './stream-exchange.js';
import type { OpenResponse, UpstreamRequest, WholeResponse } from './upstream.js';
import { tooLong, WholeExchange } from './whole-exchange.js';

type ConfiguredTransport = TollgateConfig['transport'];

/** The `transport` section of the configuration; `noProxy` absent = no exceptions. */
export type TransportSettings = Omit<ConfiguredTransport, 'noProxy'> & Partial<Pick<ConfiguredTransport, 'noProxy'>>;

/** Bytes from which on a socket reads no further than its reader. */
const READ_AHEAD_BYTES = 16_384;

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
  private throughProxy: Dispatcher | undefined;
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
    for (const pool of new Set(this.pools.values())) {
      this.retired.add(pool);
      pool.close(() => this.retired.delete(pool));
    }
    this.pools.clear();
    this.throughProxy = undefined;
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
    const pools = new Set([...this.pools.values(), ...this.retired]);
    this.pools.clear();
    await Promise.all([...pools].map((pool) => pool.destroy()));
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
    const known = this.pools.get(origin);
    if (known !== undefined) return known;
    const { proxy, noProxy = [] } = this.settings;
    const isDirect = proxy === undefined || bypassesProxy(origin, noProxy);
    const created = isDirect ? directPool(origin, this.settings) : this.proxyPool(proxy);
    this.pools.set(origin, created);
    return created;
  }

  /** The one pool of everything that goes by the proxy. */
  private proxyPool(proxy: string): Dispatcher {
    this.throughProxy ??= new ProxyAgent({
      ...poolOptions(this.settings),
      uri: proxy,
      requestTls: connectOptions(this.settings),
      proxyTls: connectOptions(this.settings),
    });
    return this.throughProxy;
  }
}

/** Timeouts of undici's own are off: the wheel keeps them. HTTP/2 is off: one call, one connection, one abort. */
function poolOptions({ connectionsPerOrigin, keepAliveMs }: TransportSettings) {
  return {
    connections: connectionsPerOrigin,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    connectTimeout: HANDSHAKE_MS,
    allowH2: false,
  };
}

/** What a connection is made with. A paused one reads ahead by at most a chunk: every stalled stream holds that much. */
function connectOptions({ caFile }: TransportSettings): { highWaterMark: number; ca?: string[] } {
  const highWaterMark = READ_AHEAD_BYTES;
  if (caFile === undefined) return { highWaterMark };
  return { highWaterMark, ca: [...getCACertificates('default'), readFileSync(caFile, 'utf8')] };
}

function directPool(origin: string, settings: TransportSettings): Dispatcher {
  return new Pool(origin, { ...poolOptions(settings), connect: connectOptions(settings) });
}
