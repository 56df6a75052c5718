import { createHash } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { JwtIssuerConfig, TollgateConfig } from '../config/config.schema.js';
import type { Caller, Limits } from '../contract/caller.js';
import { GatewayError } from '../contract/errors.js';
import { allowedModels } from './allowed-models.js';
import { DEFAULT_ORGANISATION, findOrganisation } from './membership.js';

type Grant = JwtIssuerConfig['grants'][number];

/** What the mapping needs of a configuration. */
export interface ClaimContext {
  readonly issuer: JwtIssuerConfig;
  readonly organisations: TollgateConfig['organisations'];
}

const MAX_CLAIM_LENGTH = 256;

/** OAuth writes these as one string of words. */
const SPACE_SEPARATED: ReadonlySet<string> = new Set(['scope', 'scp']);

/** The value at a claim path: names joined by dots, or a JSON pointer. */
export function readClaim(payload: JWTPayload, path: string): unknown {
  const names = path.startsWith('/')
    ? path
        .slice(1)
        .split('/')
        .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    : path.split('.');
  let value: unknown = payload;
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/**
 * The caller of a verified token, by the issuer's `claims` and `grants`. Throws GatewayError `permission_denied` for a token
 * that maps to nothing: no grant matches, a configured claim is missing, or an organisation or team is not declared.
 */
export function mapClaims(payload: JWTPayload, context: ClaimContext): Caller {
  const { issuer } = context;
  const grant = findGrant(payload, issuer.grants);
  if (grant === undefined && issuer.grants.length > 0) throw denied('no grant matches its claims');
  const name = grant?.organisation ?? optionalText(payload, issuer.claims.organisation) ?? DEFAULT_ORGANISATION;
  const team = grant?.team ?? optionalText(payload, issuer.claims.team);
  const organisation = findOrganisation(context.organisations, name, team);
  if (organisation === undefined) throw denied('its organisation or team is not known here');
  const models = allowedModels(grant?.models ?? issuer.models, organisation.models);
  return {
    method: 'jwt',
    id: callerId(issuer.issuer, requiredText(payload, 'sub')),
    organisation: name,
    ...(team !== undefined && { team }),
    user: requiredText(payload, issuer.claims.user),
    ...(models !== undefined && { models }),
    limits: limitsOf(grant, issuer),
  };
}

/** 128 bits of a hash: short, and the same on every replica. */
function callerId(issuer: string, subject: string): string {
  return `jwt-${createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('hex')
    .slice(0, 32)}`;
}

function findGrant(payload: JWTPayload, grants: readonly Grant[]): Grant | undefined {
  return grants.find(({ claim, value }) => {
    const found = readClaim(payload, claim);
    if (typeof found === 'string' && SPACE_SEPARATED.has(claim)) return found.split(' ').includes(value);
    return found === value || (Array.isArray(found) && found.includes(value));
  });
}

function limitsOf(grant: Grant | undefined, issuer: JwtIssuerConfig): Limits {
  return grant !== undefined && Object.keys(grant.limits).length > 0 ? grant.limits : issuer.limits;
}

function optionalText(payload: JWTPayload, path: string | undefined): string | undefined {
  return path === undefined ? undefined : requiredText(payload, path);
}

function requiredText(payload: JWTPayload, path: string): string {
  const value = readClaim(payload, path);
  if (typeof value !== 'string' || value === '' || value.length > MAX_CLAIM_LENGTH) {
    throw denied(`its claim "${path}" is missing or of wrong form`);
  }
  return value;
}

function denied(reason: string): GatewayError {
  return new GatewayError('permission_denied', {
    message: `The token is valid but gives no access: ${reason}.`,
    cause: reason,
  });
}
