/** Who has to act on a failure. */
export type FaultDomain = 'caller' | 'policy' | 'provider' | 'gateway';

interface ErrorEntry {
  /** HTTP status answered to the caller unless the error carries its own. */
  readonly status: number;
  /** Who has to act; the prefix of the metrics' error_type. */
  readonly domain: FaultDomain;
  /** True when another deployment may answer the same request. */
  readonly retryable: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** `error.type` in OpenAI's shape. */
  readonly type: string;
  /** The text a caller sees when the error brings none that is meant for callers. */
  readonly message: string;
}

const entry = (
  status: number,
  domain: FaultDomain,
  retryable: boolean,
  logLevel: ErrorEntry['logLevel'],
  type: string,
  message: string,
): ErrorEntry => ({ status, domain, retryable, logLevel, type, message });

const INVALID = 'invalid_request_error';

/** Every failure the gateway answers with: one table for status, retry, log level and public text. */
export const ERRORS = {
  invalid_request: entry(400, 'caller', false, 'info', INVALID, 'The request is not valid.'),
  invalid_json: entry(400, 'caller', false, 'info', INVALID, 'The body is not valid JSON.'),
  invalid_value: entry(400, 'caller', false, 'info', INVALID, 'A field has a value that is not allowed.'),
  unsupported_parameter: entry(
    422,
    'caller',
    false,
    'info',
    INVALID,
    'A parameter cannot be honoured by the model asked for.',
  ),
  unsupported_media_type: entry(
    415,
    'caller',
    false,
    'info',
    INVALID,
    'Send the body as application/json without content encoding.',
  ),
  request_too_large: entry(413, 'caller', false, 'info', INVALID, 'The body is larger than this gateway accepts.'),
  context_length_exceeded: entry(
    400,
    'caller',
    false,
    'info',
    INVALID,
    'The request is longer than the context window of the model.',
  ),
  content_filter: entry(
    400,
    'caller',
    false,
    'info',
    INVALID,
    'The request was refused by the content filter of the provider.',
  ),
  authentication_required: entry(
    401,
    'caller',
    false,
    'info',
    'authentication_error',
    'No credential was sent. Send a Tollgate key or a token as Authorization: Bearer.',
  ),
  invalid_api_key: entry(401, 'caller', false, 'info', 'authentication_error', 'The API key is not valid.'),
  invalid_token: entry(401, 'caller', false, 'info', 'authentication_error', 'The token is not valid.'),
  permission_denied: entry(
    403,
    'caller',
    false,
    'info',
    'permission_error',
    'This credential is not allowed to do that.',
  ),
  model_not_found: entry(
    404,
    'caller',
    false,
    'info',
    INVALID,
    'The model does not exist or you do not have access to it.',
  ),
  route_not_found: entry(404, 'caller', false, 'info', INVALID, 'There is no such route.'),
  method_not_allowed: entry(405, 'caller', false, 'info', INVALID, 'The route does not support this method.'),
  request_timeout: entry(408, 'caller', false, 'info', INVALID, 'The body did not arrive in time.'),
  client_closed: entry(499, 'caller', false, 'info', INVALID, 'The client closed the connection.'),
  rate_limit_exceeded: entry(429, 'policy', false, 'info', 'rate_limit_error', 'A rate limit was reached.'),
  request_too_large_for_limit: entry(
    429,
    'policy',
    false,
    'info',
    'rate_limit_error',
    'The request is larger than a limit allows at all.',
  ),
  flood_blocked: entry(
    429,
    'policy',
    false,
    'info',
    'rate_limit_error',
    'Too many failed requests from this address. Try again later.',
  ),
  provider_rate_limited: entry(429, 'provider', true, 'warn', 'rate_limit_error', 'The provider is limiting requests.'),
  provider_rejected: entry(400, 'caller', false, 'info', INVALID, 'The provider refused the request.'),
  provider_authentication: entry(
    502,
    'provider',
    true,
    'error',
    'api_error',
    'The provider refused the credential of the gateway.',
  ),
  provider_not_found: entry(502, 'provider', true, 'error', 'api_error', 'The provider does not know the deployment.'),
  provider_error: entry(502, 'provider', true, 'warn', 'api_error', 'The provider failed to answer.'),
  provider_overloaded: entry(503, 'provider', true, 'warn', 'api_error', 'The provider is overloaded.'),
  provider_unreachable: entry(502, 'provider', true, 'warn', 'api_error', 'The provider could not be reached.'),
  provider_timeout: entry(504, 'provider', true, 'warn', 'api_error', 'The provider did not answer in time.'),
  provider_bad_response: entry(
    502,
    'provider',
    true,
    'warn',
    'api_error',
    'The answer of the provider could not be understood.',
  ),
  provider_stream_broken: entry(502, 'provider', true, 'warn', 'api_error', 'The answer of the provider broke off.'),
  deadline_exceeded: entry(
    504,
    'provider',
    false,
    'warn',
    'api_error',
    'The request did not finish before its deadline.',
  ),
  authentication_unavailable: entry(
    503,
    'gateway',
    false,
    'error',
    'api_error',
    'Credentials cannot be checked right now. Try again.',
  ),
  quota_store_unavailable: entry(
    503,
    'gateway',
    false,
    'error',
    'api_error',
    'Limits cannot be checked right now. Try again.',
  ),
  server_shutting_down: entry(503, 'gateway', false, 'info', 'api_error', 'The gateway is shutting down. Try again.'),
  no_deployment: entry(
    503,
    'gateway',
    false,
    'error',
    'api_error',
    'No deployment of the model can serve this request right now.',
  ),
  not_supported: entry(
    501,
    'gateway',
    false,
    'info',
    INVALID,
    'The deployment of this model does not support the operation.',
  ),
  internal_error: entry(
    500,
    'gateway',
    false,
    'error',
    'api_error',
    'The gateway failed. Quote the request id when you report it.',
  ),
} as const satisfies Record<string, ErrorEntry>;

