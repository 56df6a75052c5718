import { errorType, type ErrorCode } from '../contract/errors.js';
import type { AttemptRecord, RequestRecord } from '../contract/record.js';
import { OTHER } from './metric-cells.js';

/** A label's value where the request got no further than that. */
export const NONE = 'none';

/** Failures without a code of ours, as dashboards know them. */
const UNKNOWN_FAILURE = '_OTHER';

/** `none` for a success, else fault domain and code. */
export function errorLabel(error: ErrorCode | undefined, status: number): string {
  if (error !== undefined) return errorType(error);
  return status >= 400 ? UNKNOWN_FAILURE : NONE;
}

/** The status as text; 499 where the client left before there was one. */
export function codeLabel(record: RequestRecord): string {
  const { status } = record;
  if (record.outcome === 'client-abort' && !(status >= 100)) return '499';
  return Number.isInteger(status) && status >= 100 && status <= 599 ? String(status) : OTHER;
}

export function attemptOutcome(attempt: AttemptRecord): 'success' | 'failure' | 'aborted' {
  if (attempt.error === undefined) return 'success';
  return attempt.error === 'client_closed' ? 'aborted' : 'failure';
}

/** Lets the first `limit` distinct values through and calls the rest "other". */
export class CappedLabel {
  private readonly seen = new Set<string>();

  constructor(private readonly limit: number) {}

  of(value: string): string {
    if (this.seen.has(value)) return value;
    if (this.seen.size >= this.limit) return OTHER;
    this.seen.add(value);
    return value;
  }
}
