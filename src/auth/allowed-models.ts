import type { TollgateConfig } from '../config/config.schema.js';

/** Model names by every name a configuration may call them: their own and their aliases. */
export type ModelNames = ReadonlyMap<string, string>;

/** The names of a configuration's models; a name of its own wins over an alias. */
export function modelNames(models: TollgateConfig['models']): ModelNames {
  const names = new Map<string, string>();
  for (const [name, model] of Object.entries(models)) for (const alias of model.aliases) names.set(alias, name);
  for (const name of Object.keys(models)) names.set(name, name);
  return names;
}

/** What both lists allow, by the models' own names; an absent list allows all, and both absent give undefined. */
export function allowedModels(
  names: ModelNames,
  own: readonly string[] | undefined,
  organisation: readonly string[] | undefined,
): ReadonlySet<string> | undefined {
  const canonical = (list: readonly string[]): Set<string> => new Set(list.map((name) => names.get(name) ?? name));
  if (own === undefined) return organisation && canonical(organisation);
  if (organisation === undefined) return canonical(own);
  const limit = canonical(organisation);
  return new Set([...canonical(own)].filter((name) => limit.has(name)));
}
