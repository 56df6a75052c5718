import type { UpstreamHeaders } from './upstream.js';

/** Longest wait a provider can ask for. */
const CAP_MS = 3_600_000;

/**
 * When a provider wants to be tried again, in milliseconds from `nowMs`, at most an hour: from `retry-after-ms`, or
 * `retry-after` as seconds or as an HTTP date. A date in the past is 0; nonsense is undefined.
 */
export function retryAfterMs(headers: UpstreamHeaders, nowMs: number = Date.now()): number | undefined {
  const exact = parseNumber(single(headers['retry-after-ms']));
  if (exact !== undefined) return cap(exact);
  const value = single(headers['retry-after']);
  const seconds = parseNumber(value);
  if (seconds !== undefined) return cap(seconds * 1_000);
  const date = value !== undefined && HTTP_DATE.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(date) ? undefined : cap(date - nowMs);
}

/** Begins with a weekday, as all three forms of RFC 9110 do; Date.parse alone would take "12-5" for a date. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;

function single(value: string | string[] | undefined): string | undefined {
  return (Array.isArray(value) ? value[0] : value)?.trim();
}

function parseNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,15}(\.\d+)?$/.test(value) ? Number(value) : undefined;
}

function cap(delayMs: number): number {
  return Math.min(Math.max(Math.ceil(delayMs), 0), CAP_MS);
}
