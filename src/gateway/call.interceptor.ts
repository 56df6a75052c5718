import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';
import { ConfigStore } from '../config/config.store.js';
import type { Dialect } from '../contract/dialect.js';
import { GatewayError } from '../contract/errors.js';
import { RoutingService } from '../routing/routing.service.js';
import { DIALECTS, SPOKEN_DIALECT } from './dialects/dialects.js';
import { readBody } from './request/body-reader.js';
import { parseJsonBody } from './request/json-scan.js';
import { liveRequestOf } from './request/live-request.js';

/** True for `x-tollgate-strict: true`; any other value than true and false is refused, for a typo must not lose fields. */
function asksStrictness(request: Request): boolean {
  const value = request.headers['x-tollgate-strict'];
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new GatewayError('invalid_value', { message: 'Send x-tollgate-strict as "true" or "false".' });
}

/** Reads and checks the body, and asks routing for the plan. */
@Injectable()
export class CallInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly config: ConfigStore,
    private readonly routing: RoutingService,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const live = liveRequestOf(request);
    const { caller, record } = live;
    if (caller === undefined) throw new GatewayError('internal_error', { cause: 'a call without a caller' });
    const dialect = DIALECTS[this.reflector.get<Dialect>(SPOKEN_DIALECT, context.getHandler())];
    record.operation = dialect.operation;
    record.dialect = dialect.name;
    const { maxBodyBytes, bodyTimeoutMs, maxJsonDepth, maxArrayLength } = this.config.current.config.server;
    const limits = { maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs };
    const bytes = await readBody(request, http.getResponse<Response>(), limits);
    record.bytesIn = bytes.length;
    const body = parseJsonBody(bytes, { maxDepth: maxJsonDepth, maxArrayLength });
    const { deployment } = request.params;
    // The path's model counts where it names one; from here on it stands in the body as well.
    if (typeof deployment === 'string') body['model'] = deployment;
    const envelope = dialect.envelope(body, bytes.length);
    record.stream = envelope.stream;
    const plan = this.routing.plan(envelope, caller, caller.labels === undefined ? {} : { labels: caller.labels });
    record.model = plan.model.name;
    const isStrict = plan.model.strict || caller.strict === true || asksStrictness(request);
    live.call = { dialect, body, envelope, plan, isStrict };
    return next.handle();
  }
}
