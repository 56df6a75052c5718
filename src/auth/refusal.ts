import { GatewayError } from '../contract/errors.js';

const CHALLENGE = 'Bearer realm="tollgate"';

/** 401: no credential was sent, or none in a form that is understood. */
export function authenticationRequired(message?: string): GatewayError {
  return new GatewayError('authentication_required', {
    ...(message !== undefined && { message }),
    headers: { 'www-authenticate': CHALLENGE },
  });
}

/** 401 for a key. Wrong, expired, revoked and malformed keys all get the same text, so that nothing can be told apart. */
export function invalidApiKey(message?: string): GatewayError {
  return new GatewayError('invalid_api_key', {
    ...(message !== undefined && { message }),
    headers: { 'www-authenticate': `${CHALLENGE}, error="invalid_token"` },
  });
}

/** 401 for a token. `message` only for what a verified signature allows to say; `cause` is for the log. */
export function invalidToken(cause: string, message?: string): GatewayError {
  return new GatewayError('invalid_token', {
    ...(message !== undefined && { message }),
    cause,
    headers: { 'www-authenticate': `${CHALLENGE}, error="invalid_token"` },
  });
}
