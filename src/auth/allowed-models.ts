/** What both lists allow; an absent list allows all, and both absent give undefined. Both hold models' own names. */
export function allowedModels(
  own: readonly string[] | undefined,
  organisation: readonly string[] | undefined,
): ReadonlySet<string> | undefined {
  if (own === undefined) return organisation && new Set(organisation);
  if (organisation === undefined) return new Set(own);
  const limit = new Set(organisation);
  return new Set(own.filter((name) => limit.has(name)));
}
