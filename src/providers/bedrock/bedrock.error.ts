import type {
  AccessDeniedException,
  ConflictException,
  InternalServerException,
  ModelErrorException,
  ModelNotReadyException,
  ModelStreamErrorException,
  ModelTimeoutException,
  ResourceNotFoundException,
  ServiceQuotaExceededException,
  ServiceUnavailableException,
  ThrottlingException,
  ValidationException,
} from '@aws-sdk/client-bedrock-runtime';
import { GatewayError, type ErrorCode } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import { retryAfterMs } from '../../transport/retry-after.js';
import type { WholeResponse } from '../../transport/upstream.js';

type RuntimeException =
  | AccessDeniedException
  | ConflictException
  | InternalServerException
  | ModelErrorException
  | ModelNotReadyException
  | ModelStreamErrorException
  | ModelTimeoutException
  | ResourceNotFoundException
  | ServiceQuotaExceededException
  | ServiceUnavailableException
  | ThrottlingException
  | ValidationException;

/** What the exceptions of the runtime mean to us. */
const RUNTIME_EXCEPTIONS = {
  AccessDeniedException: 'provider_authentication',
  ConflictException: 'provider_rejected',
  InternalServerException: 'provider_error',
  ModelErrorException: 'provider_error',
  ModelNotReadyException: 'provider_rate_limited',
  ModelStreamErrorException: 'provider_error',
  ModelTimeoutException: 'provider_timeout',
  ResourceNotFoundException: 'provider_not_found',
  ServiceQuotaExceededException: 'provider_rate_limited',
  ServiceUnavailableException: 'provider_overloaded',
  ThrottlingException: 'provider_rate_limited',
  ValidationException: 'provider_rejected',
} as const satisfies Record<RuntimeException['name'], ErrorCode>;

/** With those every AWS service may throw before the runtime is reached. */
const EXCEPTIONS = new Map<string, ErrorCode>([
  ...Object.entries(RUNTIME_EXCEPTIONS),
  ['ExpiredTokenException', 'provider_authentication'],
  ['IncompleteSignatureException', 'provider_authentication'],
  ['InvalidSignatureException', 'provider_authentication'],
  ['MissingAuthenticationTokenException', 'provider_authentication'],
  ['SignatureDoesNotMatchException', 'provider_authentication'],
  ['UnrecognizedClientException', 'provider_authentication'],
  ['TooManyRequestsException', 'provider_rate_limited'],
]);

/** Validation failures that mean more than a request that is not valid. */
const VALIDATION_MEANINGS: readonly (readonly [pattern: RegExp, code: ErrorCode])[] = [
  [
    /input is too long|prompt is too long|too many input tokens|too large for (the|this) model/i,
    'context_length_exceeded',
  ],
  [/(maximum|exceeds?|exceeded)( the)?( model'?s)?( maximum)? (context|input token)/i, 'context_length_exceeded'],
  [/exceed(s|ed)? (the )?context (limit|window|length)/i, 'context_length_exceeded'],
  [/expected maxLength: \d+, actual: \d+.*(inputText|prompt)/i, 'context_length_exceeded'],
  [/blocked by (our|the) content filter/i, 'content_filter'],
  [/model identifier is invalid|on-demand throughput isn.t supported|model version is invalid/i, 'provider_not_found'],
];

/** Codes whose text is about the caller's own request, so that the provider's words may be shown. */
const SHOWN: ReadonlySet<ErrorCode> = new Set(['provider_rejected', 'context_length_exceeded', 'content_filter']);
const MAX_MESSAGE_CHARACTERS = 2_000;

/** What reading a failure needs beside it. */
export interface FailureOptions {
  /** Texts that must not reach a caller: credentials, the host. */
  readonly secrets: readonly string[];
  /** Milliseconds since the epoch, for dates in Retry-After; default: now. */
  readonly now?: number;
}

/** The failure an answer with an error status stands for. */
export function readFailure(response: WholeResponse, { secrets, now }: FailureOptions): GatewayError {
  const body = parse(response.body);
  const type = exceptionName(body['__type']) ?? exceptionName(first(response.headers['x-amzn-errortype']));
  const message = text(body['message']) ?? text(body['Message']);
  const code = codeOf(type, response.status, message);
  const waitMs = retryAfterMs(response.headers, now);
  return new GatewayError(code, {
    ...(SHOWN.has(code) && message !== undefined ? { message: withoutNames(message, secrets) } : {}),
    ...(code === 'provider_rejected' && [413, 422].includes(response.status) ? { status: response.status } : {}),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    cause: new Error(
      `bedrock answered ${response.status} ${type ?? ''}: ${message ?? response.body.toString('utf8', 0, 500)}`,
    ),
  });
}

/** The failure an exception or error frame of a stream stands for. */
export function readStreamFailure(type: string, payload: Buffer, secrets: readonly string[]): GatewayError {
  const body = parse(payload);
  const message = text(body['message']) ?? text(body['Message']);
  const name = exceptionName(type);
  const code = name === undefined ? 'provider_error' : codeOf(name, 500, message);
  return new GatewayError(code, {
    ...(SHOWN.has(code) && message !== undefined ? { message: withoutNames(message, secrets) } : {}),
    cause: new Error(`bedrock sent ${type}: ${message ?? payload.toString('utf8', 0, 500)}`),
  });
}

/** An answer with a success status that cannot be understood. */
export function badResponse(detail: string): GatewayError {
  return new GatewayError('provider_bad_response', { cause: new Error(`bedrock: ${detail}`) });
}

function codeOf(type: string | undefined, status: number, message = ''): ErrorCode {
  const code = (type === undefined ? undefined : EXCEPTIONS.get(type)) ?? codeOfStatus(status);
  if (code !== 'provider_rejected') return code;
  return VALIDATION_MEANINGS.find(([pattern]) => pattern.test(message))?.[1] ?? code;
}

const STATUS_CODES = new Map<number, ErrorCode>([
  [401, 'provider_authentication'],
  [403, 'provider_authentication'],
  [404, 'provider_not_found'],
  [408, 'provider_timeout'],
  [424, 'provider_error'],
  [429, 'provider_rate_limited'],
  [503, 'provider_overloaded'],
  [504, 'provider_timeout'],
  [529, 'provider_overloaded'],
]);

function codeOfStatus(status: number): ErrorCode {
  return STATUS_CODES.get(status) ?? (status >= 400 && status < 500 ? 'provider_rejected' : 'provider_error');
}

/** `com.amazon#ThrottlingException:http://…` and `throttlingException` are `ThrottlingException`. */
function exceptionName(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const name = value.slice(value.indexOf('#') + 1).split(':', 1)[0] ?? '';
  return name === '' ? undefined : name.charAt(0).toUpperCase() + name.slice(1);
}

/** Without the account's resource names, without addresses and secrets. */
function withoutNames(message: string, secrets: readonly string[]): string {
  const text = message
    .slice(0, MAX_MESSAGE_CHARACTERS)
    .replace(/arn:aws[^\s"',)]*/g, 'the resource')
    .replace(/https?:\/\/[^\s"',)]+/g, 'the address');
  return secrets.reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '***')), text);
}

function parse(body: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