/** The closed vocabulary of failures. */
export type ErrorCode = keyof typeof ERRORS;

/** What a GatewayError can say beyond its code. Everything here may be shown to the caller, except `cause`. */
export interface ErrorDetails {
  /** Says what was wrong and what to do; default: the table's text. Never a key, a prompt or an upstream URL. */
  readonly message?: string;
  /** The field at fault, as a path in the caller's body. */
  readonly param?: string;
  /** Overrides the table's status, for a provider's own 4xx. */
  readonly status?: number;
  /** When to try again, in milliseconds from now; absent = unknown. */
  readonly retryAfterMs?: number;
  /** Extra fields a provider gave with an error meant for callers (Azure's `innererror`); absent = none. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** A provider's own code for an error meant for callers; shown instead of ours. */
  readonly providerCode?: string;
  /** Response headers to add. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log only. */
  readonly cause?: unknown;
}

/** The one failure type of the product. */
export class GatewayError extends Error {
  readonly status: number;
  readonly param: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly extra: Readonly<Record<string, unknown>> | undefined;
  readonly providerCode: string | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;

  constructor(
    readonly code: ErrorCode,
    details: ErrorDetails = {},
  ) {
    super(details.message ?? ERRORS[code].message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'GatewayError';
    this.status = details.status ?? ERRORS[code].status;
    this.param = details.param;
    this.retryAfterMs = details.retryAfterMs;
    this.extra = details.extra;
    this.providerCode = details.providerCode;
    this.headers = details.headers;
  }

  /** The same error with the field at fault under another name. */
  withParam(param: string): GatewayError {
    const { message, status, retryAfterMs, extra, providerCode, headers, cause } = this;
    return new GatewayError(this.code, {
      message,
      param,
      status,
      cause,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(extra === undefined ? {} : { extra }),
      ...(providerCode === undefined ? {} : { providerCode }),
      ...(headers === undefined ? {} : { headers }),
    });
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  get type(): string {
    return ERRORS[this.code].type;
  }
}

/** Any thrown value as a GatewayError; what is not one becomes `internal_error` with the value as cause. */
export function toGatewayError(thrown: unknown): GatewayError {
  return thrown instanceof GatewayError ? thrown : new GatewayError('internal_error', { cause: thrown });
}

/** The metrics' error_type: fault domain and code (`caller_invalid_json`), without repeating the domain. */
export function errorType(code: ErrorCode): string {
  const { domain } = ERRORS[code];
  return code.startsWith(`${domain}_`) ? code : `${domain}_${code}`;
}
