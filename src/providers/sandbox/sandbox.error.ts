import { type ErrorCode, GatewayError } from '../../contract/errors.js';
import type { FailInstruction } from './sandbox.request.js';

const WORDS: Readonly<Record<string, ErrorCode>> = {
  unreachable: 'provider_unreachable',
  content_filter: 'content_filter',
  context_length: 'context_length_exceeded',
};

const STATUSES: Readonly<Record<number, ErrorCode>> = {
  401: 'provider_authentication',
  403: 'provider_authentication',
  404: 'provider_not_found',
  408: 'provider_timeout',
  429: 'provider_rate_limited',
  503: 'provider_overloaded',
  504: 'provider_timeout',
  529: 'provider_overloaded',
};

/** The failure an instruction asks for; undefined = a word or status that stands for none. */
export function failureOf({ what, retryAfterMs }: FailInstruction): GatewayError | undefined {
  const status = Number(what);
  const details = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (Number.isNaN(status)) {
    const code = Object.hasOwn(WORDS, what) ? WORDS[what] : undefined;
    return code && new GatewayError(code, details);
  }
  if (status < 400 || status > 599) return undefined;
  const code = STATUSES[status] ?? (status >= 500 ? 'provider_error' : 'provider_rejected');
  if (code !== 'provider_rejected') return new GatewayError(code, details);
  return new GatewayError(code, { ...details, status, message: `The sandbox was told to fail with ${status}.` });
}

/** Why an aborted call ends. */
export function abortError({ reason }: AbortSignal): GatewayError {
  return reason instanceof GatewayError ? reason : new GatewayError('client_closed');
}
