import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '../contract/errors.js';
import { authenticationRequired, invalidApiKey } from './refusal.js';

/** Headers in which the SDKs of Azure OpenAI, Anthropic and Google send a key; the others use `Authorization: Bearer`. */
const KEY_HEADERS = ['api-key', 'x-api-key', 'x-goog-api-key'] as const;

const BEARER = /^bearer +([^\s]+)$/i;

/**
 * The one credential of a request, undefined where none was sent. Looks at nothing but the four credential headers.
 * Throws GatewayError: `authentication_required` for an Authorization that is not `Bearer <credential>`,
 * `invalid_api_key` where headers hold different credentials.
 */
export function extractCredential(headers: IncomingHttpHeaders): string | undefined {
  let credential = bearer(headers.authorization);
  for (const name of KEY_HEADERS) {
    const value = headers[name];
    if (value === undefined || value === '') continue;
    if (typeof value !== 'string' || (credential !== undefined && credential !== value)) throw differing();
    credential = value;
  }
  return credential;
}

/**
 * Refuses a second Authorization or Host header, which Node drops without a word while a proxy before us may have read
 * the other one. Takes `request.rawHeaders`. Throws GatewayError `invalid_request`; the connection is to be closed.
 */
export function refuseRepeatedHeaders(rawHeaders: readonly string[]): void {
  let authorizations = 0;
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 13 && name.toLowerCase() === 'authorization') authorizations++;
    else if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  if (authorizations <= 1 && hosts <= 1) return;
  const name = authorizations > 1 ? 'Authorization' : 'Host';
  throw new GatewayError('invalid_request', {
    message: `The ${name} header was sent twice; send it once.`,
    headers: { connection: 'close' },
  });
}

function bearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization === '') return undefined;
  const credential = BEARER.exec(authorization)?.[1];
  if (credential === undefined) {
    throw authenticationRequired('The Authorization header must be "Bearer" followed by one key or token.');
  }
  return credential;
}

function differing(): GatewayError {
  return invalidApiKey('The request carries different credentials in several headers; send one.');
}
