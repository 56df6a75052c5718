import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';

/** Constraints that constrained decoding does not know; the model is told of them instead. */
const UNKNOWN = new Set([
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
  ...['maxItems', 'uniqueItems', 'minContains', 'maxContains', 'minProperties', 'maxProperties'],
]);
const SCHEMAS = new Set(['items', 'anyOf', 'allOf', 'oneOf', 'prefixItems', 'not']);
const SCHEMA_MAPS = new Set(['properties', '$defs', 'definitions']);

export interface OutputSchema {
  readonly schema: JsonObject;
  /** True when constraints became words. */
  readonly isLoosened: boolean;
}

/** A schema as structured output takes it: every object closed unless it says otherwise, unknown constraints as words. */
export function outputSchema(schema: JsonObject): OutputSchema {
  const found = { isLoosened: false };
  const converted = convertObject(schema, found);
  return { schema: converted, isLoosened: found.isLoosened };
}

type Found = { isLoosened: boolean };

function convert(schema: JsonValue, found: Found): JsonValue {
  if (Array.isArray(schema)) return schema.map((item) => convert(item, found));
  return isJsonObject(schema) ? convertObject(schema, found) : schema;
}

function convertObject(schema: JsonObject, found: Found): JsonObject {
  const converted: JsonObject = {};
  const words: string[] = [];
  for (const [key, value] of Object.entries(schema)) {
    if (value === undefined) continue;
    const isUnknown = UNKNOWN.has(key) || (key === 'minItems' && value !== 0 && value !== 1);
    if (isUnknown) words.push(`${key}: ${JSON.stringify(value)}`);
    else
      converted[key] = SCHEMA_MAPS.has(key)
        ? convertEach(value, found)
        : SCHEMAS.has(key)
          ? convert(value, found)
          : value;
  }
  const isObject = schema['type'] === 'object' || isJsonObject(schema['properties']);
  if (isObject && converted['additionalProperties'] === undefined) converted['additionalProperties'] = false;
  if (words.length === 0) return converted;
  found.isLoosened = true;
  const description = typeof converted['description'] === 'string' ? `${converted['description']} ` : '';
  return { ...converted, description: `${description}{${words.join(', ')}}` };
}

function convertEach(map: JsonValue, found: Found): JsonValue {
  if (!isJsonObject(map)) return map;
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, convert(value ?? null, found)]));
}
