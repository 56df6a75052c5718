import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import { invalidToken } from './refusal.js';

/** Longest token that is looked at, in characters. */
export const MAX_TOKEN_LENGTH = 8_192;

const MAX_KID_LENGTH = 256;
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** Types of access and identity tokens; an absent type is one too. Others (logout, proof, event tokens) are not for us. */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt']);

/** What a token says of itself, unverified: good for choosing the issuer and the key, for nothing else. */
export interface TokenForm {
  readonly header: ProtectedHeaderParameters & { readonly alg: string };
  readonly payload: JWTPayload;
}

/** True for what is meant as a token, well-formed or not: a Tollgate key holds no dot. */
export function looksLikeToken(credential: string): boolean {
  const first = credential.indexOf('.');
  return first > 0 && credential.includes('.', first + 1);
}

/**
 * The unverified header and claims of a signed compact token. `jku`, `x5u`, `jwk` and `x5c` are ignored: keys come from the
 * configuration alone. Throws GatewayError `invalid_token` for everything that must not reach a signature check.
 */
export function readTokenForm(token: string): TokenForm {
  if (token.length > MAX_TOKEN_LENGTH) throw invalidToken('longer than 8 KB');
  if (!COMPACT.test(token)) throw invalidToken('not a signed compact token');
  try {
    const header = decodeProtectedHeader(token);
    const { alg } = header;
    if (typeof alg !== 'string') throw invalidToken('no algorithm');
    refuseHeader(header);
    return { header: { ...header, alg }, payload: decodeJwt(token) };
  } catch (thrown) {
    throw thrown instanceof Error && thrown.name === 'GatewayError' ? thrown : invalidToken('cannot be decoded');
  }
}

function refuseHeader(header: ProtectedHeaderParameters & { readonly zip?: unknown }): void {
  if (header.crit !== undefined || header.b64 !== undefined || header.zip !== undefined) {
    throw invalidToken('header with crit, b64 or zip');
  }
  const { typ, kid } = header as { readonly typ?: unknown; readonly kid?: unknown };
  if (typ !== undefined && !(typeof typ === 'string' && TYPES.has(typ.toLowerCase().replace(/^application\//, '')))) {
    throw invalidToken('type of another use');
  }
  if (kid !== undefined && !(typeof kid === 'string' && kid.length <= MAX_KID_LENGTH)) {
    throw invalidToken('key id of wrong form');
  }
}
