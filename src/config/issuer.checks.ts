import { createPublicKey } from 'node:crypto';
import type { JwtIssuerConfig, TollgateConfig } from './config.schema.js';
import type { ConfigPath, Finding } from './config.problem.js';
import { allowListFindings, duplicateFindings, membershipFindings, modelNames, undeclared } from './declared.checks.js';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** What is wrong with the token issuers beyond what the schema sees. */
export function issuerFindings(config: TollgateConfig): Finding[] {
  const models = modelNames(config);
  const issuers = config.auth.jwt.map(({ issuer }, index) => ({
    text: issuer,
    path: ['auth', 'jwt', index, 'issuer'],
  }));
  return [
    ...duplicateFindings(issuers, 'issuer'),
    ...config.auth.jwt.flatMap((issuer, index) => {
      const path = ['auth', 'jwt', index];
      return [
        ...jwksFindings(issuer, path),
        ...publicKeyFindings(issuer, path),
        ...allowListFindings(models, issuer.models, [...path, 'models']),
        ...grantFindings(config, issuer, path),
        ...issuer.grants.flatMap((grant, grantIndex) =>
          allowListFindings(models, grant.models, [...path, 'grants', grantIndex, 'models']),
        ),
      ];
    }),
  ];
}

function jwksFindings({ jwksUri }: JwtIssuerConfig, path: ConfigPath): Finding[] {
  if (jwksUri === undefined) return [];
  const { protocol, hostname } = new URL(jwksUri);
  if (protocol === 'https:' || LOOPBACK.has(hostname)) return [];
  return [{ path: [...path, 'jwksUri'], message: 'must be https, or http on loopback' }];
}

function publicKeyFindings({ publicKey }: JwtIssuerConfig, path: ConfigPath): Finding[] {
  if (publicKey === undefined) return [];
  try {
    if (createPublicKey(publicKey).asymmetricKeyType !== undefined) return [];
  } catch {
    // Not a key at all: told below.
  }
  return [{ path: [...path, 'publicKey'], message: 'is not a public key in PEM form' }];
}

function grantFindings(config: TollgateConfig, issuer: JwtIssuerConfig, path: ConfigPath): Finding[] {
  const { organisations } = config;
  const seen = new Set<string>();
  return issuer.grants.flatMap((grant, index): Finding[] => {
    const grantPath = [...path, 'grants', index];
    const test = JSON.stringify([grant.claim, grant.value]);
    if (seen.has(test)) {
      return [{ path: grantPath, message: 'never matches: an earlier grant has the same claim and value' }];
    }
    seen.add(test);
    const organisation = grant.organisation ?? (issuer.claims.organisation === undefined ? 'default' : undefined);
    if (organisation !== undefined) {
      return membershipFindings(organisations, { organisation, team: grant.team }, grantPath);
    }
    const teams = new Set(Object.values(organisations).flatMap((declared) => Object.keys(declared.teams)));
    if (grant.team === undefined || teams.has(grant.team)) return [];
    return [undeclared([...grantPath, 'team'], 'team', grant.team, teams)];
  });
}
