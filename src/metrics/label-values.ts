import { ERRORS, errorType } from '../contract/errors.js';
import type { AttemptRecord, RequestRecord } from '../contract/record.js';
import { OTHER } from './metric-cells.js';

/** A label's value where the request got no further than that. */
export const NONE = 'none';

/** Failures without a code of ours, as dashboards know them. */
const UNKNOWN_FAILURE = '_OTHER';

/** True when the client left before anything was answered; the record's status is then nobody's. */
export function leftUnanswered({ outcome, bytesOut }: RequestRecord): boolean {
  return outcome === 'client-abort' && bytesOut === 0;
}

/** `none` for a success, else fault domain and code. */
export function errorLabel({ error, status, outcome }: RequestRecord): string {
  if (error !== undefined) return errorType(error);
  if (outcome === 'client-abort') return errorType('client_closed');
  return status >= 400 ? UNKNOWN_FAILURE : NONE;
}

/** The error_type of one attempt. */
export function attemptErrorLabel({ error }: AttemptRecord): string {
  return error === undefined ? NONE : errorType(error);
}

/** The status as text; that of `client_closed` where the client left before there was one. */
export function codeLabel(record: RequestRecord): string {
  if (leftUnanswered(record)) return String(ERRORS.client_closed.status);
  const { status } = record;
  return Number.isInteger(status) && status >= 100 && status <= 599 ? String(status) : OTHER;
}

/** How an attempt ended, as a label; a client that left is nobody's failure. */
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
