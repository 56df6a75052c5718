import type { JwtIssuerConfig, TollgateConfig } from './config.schema.js';
import type { Finding } from './config.problem.js';

/** Stands for every organisation or every team; no identifier can be written so. */
const ANY = '*';
/** Stands for callers without a team. */
const NONE = '';

type Membership = readonly [organisation: string, team: string];

/** Findings for limits of organisations and teams that no key and no token can belong to: they would never match. */
export function unreachableLimits(config: TollgateConfig): Finding[] {
  const memberships: Membership[] = [
    ...config.keys.map((key): Membership => [key.organisation, key.team ?? NONE]),
    ...config.auth.jwt.flatMap(issuerMemberships),
  ];
  const organisations = new Set(memberships.map(([organisation]) => organisation));
  const teams = new Set(memberships.map(([organisation, team]) => `${organisation}/${team}`));
  const reachesTeam = (organisation: string, team: string) =>
    [organisation, ANY].some((first) => [team, ANY].some((second) => teams.has(`${first}/${second}`)));

  return Object.entries(config.organisations).flatMap(([id, organisation]): Finding[] => {
    const path = ['organisations', id];
    if (!organisations.has(id) && !organisations.has(ANY)) {
      const teamLimits = Object.values(organisation.teams).some((team) => hasLimits(team.limits));
      if (!teamLimits && !hasLimits(organisation.limits)) return [];
      return [
        {
          path: hasLimits(organisation.limits) ? [...path, 'limits'] : path,
          message: 'the limits never match: no key and no issuer leads to this organisation',
          hint: `remove them, or give a key "organisation: ${id}"`,
        },
      ];
    }
    return Object.entries(organisation.teams).flatMap(([team, { limits }]): Finding[] => {
      if (!hasLimits(limits) || reachesTeam(id, team)) return [];
      return [
        {
          path: [...path, 'teams', team, 'limits'],
          message: 'the limits never match: no key and no issuer leads to this team',
          hint: `remove them, or give a key "team: ${team}"`,
        },
      ];
    });
  });
}

/** What the tokens of an issuer can belong to. With grants, a token without a matching one is refused. */
function issuerMemberships({ claims, grants }: JwtIssuerConfig): Membership[] {
  const organisation = claims.organisation === undefined ? 'default' : ANY;
  const team = claims.team === undefined ? NONE : ANY;
  if (grants.length === 0) return [[organisation, team]];
  return grants.map((grant) => [grant.organisation ?? organisation, grant.team ?? team]);
}

function hasLimits(limits: Readonly<Record<string, unknown>>): boolean {
  return Object.values(limits).some((limit) => limit !== undefined);
}

/** Findings for labels of keys that no deployment carries: every call of such a key would be refused. */
export function unmetLabels(config: TollgateConfig): Finding[] {
  const deployments = Object.values(config.models).flatMap((model) => model.deployments);
  const carried = new Set(deployments.flatMap(({ labels }) => labels));
  return config.keys.flatMap((key, index) =>
    key.labels.flatMap((label, place): Finding[] => {
      if (carried.has(label)) return [];
      const message = `no deployment carries the label "${label}", so the key could use none`;
      return [{ path: ['keys', index, 'labels', place], message, hint: 'give it to a deployment, or remove it here' }];
    }),
  );
}
