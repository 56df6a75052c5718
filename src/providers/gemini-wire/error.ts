import { GatewayError, type ErrorCode, type ErrorDetails } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import { retryAfterMs } from '../../transport/retry-after.js';
import type { WholeResponse } from '../../transport/upstream.js';

/** What is known of a refusal, whichever way it came. */
export interface GeminiRefusal {
  readonly status: number;
  /** The body's `error` object, or the parts of it the SDK kept; absent = the body was not the API's. */
  readonly error?: JsonObject;
  /** From the response's headers; absent = not told, or lost by the SDK. */
  readonly retryAfterMs?: number;
}

const CODES: Readonly<Record<number, ErrorCode>> = {
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

/** Longest wait a provider can ask for. */
const MAX_RETRY_MS = 3_600_000;

/** Longest text of a refusal that is shown. */
const MAX_MESSAGE = 1_000;

/** Texts that must not reach callers, such as the key and the host. */
export type Secrets = readonly string[];

/** A refusal as the failure it is; its text reaches callers only where the request was at fault. */
export function toProviderError(refusal: GeminiRefusal, secrets: Secrets): GatewayError {
  const { status, error = {} } = refusal;
  const message = typeof error['message'] === 'string' ? error['message'] : '';
  const code = codeOf(status, error, message);
  const details: ErrorDetails = { cause: { status, error } };
  if (code === 'provider_rejected' || code === 'context_length_exceeded') {
    return new GatewayError(code, {
      ...details,
      status,
      ...(message === '' ? {} : { message: redacted(message, secrets).slice(0, MAX_MESSAGE) }),
    });
  }
  const waitMs = retryInfoMs(error) ?? refusal.retryAfterMs;
  return new GatewayError(code, { ...details, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) });
}

function redacted(message: string, secrets: Secrets): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), message);
}

function codeOf(status: number, error: JsonObject, message: string): ErrorCode {
  const code = CODES[status] ?? 'provider_error';
  if (code !== 'provider_rejected') return code;
  // The API answers 400 to a bad key and to an account it will not serve: the gateway's fault, not the caller's.
  if (hasReason(error, /^API_KEY_/) || /API key (not valid|expired|not found)/i.test(message)) {
    return 'provider_authentication';
  }
  if (error['status'] === 'FAILED_PRECONDITION') return 'provider_error';
  return /input token count .*exceeds the maximum/i.test(message) ? 'context_length_exceeded' : code;
}

function detailsOf(error: JsonObject): readonly JsonObject[] {
  const { details } = error;
  return Array.isArray(details) ? details.filter(isJsonObject) : [];
}

function hasReason(error: JsonObject, reason: RegExp): boolean {
  return detailsOf(error).some((detail) => typeof detail['reason'] === 'string' && reason.test(detail['reason']));
}

/** RetryInfo's `retryDelay` (`"34.4s"`) in milliseconds. */
function retryInfoMs(error: JsonObject): number | undefined {
  for (const { retryDelay } of detailsOf(error)) {
    const seconds = typeof retryDelay === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(retryDelay)?.[1] : undefined;
    if (seconds !== undefined) return Math.min(Math.ceil(Number(seconds) * 1_000), MAX_RETRY_MS);
  }
  return undefined;
}

/** The body of a refusal: `{error}`, or `[{error}]` as streams without SSE wrap it; undefined = neither. */
export function errorObject(body: unknown): JsonObject | undefined {
  const answer: unknown = Array.isArray(body) ? body[0] : body;
  const error = isJsonObject(answer) ? answer['error'] : undefined;
  return isJsonObject(error) ? error : undefined;
}

/** A whole answer that is no success; a body that is no JSON still gives the status's failure. */
export function fromErrorAnswer(answer: WholeResponse, secrets: Secrets): GatewayError {
  let error: JsonObject | undefined;
  try {
    error = errorObject(JSON.parse(answer.body.toString('utf8')));
  } catch {
    // A proxy's page or an empty body: the status says enough.
  }
  const waitMs = retryAfterMs(answer.headers);
  const refusal = {
    status: answer.status,
    ...(error === undefined ? {} : { error }),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  };
  return toProviderError(refusal, secrets);
}

/** A failure reported inside a stream; its own `code` is the status. */
export function fromStreamError(error: JsonObject, secrets: Secrets): GatewayError {
  const status = typeof error['code'] === 'number' ? error['code'] : 500;
  return toProviderError({ status: status >= 400 ? status : 500, error }, secrets);
}
