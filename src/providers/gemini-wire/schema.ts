import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';

/** How a schema is rewritten, and what of it could not be kept. */
export interface SchemaOptions {
  /** Path of the schema in the caller's body, for errors. */
  readonly param: string;
  /** True = objects tell the order of their properties, which the model then follows in its answer. */
  readonly ordered?: boolean;
  /** Hears the name of each constraint the target has no word for. */
  readonly onDropped?: (keyword: string) => void;
}

/** Keywords of the OpenAPI subset whose values are copied as they are. */
const COPIED = new Set([
  ...['title', 'description', 'format', 'nullable', 'default', 'example', 'required', 'propertyOrdering', 'pattern'],
  ...['minItems', 'maxItems', 'minLength', 'maxLength', 'minimum', 'maximum', 'minProperties', 'maxProperties'],
]);

/** Keywords that constrain nothing, or are rewritten by a step of their own. */
const HANDLED = new Set([
  ...['$schema', '$id', '$comment', '$anchor', '$defs', 'definitions', '$ref', 'type', 'enum', 'const'],
  ...['properties', 'items', 'anyOf', 'oneOf', 'allOf', 'readOnly', 'writeOnly', 'deprecated', 'examples'],
]);

/** Inlined definitions can grow without bound; a real schema is far below this many nodes. */
const MAX_NODES = 10_000;
const MAX_DEPTH = 64;

interface Walk {
  readonly root: JsonObject;
  readonly options: SchemaOptions;
  readonly open: ReadonlySet<string>;
  readonly depth: number;
  readonly counter: { nodes: number };
}

/**
 * A JSON Schema as the OpenAPI subset of `parameters` and `responseSchema`: references inlined, `const` and numeric
 * enums as text, null as `nullable`. Undefined = an object without properties, which is left out at the root.
 * Throws `invalid_value` for what the subset cannot hold: recursion, references elsewhere, mixed enums.
 */
export function toGeminiSchema(schema: JsonObject, options: SchemaOptions): JsonObject | undefined {
  const walk: Walk = { root: schema, options, open: new Set(), depth: 0, counter: { nodes: 0 } };
  const result = rewrite(schema, walk);
  const isEmptyObject = result['type'] === 'object' && result['properties'] === undefined;
  return isEmptyObject || Object.keys(result).length === 0 ? undefined : result;
}

function fail(walk: Walk, message: string): GatewayError {
  return new GatewayError('invalid_value', { param: walk.options.param, message: `The schema ${message}` });
}

function rewrite(node: JsonObject, outer: Walk): JsonObject {
  const walk = { ...outer, depth: outer.depth + 1 };
  walk.counter.nodes += 1;
  if (walk.depth > MAX_DEPTH || walk.counter.nodes > MAX_NODES) {
    throw fail(walk, 'is too deep or too large once its references are inlined.');
  }
  if (node['$ref'] !== undefined) return inline(node, walk);
  if (node['allOf'] !== undefined) return unwrapAllOf(node, walk);
  const result = copied(node, walk);
  applyValues(node, result, walk);
  applyType(node, result, walk);
  applyProperties(node, result, walk);
  if (node['items'] !== undefined) result['items'] = rewrite(subschema(node['items'], 'items', walk), walk);
  applyUnion(node, result, walk);
  return result;
}

function copied(node: JsonObject, walk: Walk): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(node)) {
    if (COPIED.has(key)) result[key] = value;
    else if (!HANDLED.has(key) && value !== false) walk.options.onDropped?.(key);
  }
  return result;
}

/** Follows a local reference; its siblings win over what it names. */
function inline(node: JsonObject, walk: Walk): JsonObject {
  const { $ref: reference, ...siblings } = node;
  if (typeof reference !== 'string' || !reference.startsWith('#/')) {
    throw fail(walk, 'has a "$ref" that is not local; write "#/$defs/…".');
  }
  if (walk.open.has(reference))
    throw fail(walk, `refers to itself through ${reference}; this model takes no recursion.`);
  let target: JsonValue | undefined = walk.root;
  for (const step of reference.slice(2).split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    target = isJsonObject(target) && Object.hasOwn(target, key) ? target[key] : undefined;
  }
  if (!isJsonObject(target)) throw fail(walk, `refers to ${reference}, which does not exist.`);
  return rewrite({ ...target, ...siblings }, { ...walk, open: new Set([...walk.open, reference]) });
}

