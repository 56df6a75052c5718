import { GatewayError, type ErrorCode } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import { retryAfterMs } from '../../transport/retry-after.js';
import type { WholeResponse } from '../../transport/upstream.js';
import type { WireErrorType } from './wire.js';

/** What the API's error types mean to us. */
const TYPES = {
  invalid_request_error: 'provider_rejected',
  authentication_error: 'provider_authentication',
  billing_error: 'provider_authentication',
  permission_error: 'provider_authentication',
  not_found_error: 'provider_not_found',
  rate_limit_error: 'provider_rate_limited',
  timeout_error: 'provider_timeout',
  api_error: 'provider_error',
  overloaded_error: 'provider_overloaded',
  conflict_error: 'provider_rejected',
  memory_precondition_failed_error: 'provider_rejected',
  memory_path_conflict_error: 'provider_rejected',
} as const satisfies Record<WireErrorType, ErrorCode>;

const BY_TYPE = new Map<unknown, ErrorCode>([...Object.entries(TYPES), ['request_too_large', 'provider_rejected']]);

/** For answers that are not the API's own: a proxy's, a load balancer's. */
const BY_STATUS = new Map<number, ErrorCode>([
  [401, 'provider_authentication'],
  [402, 'provider_authentication'],
  [403, 'provider_authentication'],
  [404, 'provider_not_found'],
  [408, 'provider_timeout'],
  [429, 'provider_rate_limited'],
  [503, 'provider_overloaded'],
  [504, 'provider_timeout'],
  [529, 'provider_overloaded'],
]);

/** Rejections that mean more than a request that is not valid. */
const MEANINGS: readonly (readonly [pattern: RegExp, code: ErrorCode])[] = [
  [/prompt is too long|input is too long|exceeds? (the )?context (limit|window|length)/i, 'context_length_exceeded'],
  [/input length and `?max_tokens`? exceed/i, 'context_length_exceeded'],
  [/blocked by (our |the )?content filter/i, 'content_filter'],
  [/credit balance|workspace .*(limit|disabled)|organization .*disabled|usage limits?/i, 'provider_authentication'],
];

/** Longest text of a provider that a caller is shown, in characters. */
const MAX_MESSAGE = 2_000;

/** Statuses a caller is answered with as they are. */
const OWN_STATUSES: ReadonlySet<number> = new Set([413, 415, 422]);

/** An answer with an error status as a failure. Its text is kept only where the request was at fault. */
export function errorOfResponse(response: WholeResponse, secrets: readonly string[] = []): GatewayError {
  const error = errorObject(parse(response.body));
  const { status } = response;
  const waitMs = retryAfterMs(response.headers);
  const details = {
    ...(OWN_STATUSES.has(status) ? { status } : {}),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  };
  return failure(error, { status, secrets, details, told: `answered ${status}` });
}

/** The error event inside a stream that began well; `event` is the whole event. */
export function errorOfEvent(event: JsonObject, secrets: readonly string[] = []): GatewayError {
  return failure(errorObject(event), { secrets, details: {}, told: 'sent' });
}

/** An answer with a success status that cannot be understood. */
export function badResponse(detail: string): GatewayError {
  return new GatewayError('provider_bad_response', { cause: new Error(`anthropic: ${detail}`) });
}

interface FailureOptions {
  /** Absent = inside a stream that began well. */
  readonly status?: number;
  readonly secrets: readonly string[];
  readonly details: { readonly status?: number; readonly retryAfterMs?: number };
  readonly told: string;
}

function failure(error: JsonObject, { status, secrets, details, told }: FailureOptions): GatewayError {
  const { type, message } = error;
  const text = typeof message === 'string' ? message : '';
  const named = codeOf(type, status);
  const code = named === 'provider_rejected' ? (MEANINGS.find(([pattern]) => pattern.test(text))?.[1] ?? named) : named;
  const name = typeof type === 'string' ? type : '';
  const cause = new Error(`anthropic ${told} ${name}: ${text}`);
  const { status: shownStatus, ...wait } = details;
  const isShown = code === 'provider_rejected' || code === 'context_length_exceeded' || code === 'content_filter';
  if (!isShown) return new GatewayError(code, { ...wait, cause });
  const shown = withoutNames(text, secrets);
  return new GatewayError(code, {
    ...wait,
    ...(shownStatus === undefined || code !== 'provider_rejected' ? {} : { status: shownStatus }),
    ...(shown === '' ? {} : { message: shown }),
    cause,
  });
}

/** A status that means one thing wins over the type; a failure of the server is never the caller's. */
function codeOf(type: unknown, status: number | undefined): ErrorCode {
  const isCallers = status !== undefined && status >= 400 && status < 500;
  const code = BY_STATUS.get(status ?? 0) ?? BY_TYPE.get(type) ?? (isCallers ? 'provider_rejected' : 'provider_error');
  return code === 'provider_rejected' && !isCallers && status !== undefined ? 'provider_error' : code;
}

/** Without addresses, the provider's request ids and secrets. */
function withoutNames(message: string, secrets: readonly string[]): string {
  const text = message
    .slice(0, MAX_MESSAGE)
    .replace(/https?:\/\/[^\s"',)]+/g, 'the address')
    .replace(/\s*\(?\b(request[ _-]?id:? *)?req_[A-Za-z0-9_]+\)?/gi, '');
  return secrets.reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '***')), text);
}

/** What stands under `error`; some gateways wrap the body in a list. */
function errorObject(body: unknown): JsonObject {
  const whole: unknown = Array.isArray(body) ? body[0] : body;
  if (!isJsonObject(whole)) return {};
  const { error } = whole;
  if (typeof error === 'string') return { message: error };
  return isJsonObject(error) ? error : {};
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
