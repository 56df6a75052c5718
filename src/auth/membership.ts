import type { OrganisationConfig, TollgateConfig } from '../config/config.schema.js';

/** The organisation of keys and tokens that name none; every configuration in force has it. */
export const DEFAULT_ORGANISATION = 'default';

/** A declared organisation, undefined where there is none and, with a team, where it has no such team. */
export function findOrganisation(
  organisations: TollgateConfig['organisations'],
  name: string,
  team?: string,
): OrganisationConfig | undefined {
  const organisation = Object.hasOwn(organisations, name) ? organisations[name] : undefined;
  if (organisation === undefined || team === undefined) return organisation;
  return Object.hasOwn(organisation.teams, team) ? organisation : undefined;
}
