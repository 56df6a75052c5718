import type { ExpectedError } from './expect.ts';
import { list, record, text } from './json.ts';
import { isRecord, type JsonRecord, type Recording, type ReplayEvent } from './recording.ts';

/** Statuses by which a provider says that the request itself is at fault. */
const CALLERS = new Set([400, 413, 415, 422]);

/** What of a 400 the caller cannot help: the gateway's key, its name for the model, its account. */
const GATEWAYS = /model identifier is invalid|\b(incorrect|invalid) api key\b|\bapi key not valid\b/i;

/** A recorded refusal as the caller must be told it. */
export function expectedRefusal({ status, headers, body }: Recording): ExpectedError {
  const whole = record(Array.isArray(body) ? body[0] : body);
  const error = record(whole['error']);
  const message = text(error['message']) || text(whole['error']) || text(whole['message']);
  const wait = secondsToWait(headers, error);
  const isCallers = CALLERS.has(status) && !GATEWAYS.test(message) && error['status'] !== 'FAILED_PRECONDITION';
  return {
    type: 'error',
    statuses: [isCallers ? status : gatewayStatus(status)],
    ...(isCallers ? { shown: shownOf(message, error) } : { hidden: message }),
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
  };
}

/** The error inside a stream that began well; undefined = the stream reports none. */
export function expectedBreak(events: readonly ReplayEvent[]): ExpectedError | undefined {
  const broken = events.find(({ name, payload }) => isRecord(payload['error']) || name.endsWith('Exception'));
  if (broken === undefined) return undefined;
  const error = record(broken.payload['error']);
  const message = text(error['message']) || text(broken.payload['message']);
  const isCallers = CALLERS.has(Number(error['code'])) || broken.name === 'validationException';
  return { type: 'error', statuses: [], ...(isCallers ? { shown: shownOf(message, error) } : { hidden: message }) };
}

/** A credential or deployment the provider refuses is the gateway's fault. */
function gatewayStatus(status: number): number {
  if (status === 429) return 429;
  if (status === 503 || status === 529) return 503;
  return status === 408 || status === 504 ? 504 : 502;
}

function shownOf(message: string, { param, code, innererror }: JsonRecord): NonNullable<ExpectedError['shown']> {
  return {
    message,
    ...(text(param) === '' ? {} : { param: text(param) }),
    ...(text(code) === '' ? {} : { code: text(code) }),
    ...(isRecord(innererror) ? { innererror } : {}),
  };
}

/** Whole seconds, rounded up: Google's RetryInfo, else the headers; dates are not computed. */
function secondsToWait(headers: Recording['headers'], error: JsonRecord): number | undefined {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const delay = list(error['details']).map(({ retryDelay }) => /^([\d.]+)s$/.exec(text(retryDelay))?.[1]);
  const milliseconds = lower['retry-after-ms'];
  const exact = milliseconds === undefined ? undefined : Number(milliseconds) / 1_000;
  const seconds = Number(delay.find((told) => told !== undefined) ?? exact ?? lower['retry-after'] ?? Number.NaN);
  return Number.isNaN(seconds) ? undefined : Math.ceil(seconds);
}
