import type { TollgateConfig } from './config.schema.js';
import { formatPath } from './config.problem.js';
import type { ConfigPath, Finding } from './config.problem.js';
import { nearest } from './nearest.js';

/** Every name by which a model may be asked for. */
export function modelNames({ models }: TollgateConfig): ReadonlySet<string> {
  return new Set(Object.entries(models).flatMap(([name, { aliases }]) => [name, ...aliases]));
}

/** A finding for a name that is not declared, with the nearest one that is. */
export function undeclared(path: ConfigPath, what: string, name: string, declared: Iterable<string>): Finding {
  const meant = nearest(name, declared);
  const message = `there is no ${what} "${name}"`;
  return meant === undefined ? { path, message } : { path, message, hint: `did you mean "${meant}"?` };
}

/** Findings for the names of an allow-list that are no model and no alias; an absent list allows all. */
export function allowListFindings(
  known: ReadonlySet<string>,
  models: readonly string[] | undefined,
  path: ConfigPath,
): Finding[] {
  return (models ?? []).flatMap((name, index) =>
    known.has(name) ? [] : [undeclared([...path, index], 'model', name, known)],
  );
}

/** Findings for an organisation, or a team in it, that is not declared. */
export function membershipFindings(
  organisations: TollgateConfig['organisations'],
  member: { readonly organisation: string; readonly team?: string | undefined },
  path: ConfigPath,
): Finding[] {
  const { organisation: id, team } = member;
  const organisation = Object.hasOwn(organisations, id) ? organisations[id] : undefined;
  if (!organisation) return [undeclared([...path, 'organisation'], 'organisation', id, Object.keys(organisations))];
  if (team === undefined || Object.hasOwn(organisation.teams, team)) return [];
  const finding = undeclared([...path, 'team'], 'team', team, Object.keys(organisation.teams));
  return [{ ...finding, message: `${finding.message} in the organisation "${id}"` }];
}

/** Findings for every text that was there before; the message does not repeat it, for it may be a secret. */
export function duplicateFindings(entries: readonly { text: string; path: ConfigPath }[], what: string): Finding[] {
  const seen = new Map<string, ConfigPath>();
  return entries.flatMap(({ text, path }) => {
    const first = seen.get(text);
    if (first === undefined) seen.set(text, path);
    return first === undefined ? [] : [{ path, message: `the same ${what} as ${formatPath(first)}` }];
  });
}
