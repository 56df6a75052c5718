import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ERRORS, type GatewayError } from '../../contract/errors.js';
import type { Plane } from '../../contract/plane.js';
import { REQUEST_OBSERVERS, type RequestObserver, type RequestRecord } from '../../contract/record.js';
import { openContext } from '../../contract/request-context.js';
import { NO_USAGE } from '../../contract/usage.js';
import { LiveRequest } from './live-request.js';

const MAX_CLIENT_ID = 128;

/** Which listener's server object belongs to which plane. */
const planes = new WeakMap<object, Plane>();

/** Declares the plane of a server, before it listens. */
export function declarePlane(server: object, plane: Plane): void {
  planes.set(server, plane);
}

/** The plane of the listener a connection came in by; `data` for a server nobody declared. */
function planeOf(request: Request): Plane {
  const { server } = request.socket as unknown as { server?: object };
  return (server === undefined ? undefined : planes.get(server)) ?? 'data';
}

/** Opens every request's context, closes its record once, and knows which requests are in flight. */
@Injectable()
export class RequestLifecycle {
  private readonly inFlight = new Set<LiveRequest>();
  private idleListeners: (() => void)[] = [];
  private draining = false;

  constructor(@Inject(REQUEST_OBSERVERS) private readonly observers: readonly RequestObserver[]) {}

  /** The first middleware. */
  readonly middleware = (request: Request, response: Response, next: () => void): void => {
    this.open(request, response);
    next();
  };

  private open(request: Request, response: Response): void {
    const requestId = `req_${randomUUID().replaceAll('-', '')}`;
    const plane = planeOf(request);
    const record = newRecord(requestId, plane, request);
    const live = new LiveRequest(requestId, plane, record, this.onClosed);
    openContext(request, live);
    this.inFlight.add(live);
    response.setHeader('x-request-id', requestId);
    if (this.draining) response.setHeader('connection', 'close');
    response.on('close', () => {
      record.status = response.statusCode;
      const route = (request.route as { path?: unknown } | undefined)?.path;
      if (typeof route === 'string') record.route = route;
      if (record.bytesOut === 0) record.bytesOut = Number(response.getHeader('content-length') ?? 0);
      if (!response.writableFinished && !live.hasAnswered) brokenOff(live, response);
      live.endResponse();
    });
    for (const observer of this.observers) observer.opened?.(record);
  }

  /** From now on responses ask for their connection to be closed. */
  startDraining(): void {
    this.draining = true;
  }

  /** Requests of the data and admin planes that are still in flight. */
  get openRequests(): number {
    let count = 0;
    for (const live of this.inFlight) if (live.plane !== 'metrics') count += 1;
    return count;
  }

  /** Resolves when no such request is in flight. */
  async idle(): Promise<void> {
    while (this.openRequests > 0) await new Promise<void>((resolve) => this.idleListeners.push(resolve));
  }

  /** Ends every request in flight; each is still settled and recorded. */
  cutAll(error: GatewayError): void {
    for (const live of this.inFlight) live.cut(error);
  }

  private readonly onClosed = (live: LiveRequest): void => {
    this.inFlight.delete(live);
    const { record } = live;
    record.durationMs = live.elapsedMs;
    for (const observer of this.observers) observer.closed(record);
    if (this.idleListeners.length > 0 && this.openRequests === 0) {
      const listeners = this.idleListeners;
      this.idleListeners = [];
      for (const listener of listeners) listener();
    }
  };
}

/** The connection is gone before the answer was whole: by the client, unless we cut it. */
function brokenOff(live: LiveRequest, response: Response): void {
  const { record } = live;
  if (live.cutBy === undefined) {
    record.outcome = 'client-abort';
    record.error ??= 'client_closed';
    if (!response.headersSent) record.status = ERRORS.client_closed.status;
  }
  live.abandon();
}

function newRecord(requestId: string, plane: Plane, request: Request): RequestRecord {
  const clientRequestId = request.headers['x-request-id'];
  return {
    requestId,
    plane,
    startedAtMs: Date.now(),
    method: request.method,
    address: request.ip ?? '',
    stream: false,
    status: 0,
    outcome: 'completed',
    attempts: [],
    usage: NO_USAGE,
    upstreamMs: 0,
    durationMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    warnings: [],
    usageEstimated: false,
    ...(typeof clientRequestId === 'string' ? { clientRequestId: clientRequestId.slice(0, MAX_CLIENT_ID) } : {}),
  };
}
