import { GatewayError, type ErrorCode, type ErrorDetails } from '../../contract/errors.js';
import { isJsonObject } from '../../contract/json.js';
import { retryAfterMs } from '../../transport/retry-after.js';
import type { WholeResponse } from '../../transport/upstream.js';
import type { WireError } from './azure-openai.wire.js';

/** Statuses that mean one thing whatever the body says; 500 and above are `provider_error` unless named here. */
const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'provider_rejected',
  401: 'provider_authentication',
  403: 'provider_authentication',
  404: 'provider_not_found',
  408: 'provider_timeout',
  413: 'provider_rejected',
  415: 'provider_rejected',
  422: 'provider_rejected',
  429: 'provider_rate_limited',
  503: 'provider_overloaded',
  504: 'provider_timeout',
  529: 'provider_overloaded',
};

/** Codes of a refused request that have a name of ours. */
const BY_CODE: Readonly<Record<string, ErrorCode>> = {
  content_filter: 'content_filter',
  context_length_exceeded: 'context_length_exceeded',
};

/** Longest text of a provider that a caller is shown, in characters. */
const MAX_MESSAGE = 2_000;

/** An answer with an error status as a failure. Its text is kept only where the request was at fault. */
export function errorOfResponse(response: WholeResponse, secrets: readonly string[] = []): GatewayError {
  const error = readError(response.body);
  const code = BY_STATUS[response.status] ?? 'provider_error';
  const cause = { status: response.status, code: error?.code, message: error?.message };
  if (code === 'provider_rejected') return rejection(error ?? {}, { status: response.status, secrets, cause });
  const waitMs = retryAfterMs(response.headers);
  return new GatewayError(code, { cause, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) });
}

/** The status an error body itself tells; 500 where it tells none. */
export function statusOfError(body: Buffer): number {
  const error = parsedError(body);
  const status = isJsonObject(error) ? error['status'] : undefined;
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500;
}

/** An error object inside a stream that began well. */
export function errorOfEvent(error: unknown): GatewayError {
  const wire = toWireError(error) ?? {};
  const status = Number(wire.code);
  const code = BY_CODE[wire.code ?? ''] ?? STREAM_CODES[wire.code ?? ''] ?? BY_STATUS[status] ?? 'provider_error';
  if (code === 'content_filter' || code === 'context_length_exceeded' || code === 'provider_rejected') {
    return rejection(wire, { status: 400, secrets: [], cause: wire });
  }
  return new GatewayError(code, { cause: wire });
}

const STREAM_CODES: Readonly<Record<string, ErrorCode>> = {
  rate_limit_exceeded: 'provider_rate_limited',
  too_many_requests: 'provider_rate_limited',
  server_overloaded: 'provider_overloaded',
  engine_overloaded: 'provider_overloaded',
  Timeout: 'provider_timeout',
};

interface RejectionOptions {
  readonly status: number;
  readonly secrets: readonly string[];
  readonly cause: unknown;
}

function rejection(error: WireError, { status, secrets, cause }: RejectionOptions): GatewayError {
  const code = BY_CODE[error.code ?? ''] ?? 'provider_rejected';
  const details: { -readonly [Key in keyof ErrorDetails]: ErrorDetails[Key] } = { status, cause };
  const message = error.message === undefined ? '' : withoutSecrets(error.message, secrets);
  if (message !== '') details.message = message;
  if (error.param !== undefined) details.param = error.param;
  // A bare status in `code` says nothing a caller could act on.
  if (error.code !== undefined && !/^\d+$/.test(error.code)) details.providerCode = error.code;
  if (error.innererror !== undefined) details.extra = { innererror: error.innererror };
  return new GatewayError(code, details);
}

function withoutSecrets(message: string, secrets: readonly string[]): string {
  let text = message.slice(0, MAX_MESSAGE);
  for (const secret of secrets) text = text.replaceAll(secret, '***');
  return text;
}

function readError(body: Buffer): WireError | undefined {
  return toWireError(parsedError(body));
}

/** What stands under `error`, or the whole object; undefined where the body is no JSON object. */
function parsedError(body: Buffer): unknown {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return isJsonObject(parsed) ? (parsed['error'] ?? parsed) : undefined;
  } catch {
    return undefined;
  }
}

function toWireError(value: unknown): WireError | undefined {
  if (typeof value === 'string') return { message: value };
  if (!isJsonObject(value)) return undefined;
  const { code, message, param, innererror } = value;
  return {
    ...(typeof code === 'string' || typeof code === 'number' ? { code: String(code) } : {}),
    ...(typeof message === 'string' ? { message } : {}),
    ...(typeof param === 'string' && param !== '' ? { param } : {}),
    ...(isJsonObject(innererror) ? { innererror } : {}),
  };
}
