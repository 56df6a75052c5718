import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { GatewayError } from '../contract/errors.js';
import { openAiError } from './dialects/openai-error.js';
import { outcomeOf } from './outcome.js';
import { liveRequestOf } from './request/live-request.js';
import { endUnread, hasUnreadUpload } from './request/refused-upload.js';

/** What is read of Express's router: its routes, and whether one matches a path. */
interface RouterLayer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

/** Methods the caller's API offers at the path, in capitals; none for paths of other listeners. */
function offeredMethods(request: Request): string[] {
  if (!/^\/(v1|openai)\//.test(request.path)) return [];
  const { stack } = (request.app as unknown as { router: { stack: readonly RouterLayer[] } }).router;
  const routes = stack.flatMap((layer) =>
    layer.route !== undefined && layer.match(request.path) ? [layer.route] : [],
  );
  return [...new Set(routes.flatMap(({ methods }) => Object.keys(methods)))].map((method) => method.toUpperCase());
}

function unmatched(request: Request): GatewayError {
  const shown = `${request.method} ${request.path.slice(0, 128)}`;
  const offered = offeredMethods(request).join(', ');
  if (offered === '') return new GatewayError('route_not_found', { message: `There is no route ${shown}; see /docs.` });
  return new GatewayError('method_not_allowed', {
    message: `There is no route ${shown}; the path takes ${offered}.`,
    headers: { allow: offered },
  });
}

/** What the framework itself throws, as one of ours. */
function fromFramework(thrown: unknown, request: Request): GatewayError {
  const status = thrown instanceof HttpException ? thrown.getStatus() : (thrown as { status?: unknown } | null)?.status;
  if (status === 404) return unmatched(request);
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new GatewayError('invalid_request', { status, cause: thrown });
  }
  return new GatewayError('internal_error', { cause: thrown });
}

function retryHeaders(retryAfterMs: number): Record<string, string> {
  return { 'retry-after': String(Math.ceil(retryAfterMs / 1000)), 'retry-after-ms': String(Math.ceil(retryAfterMs)) };
}

/**
 * The last word on every failure: the caller's dialect, the right status, nothing of ours leaked. An answer that has
 * begun cannot become an error any more: its connection is destroyed, so that it never looks complete.
 */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const error = thrown instanceof GatewayError ? thrown : fromFramework(thrown, request);
    const live = liveRequestOf(request);
    const { record } = live;
    record.error = error.code;
    if (error.code === 'internal_error') record.cause = error.cause;
    // Whoever knew more about the end has said so already.
    if (record.outcome === 'completed') record.outcome = outcomeOf(error);
    if (response.headersSent) {
      // It is the gateway that breaks it off, and not the client.
      live.cut(error);
      response.destroy();
      return;
    }
    const body = JSON.stringify(openAiError(error));
    const isUnread = hasUnreadUpload(request, error.headers?.['connection'] === 'close');
    response.writeHead(error.status, {
      ...error.headers,
      ...(error.retryAfterMs === undefined ? {} : retryHeaders(error.retryAfterMs)),
      ...(isUnread ? { connection: 'close' } : {}),
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(body),
    });
    if (!isUnread) {
      response.end(body);
      return;
    }
    live.hasAnswered = true;
    endUnread(request, response, body);
  }
}
