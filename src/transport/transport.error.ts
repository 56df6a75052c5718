import { GatewayError } from '../contract/errors.js';

/** How far a call had come when it failed. */
export type ExchangePhase = 'connect' | 'headers' | 'body';

/** Failures of our own making: the request could not be expressed in HTTP. */
const OUR_FAULT: ReadonlySet<string> = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

/** What a failed connect, request or body means. The original error is kept as cause, for the log only. */
export function transportError(error: unknown, phase: ExchangePhase): GatewayError {
  if (error instanceof GatewayError) return error;
  const code = errorCode(error);
  if (OUR_FAULT.has(code)) return new GatewayError('internal_error', { cause: error });
  if (phase === 'body') return new GatewayError('provider_stream_broken', { cause: error });
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return new GatewayError('provider_timeout', {
      message: 'The provider could not be reached in time.',
      cause: error,
    });
  }
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new GatewayError('provider_bad_response', { cause: error });
  }
  return new GatewayError('provider_unreachable', { cause: error });
}

function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
