import type { AttemptRecord, RequestRecord } from '../contract/record.js';
import { errorType } from '../contract/errors.js';
import type { MeasuredUsage } from '../contract/usage.js';

/** Longest text of a client or a thrown error that a line repeats, in characters. */
const LONGEST_TEXT = 128;
const LONGEST_STACK = 4_096;

/** Attempts that a line tells one by one. */
const MOST_ATTEMPTS = 10;

/** What is told of something thrown: never its further fields, which may hold requests with credentials. */
export interface CauseLine {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

/**
 * The access line of a closed record. Names are those of the log, absent = does not apply. It holds neither prompts,
 * answers, credentials, query strings nor headers.
 */
export function accessLine(record: RequestRecord): Record<string, unknown> {
  const { caller, usage } = record;
  return {
    request_id: record.requestId,
    client_request_id: bounded(record.clientRequestId),
    method: bounded(record.method),
    route: record.route,
    plane: record.plane,
    status: record.status,
    outcome: record.outcome,
    error: record.error,
    error_type: record.error === undefined ? undefined : errorType(record.error),
    address: caller === undefined ? bounded(record.address) : undefined,
    auth: caller?.method,
    organisation: caller?.organisation,
    team: caller?.team,
    user: bounded(caller?.user),
    key: bounded(caller?.id),
    operation: record.operation,
    dialect: record.dialect,
    stream: record.stream,
    model: record.model,
    deployment: record.deployment,
    provider: record.provider,
    attempts: record.attempts.length === 0 ? undefined : record.attempts.slice(0, MOST_ATTEMPTS).map(attemptLine),
    usage: usage.source === 'none' ? undefined : usageLine(usage),
    usage_estimated: record.usageEstimated ? true : undefined,
    ttft_ms: rounded(record.timeToFirstTokenMs),
    upstream_ms: rounded(record.upstreamMs),
    duration_ms: rounded(record.durationMs),
    bytes_in: record.bytesIn,
    bytes_out: record.bytesOut,
    malformed_events: record.malformedEvents,
    warnings: record.warnings.length === 0 ? undefined : record.warnings.length,
    cause: record.cause === undefined ? undefined : causeLine(record.cause),
  };
}

/** A thrown value as name, message and stack alone. */
export function causeLine(cause: unknown): CauseLine {
  if (!(cause instanceof Error)) return { name: typeof cause, message: 'a value that is no Error was thrown' };
  const { stack } = cause;
  // A parser's message quotes what it could not parse.
  const message = cause instanceof SyntaxError ? 'not shown' : cause.message.slice(0, LONGEST_TEXT);
  const line = { name: cause.name.slice(0, LONGEST_TEXT), message };
  return stack === undefined ? line : { ...line, stack: framesOf(stack) };
}

/** The frames of a stack without its first lines, which repeat the message at full length. */
function framesOf(stack: string): string {
  const start = stack.search(/^ {4}at /m);
  return start === -1 ? '' : stack.slice(start, start + LONGEST_STACK);
}

function usageLine(usage: MeasuredUsage): Record<string, unknown> {
  return {
    input_tokens: usage.promptTokens,
    cached_input_tokens: usage.cachedPromptTokens,
    cache_write_input_tokens: usage.cacheWriteTokens,
    output_tokens: usage.completionTokens,
    reasoning_tokens: usage.reasoningTokens,
    source: usage.source,
  };
}

function attemptLine({ deployment, error, durationMs }: AttemptRecord): Record<string, unknown> {
  return { deployment, error, ms: rounded(durationMs) };
}

function bounded(text: string | undefined): string | undefined {
  return text !== undefined && text.length > LONGEST_TEXT ? text.slice(0, LONGEST_TEXT) : text;
}

/** Milliseconds to a tenth; a line needs no more. */
function rounded(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 10) / 10;
}
