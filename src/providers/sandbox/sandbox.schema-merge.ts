import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';

/** A schema that accepts what both accept, as far as bounds, properties and required fields go; else the second wins. */
export function mergeSchemas(left: JsonObject, right: JsonObject): JsonObject {
  const merged: JsonObject = { ...left, ...right };
  for (const key of ['properties', '$defs', 'definitions']) {
    const [one, other] = [left[key], right[key]];
    if (isJsonObject(one) && isJsonObject(other)) merged[key] = { ...one, ...other };
  }
  for (const key of ['required', 'allOf']) {
    const [one, other] = [left[key], right[key]];
    if (Array.isArray(one) && Array.isArray(other)) merged[key] = [...one, ...other];
  }
  for (const key of ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']) {
    bound(merged, [left, right], { key, narrower: Math.max });
  }
  for (const key of ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']) {
    bound(merged, [left, right], { key, narrower: Math.min });
  }
  return merged;
}

function bound(
  merged: JsonObject,
  [left, right]: readonly [JsonObject, JsonObject],
  { key, narrower }: { key: string; narrower: (one: number, other: number) => number },
): void {
  const [one, other] = [left[key], right[key]];
  if (typeof one === 'number' && typeof other === 'number') merged[key] = narrower(one, other);
}

/** What a local reference ("#", "#/$defs/node") points to; {} where it leads nowhere. */
export function resolveReference(root: JsonObject, reference: string): JsonObject {
  if (!reference.startsWith('#')) return {};
  let found: JsonValue | undefined = root;
  for (const step of reference.slice(1).split('/').filter(Boolean)) {
    const key = decode(step).replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(found)) found = found[Number(key)];
    else found = isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }
  return isJsonObject(found) ? found : {};
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
