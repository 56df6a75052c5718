import { GatewayError, type ErrorCode, type ErrorDetails } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import { retryAfterMs } from '../../transport/retry-after.js';
import type { WholeResponse } from '../../transport/upstream.js';
import { readWireError } from './openai-wire.error-body.js';
import type { WireError } from './openai-wire.types.js';

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
  // Groq: the tier asked for has no capacity left.
  498: 'provider_overloaded',
  503: 'provider_overloaded',
  504: 'provider_timeout',
  529: 'provider_overloaded',
};

/** Codes of a refused request that have a name of ours. */
const BY_CODE: Readonly<Record<string, ErrorCode>> = {
  content_filter: 'content_filter',
  content_policy_violation: 'content_filter',
  context_length_exceeded: 'context_length_exceeded',
  // Some servers answer 400 to a key they do not know.
  invalid_api_key: 'provider_authentication',
};

/** What servers without codes say of a prompt that is too long: vLLM, DeepSeek, OpenRouter, xAI, Mistral. */
const TOO_LONG =
  /maximum (context|prompt) length|model with \d+ maximum context|exceeds? the .{0,30}context (length|window)/i;

/** What servers without codes say of our key: xAI and Google answer 400. */
const BAD_KEY = /\b(incorrect|invalid) api key\b|\bapi key not valid\b/i;

/** Longest text of a provider that a caller is shown, in characters. */
const MAX_MESSAGE = 2_000;

/** An answer with an error status as a failure. Its text is kept only where the request was at fault. */
export function errorOfResponse(response: WholeResponse, secrets: readonly string[] = []): GatewayError {
  const error = readWireError(parsed(response.body)) ?? {};
  const { status } = response;
  const cause = { status, code: error.code, message: error.message };
  if (error.isModerated === true) return rejection('content_filter', error, { status: 400, secrets, cause });
  const byStatus = BY_STATUS[status] ?? 'provider_error';
  const code = byStatus === 'provider_rejected' ? refusalCode(error) : byStatus;
  if (isShown(code)) return rejection(code, error, { status, secrets, cause });
  const waitMs = retryAfterMs(response.headers);
  return new GatewayError(code, { cause, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) });
}

/** The status an error body itself tells; 500 where it tells none. */
export function statusOfError(body: Buffer): number {
  const whole = parsed(body);
  const error = isJsonObject(whole) ? whole['error'] : undefined;
  if (!isJsonObject(error)) return 500;
  const status = [error['status'], error['code']].find((value) => typeof value === 'number');
  return typeof status === 'number' && status >= 400 && status <= 599 ? status : 500;
}

/** The failure an event of a stream reports; undefined where it reports none. */
export function errorOfChunk(chunk: { error?: unknown; object?: unknown }): GatewayError | undefined {
  if (chunk.error != null) return errorOfEvent(chunk.error);
  // Older vLLM says it without an envelope.
  return chunk.object === 'error' ? errorOfEvent(chunk) : undefined;
}

/** An error object inside an answer that began well. */
export function errorOfEvent(error: unknown): GatewayError {
  const wire = readWireError(error) ?? {};
  const name = wire.code ?? '';
  const byStatus = BY_STATUS[Number(name)] ?? 'provider_error';
  const code = STREAM_CODES[name] ?? (byStatus === 'provider_rejected' ? refusalCode(wire) : byStatus);
  const known = BY_CODE[name] ?? code;
  return isShown(known)
    ? rejection(known, wire, { status: 400, secrets: [], cause: wire })
    : new GatewayError(known, { cause: wire });
}

const STREAM_CODES: Readonly<Record<string, ErrorCode>> = {
  rate_limit_exceeded: 'provider_rate_limited',
  too_many_requests: 'provider_rate_limited',
  server_overloaded: 'provider_overloaded',
  engine_overloaded: 'provider_overloaded',
  Timeout: 'provider_timeout',
};

/** Codes whose text is for the caller, because the request was at fault. */
function isShown(code: ErrorCode): code is 'provider_rejected' | 'content_filter' | 'context_length_exceeded' {
  return code === 'provider_rejected' || code === 'content_filter' || code === 'context_length_exceeded';
}

/** What a refused request was refused for. */
function refusalCode({ code = '', message = '' }: WireError): ErrorCode {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (TOO_LONG.test(message)) return 'context_length_exceeded';
  return BAD_KEY.test(message) ? 'provider_authentication' : 'provider_rejected';
}

interface RejectionOptions {
  readonly status: number;
  readonly secrets: readonly string[];
  readonly cause: unknown;
}

function rejection(code: ErrorCode, error: WireError, { status, secrets, cause }: RejectionOptions): GatewayError {
  const details: { -readonly [Key in keyof ErrorDetails]: ErrorDetails[Key] } = { status, cause };
  const message = error.message === undefined ? '' : withoutSecrets(error.message, secrets);
  if (message !== '') details.message = message;
  if (error.param !== undefined) details.param = error.param;
  // A bare status in `code` says nothing a caller could act on.
  if (error.code !== undefined && !/^\d+$/.test(error.code)) details.providerCode = error.code;
  const extra: JsonObject = {};
  if (error.innererror !== undefined) extra['innererror'] = error.innererror;
  if (error.failedGeneration !== undefined) extra['failed_generation'] = error.failedGeneration;
  if (Object.keys(extra).length > 0) details.extra = extra;
  return new GatewayError(code, details);
}

function withoutSecrets(message: string, secrets: readonly string[]): string {
  let text = message.slice(0, MAX_MESSAGE);
  for (const secret of secrets) text = text.replaceAll(secret, '***');
  return text;
}

/** The body as JSON; undefined where it is none. */
function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
