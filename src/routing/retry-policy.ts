import type { ErrorCode, GatewayError } from '../contract/errors.js';

/*
 * What follows a failed attempt:
 * 1. A failure that is not retryable ends the request, unless nothing was sent because the deployment cannot express
 *    what is asked: another one may.
 * 2. Another deployment is tried at once: waiting would only delay an answer somebody else can give.
 * 3. Where the plan has a single deployment, it is tried once more after full jitter if it was unreachable, failed
 *    with a 5xx or was overloaded, unless it asked for a longer pause than ours. A rate limit goes to the caller
 *    with its Retry-After: holding the request here would hide the limit and keep its reservation. A timeout is not
 *    repeated: the first call may still be generating, and be billed.
 */

const BASE_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 2_000;

const REPEATABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'provider_unreachable',
  'provider_error',
  'provider_overloaded',
]);

/** What a deployment's mapping refuses with, before anything is sent. */
const INEXPRESSIBLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'unsupported_parameter',
  'not_supported',
  'invalid_value',
]);

/** True when the request could not be put in the deployment's terms: its provider was never asked. */
export function isInexpressible({ code }: GatewayError, wasSent: boolean): boolean {
  return !wasSent && INEXPRESSIBLE.has(code);
}

/** Full jitter: evenly between 0 and 100 ms × 2^failures, at most 2 s; never less than the provider asked for. */
export function repeatDelayMs(error: GatewayError, failures: number, random: () => number): number | undefined {
  if (!REPEATABLE.has(error.code)) return undefined;
  const askedMs = error.retryAfterMs ?? 0;
  if (askedMs > MAX_BACKOFF_MS) return undefined;
  return Math.max(askedMs, random() * Math.min(MAX_BACKOFF_MS, BASE_BACKOFF_MS * 2 ** failures));
}

/**
 * Of the failures of one request, the one to answer with. A rate limit that says when to come back tells the caller
 * most (the soonest of several), then an overload that does; a refused credential or an unknown deployment is for
 * the operator and tells the caller little, what a deployment cannot express least. Among equals the later wins.
 */
export function moreTelling(earlier: GatewayError | undefined, later: GatewayError): GatewayError {
  if (earlier === undefined) return later;
  const difference = rank(earlier) - rank(later);
  if (difference !== 0) return difference > 0 ? earlier : later;
  return (earlier.retryAfterMs ?? Infinity) < (later.retryAfterMs ?? Infinity) ? earlier : later;
}

function rank({ code, retryAfterMs }: GatewayError): number {
  if (code === 'provider_rate_limited') return retryAfterMs === undefined ? 2 : 4;
  if (code === 'provider_overloaded' && retryAfterMs !== undefined) return 3;
  if (INEXPRESSIBLE.has(code)) return -1;
  if (code === 'provider_authentication' || code === 'provider_not_found') return 0;
  return 1;
}
