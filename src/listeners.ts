import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TollgateConfig } from './config/config.schema.js';
import type { Plane } from './contract/plane.js';
import { markExpectsContinue } from './gateway/request/body-reader.js';
import { declarePlane } from './gateway/request/request-lifecycle.js';

type ServerSettings = TollgateConfig['server'];
type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** How often Node looks for connections that are over their time, in milliseconds. */
const CHECK_MS = 2_000;

/**
 * Node tells that a client takes bytes again only where this mark was passed, so it must not lie above the least
 * `stream.maxBufferedBytes`.
 */
const HIGH_WATER_BYTES = 16_384;

/** What a connection that does not speak HTTP properly is told, by Node's error code. */
const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** How long a connection that has been told why may stay open for its client to read it, in milliseconds. */
const LINGER_MS = 1_000;

/**
 * Says a last word on a connection and closes it, whatever the client does then: an error of a socket nobody listens
 * to would end the process, and a client that never closes its half would keep the connection for ever.
 */
function sendAway(socket: Socket, answer: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(answer);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

/** True when an answer has begun on the connection: a word of ours would fall into the middle of it. */
function isAnswering(socket: Socket): boolean {
  // Node's own handler of these errors reads the same field; nothing public tells.
  const { _httpMessage: response } = socket as Socket & { readonly _httpMessage?: ServerResponse | null };
  return response?.headersSent === true;
}

/** Answers broken HTTP and closes: there is no request to answer by the usual way. */
function refuseBrokenHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET' || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify({
    error: { message: `${status.slice(4)}.`, type: 'invalid_request_error', param: null, code: 'invalid_request' },
  });
  sendAway(
    socket,
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** Bodies are timed where they are read; this ends the connections of those that nobody reads. */
function requestTimeoutMs({ headersTimeoutMs, bodyTimeoutMs }: ServerSettings): number {
  return headersTimeoutMs + bodyTimeoutMs + CHECK_MS;
}

function createListener(plane: Plane, handler: Handler, settings: ServerSettings): Server {
  const server = createServer(
    {
      headersTimeout: settings.headersTimeoutMs,
      requestTimeout: requestTimeoutMs(settings),
      keepAliveTimeout: settings.keepAliveTimeoutMs,
      connectionsCheckingInterval: CHECK_MS,
      noDelay: true,
      highWaterMark: HIGH_WATER_BYTES,
    },
    handler,
  );
  server.maxConnections = settings.maxConnections;
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    markExpectsContinue(request);
    handler(request, response);
  });
  server.on('clientError', refuseBrokenHttp);
  // Without a listener for upgrades Node serves the request as if none were asked for, which RFC 9110 (7.8) allows:
  // clients that offer h2c with every first request are answered like all others.
  server.on('checkExpectation', handler);
  declarePlane(server, plane);
  return server;
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

/** The HTTP servers of the one application: data, admin, and metrics with the probes. */
export class Listeners {
  private readonly servers: Readonly<Record<Plane, Server>>;

  constructor(
    handler: Handler,
    private readonly settings: ServerSettings,
  ) {
    this.servers = {
      data: createListener('data', handler, settings),
      admin: createListener('admin', handler, settings),
      metrics: createListener('metrics', handler, settings),
    };
  }

  /** Opens all three; resolves with their ports. Rejects when one is taken. */
  async open(): Promise<Readonly<Record<Plane, number>>> {
    const { host, port, adminPort, metricsPort } = this.settings;
    const metrics = await listen(this.servers.metrics, metricsPort, host);
    const admin = await listen(this.servers.admin, adminPort, host);
    const data = await listen(this.servers.data, port, host);
    return { data, admin, metrics };
  }

  /** Takes over what a changed configuration may change of listeners that are open. */
  follow(settings: ServerSettings): void {
    for (const server of Object.values(this.servers)) server.requestTimeout = requestTimeoutMs(settings);
  }

  /** Takes no new connection on data and admin; resolves when the open ones are gone. */
  async closeTraffic(): Promise<void> {
    await Promise.all([close(this.servers.data), close(this.servers.admin)]);
  }

  /** Drops what is left. */
  async closeAll(): Promise<void> {
    const servers = Object.values(this.servers);
    for (const server of servers) server.closeAllConnections();
    await Promise.all(servers.map(close));
  }
}
