import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import { mergeSchemas, resolveReference } from './sandbox.schema-merge.js';
import { numberFor, stringFor } from './sandbox.schema-scalars.js';
import type { Random } from './sandbox.random.js';

/*
 * Generates a value a JSON Schema accepts. It follows const, enum, type (lists too), properties, required, items,
 * prefixItems, minItems, minProperties, $ref, allOf, anyOf, oneOf, number bounds, string lengths and formats.
 * `pattern`, `not`, `if`, `contains` and `uniqueItems` are not followed.
 * Below SHALLOW_FROM it takes the smallest way out (no optional fields, the simplest alternative), so that recursive
 * schemas end; at DEEPEST, or after MAX_VALUES, it gives up with null.
 */

const SHALLOW_FROM = 4;
const DEEPEST = 24;
/** Values made for one schema at most: fields that refer to their own schema multiply. */
const MAX_VALUES = 2_000;
const SCALARS = ['null', 'boolean', 'integer', 'number', 'string'];

interface Place {
  readonly root: JsonObject;
  readonly random: Random;
  readonly depth: number;
  readonly budget: { left: number };
  /** Name of the property the value is for. */
  readonly name: string;
}

/** A value for the schema; `random` decides between what is equally right. */
export function generate(schema: JsonObject, random: Random): JsonValue {
  return valueFor(schema, { root: schema, random, depth: 0, name: 'value', budget: { left: MAX_VALUES } });
}

function valueFor(given: JsonValue | undefined, place: Place): JsonValue {
  if (place.depth > DEEPEST || place.budget.left-- <= 0 || !isJsonObject(given)) return null;
  const schema = flatten(given, place);
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return pick(schema.enum, place.random);
  switch (typeOf(schema, place)) {
    case 'object':
      return objectFor(schema, place);
    case 'array':
      return arrayFor(schema, place);
    case 'string':
      return stringFor(schema, place.name);
    case 'integer':
      return numberFor(schema, place.random, true);
    case 'number':
      return numberFor(schema, place.random, false);
    case 'boolean':
      return place.random() < 0.5;
    default:
      return null;
  }
}

/** The schema with its references followed and one alternative chosen. */
function flatten(given: JsonObject, place: Place): JsonObject {
  let schema = given;
  for (let step = 0; step < DEEPEST; step++) {
    const { $ref, allOf, anyOf, oneOf, ...rest } = schema;
    if (typeof $ref === 'string')
      schema = mergeSchemas({ ...rest, ...present({ allOf, anyOf, oneOf }) }, resolveReference(place.root, $ref));
    else if (Array.isArray(allOf))
      schema = allOf.filter(isJsonObject).reduce(mergeSchemas, { ...rest, ...present({ anyOf, oneOf }) });
    else if (Array.isArray(anyOf)) schema = mergeSchemas({ ...rest, ...present({ oneOf }) }, choose(anyOf, place));
    else if (Array.isArray(oneOf)) schema = mergeSchemas(rest, choose(oneOf, place));
    else return schema;
  }
  return schema;
}

function present(keywords: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(keywords).filter(([, value]) => value !== undefined));
}

/** The first alternative that is more than null; deep down the simplest. */
function choose(alternatives: readonly JsonValue[], place: Place): JsonObject {
  const schemas = alternatives.filter(isJsonObject);
  const isSimple = (schema: JsonObject): boolean =>
    schema.const !== undefined || schema.enum !== undefined || typesOf(schema).some((type) => SCALARS.includes(type));
  const chosen =
    place.depth >= SHALLOW_FROM
      ? (schemas.find(isSimple) ?? schemas.find(({ $ref }) => $ref === undefined))
      : schemas.find((schema) => schema.type !== 'null');
  return chosen ?? schemas[0] ?? {};
}

function typesOf({ type }: JsonObject): string[] {
  return (Array.isArray(type) ? type : [type]).filter((each) => typeof each === 'string');
}

function typeOf(schema: JsonObject, { depth }: Place): string {
  const types = typesOf(schema);
  const scalar = types.find((type) => SCALARS.includes(type));
  if (depth >= SHALLOW_FROM && scalar !== undefined) return types.includes('null') ? 'null' : scalar;
  return types.find((type) => type !== 'null') ?? types[0] ?? impliedType(schema);
}

function impliedType(schema: JsonObject): string {
  if (schema.properties !== undefined || schema.required !== undefined) return 'object';
  if (schema.items !== undefined || schema.prefixItems !== undefined) return 'array';
  if (schema.minimum !== undefined || schema.maximum !== undefined) return 'number';
  return 'string';
}

function objectFor(schema: JsonObject, place: Place): JsonObject {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const required = (Array.isArray(schema.required) ? schema.required : []).filter((name) => typeof name === 'string');
  const optional =
    place.depth < SHALLOW_FROM ? Object.keys(properties).filter((name) => properties[name] !== false) : [];
  const entries = [
    ...new Set([...Object.keys(properties).filter((name) => required.includes(name)), ...required, ...optional]),
  ].map((name): [string, JsonValue] => {
    const inner = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties;
    return [name, valueFor(isJsonObject(inner) ? inner : {}, { ...place, depth: place.depth + 1, name })];
  });
  const minimum = typeof schema.minProperties === 'number' ? schema.minProperties : 0;
  for (let index = 1; entries.length < Math.min(minimum, 100); index++) {
    const inner = isJsonObject(schema.additionalProperties) ? schema.additionalProperties : {};
    entries.push([`field${index}`, valueFor(inner, { ...place, depth: place.depth + 1, name: `field${index}` })]);
  }
  return Object.fromEntries(entries);
}

function arrayFor(schema: JsonObject, place: Place): JsonValue[] {
  const first = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
  const minimum = typeof schema.minItems === 'number' ? schema.minItems : 0;
  const maximum = typeof schema.maxItems === 'number' ? schema.maxItems : 100;
  const wanted = place.depth < SHALLOW_FROM && schema.items !== false ? Math.max(1, first.length) : 0;
  const length = Math.min(Math.max(minimum, wanted), maximum, 1_000);
  return Array.from({ length }, (_, index) =>
    valueFor(first[index] ?? (isJsonObject(schema.items) ? schema.items : {}), { ...place, depth: place.depth + 1 }),
  );
}

function pick(values: readonly JsonValue[], random: Random): JsonValue {
  return values[Math.floor(random() * values.length)] ?? null;
}