function unwrapAllOf(node: JsonObject, walk: Walk): JsonObject {
  const { allOf, ...siblings } = node;
  const [only, ...more] = Array.isArray(allOf) ? allOf : [];
  if (!isJsonObject(only) || more.length > 0) throw fail(walk, 'has an "allOf" of other than one schema; merge them.');
  return rewrite({ ...only, ...siblings }, walk);
}

function subschema(value: JsonValue, keyword: string, walk: Walk): JsonObject {
  if (value === true) return {};
  if (!isJsonObject(value)) throw fail(walk, `has "${keyword}" that is no schema.`);
  return value;
}

/** `enum` and `const`: the subset knows texts only, so numbers and booleans are written as text beside their type. */
function applyValues(node: JsonObject, result: JsonObject, walk: Walk): void {
  const given = node['const'] !== undefined ? [node['const']] : node['enum'];
  if (given === undefined) return;
  if (!Array.isArray(given)) throw fail(walk, 'has an "enum" that is no list.');
  const values = given.filter((value) => value !== null);
  if (values.length < given.length) result['nullable'] = true;
  const types = new Set(values.map((value) => typeof value));
  const [type] = types;
  if (type === undefined) {
    delete result['nullable'];
    result['type'] = 'null';
    return;
  }
  if (types.size > 1 || type === 'object') throw fail(walk, 'has an "enum" of mixed or structured values.');
  result['enum'] = values.map(String);
  result['type'] = type === 'number' && values.every(Number.isInteger) ? 'integer' : type;
  if (type !== 'string') result['format'] = 'enum';
}

function applyType(node: JsonObject, result: JsonObject, walk: Walk): void {
  const type = node['type'];
  if (type === undefined || result['type'] !== undefined) {
    if (Array.isArray(type) && type.includes('null')) result['nullable'] = true;
    return;
  }
  const types = Array.isArray(type) ? type : [type];
  if (types.some((entry) => typeof entry !== 'string')) throw fail(walk, 'has a "type" that is no text.');
  const solid = types.filter((entry) => entry !== 'null');
  if (solid.length === 0) result['type'] = 'null';
  else if (solid.length === 1) result['type'] = solid[0];
  else result['anyOf'] = solid.map((entry): JsonObject => ({ type: entry }));
  if (solid.length > 0 && solid.length < types.length) result['nullable'] = true;
}

function applyProperties(node: JsonObject, result: JsonObject, walk: Walk): void {
  const properties = node['properties'];
  if (properties === undefined) return;
  if (!isJsonObject(properties)) throw fail(walk, 'has "properties" that are no object.');
  const entries = Object.entries(properties).map(([name, value]): [string, JsonObject] => [
    name,
    rewrite(subschema(value ?? null, `properties.${name}`, walk), walk),
  ]);
  if (entries.length === 0) return;
  result['type'] ??= 'object';
  result['properties'] = Object.fromEntries(entries);
  if (walk.options.ordered === true) result['propertyOrdering'] ??= entries.map(([name]) => name);
}

/** `anyOf` and `oneOf`; a null among them makes the whole nullable. */
function applyUnion(node: JsonObject, result: JsonObject, walk: Walk): void {
  if (node['oneOf'] !== undefined) walk.options.onDropped?.('oneOf');
  const given = node['anyOf'] ?? node['oneOf'];
  if (given === undefined) return;
  if (!Array.isArray(given)) throw fail(walk, 'has an "anyOf" that is no list.');
  const members = given.map((member) => rewrite(subschema(member, 'anyOf', walk), walk));
  const solid = members.filter((member) => member['type'] !== 'null');
  if (solid.length === 0) result['type'] = 'null';
  else result['anyOf'] = solid;
  if (solid.length > 0 && solid.length < members.length) result['nullable'] = true;
}
