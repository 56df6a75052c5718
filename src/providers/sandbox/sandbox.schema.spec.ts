import { Ajv, type AnySchema } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonObject, JsonValue } from '../../contract/json.js';
import { hashOf, seededRandom } from './sandbox.random.js';
import { generate } from './sandbox.schema.js';

const FORMATS: Record<string, RegExp> = {
  date: /^\d{4}-\d\d-\d\d$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  time: /^\d\d:\d\d:\d\dZ$/,
  email: /^[^@\s]+@[^@\s]+\.[a-z]+$/,
  ipv4: /^\d+(\.\d+){3}$/,
  uri: /^https:\/\/\S+$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
};

function validator(schema: JsonObject): (value: JsonValue) => string[] {
  const ajv = 'prefixItems' in schema ? new Ajv2020({ strict: false }) : new Ajv({ strict: false });
  for (const [name, format] of Object.entries(FORMATS)) ajv.addFormat(name, format);
  const validate = ajv.compile(schema as AnySchema);
  return (value) =>
    validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const PERSON: JsonObject = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 3 },
    age: { type: 'integer', minimum: 18, maximum: 120 },
    mail: { type: 'string', format: 'email' },
    tags: { type: 'array', items: { type: 'string', maxLength: 2 }, minItems: 2 },
    level: { enum: ['low', 'high'] },
    fixed: { const: { a: [1] } },
    maybe: { type: ['string', 'null'] },
  },
  required: ['name', 'age', 'mail', 'tags', 'level', 'fixed', 'maybe'],
  additionalProperties: false,
};

const TREE: JsonObject = {
  $ref: '#/$defs/node',
  $defs: {
    node: {
      type: 'object',
      properties: {
        value: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
        children: { type: 'array', items: { $ref: '#/$defs/node' } },
        parent: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
      },
      required: ['value', 'children', 'parent'],
      additionalProperties: false,
    },
  },
};

const CASES: readonly (readonly [string, JsonObject])[] = [
  ['an object', PERSON],
  ['a recursive definition', TREE],
  [
    'a reference to the root',
    { type: 'object', properties: { next: { $ref: '#' }, id: { type: 'integer' } }, required: ['id'] },
  ],
  ['a reference with escaped characters', { $ref: '#/$defs/a~1b%20c', $defs: { 'a/b c': { type: 'boolean' } } }],
  [
    'anyOf objects',
    { anyOf: [{ type: 'object', properties: { a: { const: 1 } }, required: ['a'] }, { type: 'string' }] },
  ],
  [
    'oneOf beside properties',
    {
      type: 'object',
      properties: { kind: { type: 'string' } },
      required: ['kind'],
      oneOf: [{ properties: { size: { type: 'integer' } }, required: ['size'] }, { required: ['weight'] }],
    },
  ],
  [
    'allOf',
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'integer', minimum: 5 } }, required: ['a'] },
        { type: 'object', properties: { b: { type: 'string' } }, required: ['b'] },
      ],
    },
  ],
  [
    'bounds met twice',
    {
      allOf: [
        { type: 'integer', minimum: 5 },
        { minimum: 7, maximum: 7 },
      ],
    },
  ],
  ['a nullable anyOf with a bound beside', { anyOf: [{ type: 'null' }, { type: 'string' }], minLength: 9 }],
  ['an integer between neighbours', { type: 'integer', exclusiveMinimum: 3, exclusiveMaximum: 5 }],
  ['a negative integer', { type: 'integer', maximum: -3 }],
  ['a multiple', { type: 'integer', minimum: 1, multipleOf: 7 }],
  ['a multiple of a fraction', { type: 'number', minimum: 0.25, maximum: 2, multipleOf: 0.25 }],
  ['a number in a narrow range', { type: 'number', minimum: 0.11, maximum: 0.12 }],
  ['a number in a narrow open range', { type: 'number', exclusiveMinimum: 2, exclusiveMaximum: 2.1 }],
  ['a single number', { type: 'number', minimum: 1.3, maximum: 1.3 }],
  ['an array of a length', { type: 'array', items: { type: 'integer' }, minItems: 5, maxItems: 5 }],
  ['an array that must be empty', { type: 'array', items: { type: 'integer' }, maxItems: 0 }],
  ['a tuple', { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false, minItems: 2 }],
  ['a map', { type: 'object', additionalProperties: { type: 'integer' }, minProperties: 3 }],
  ['a required field without schema', { type: 'object', required: ['x'] }],
  ['an object named only by its properties', { properties: { a: { type: 'null' } }, required: ['a'] }],
  ['lengths', { type: 'string', minLength: 12, maxLength: 12 }],
  ['an empty schema', {}],
  [
    'every format',
    {
      type: 'object',
      properties: Object.fromEntries(Object.keys(FORMATS).map((format) => [format, { type: 'string', format }])),
      required: Object.keys(FORMATS),
    },
  ],
  [
    'deep required objects',
    {
      $ref: '#/$defs/l0',
      $defs: Object.fromEntries(
        Array.from({ length: 12 }, (_, depth) => [
          `l${depth}`,
          depth === 11
            ? { type: 'string' }
            : { type: 'object', properties: { x: { $ref: `#/$defs/l${depth + 1}` } }, required: ['x'] },
        ]),
      ),
    },
  ],
];

describe('generate', () => {
  it.each(CASES)('makes a value that fits %s', (_name, schema) => {
    const problemsOf = validator(schema);
    for (let seed = 0; seed < 20; seed++) {
      const value = generate(schema, seededRandom(seed));
      expect({ value, problems: problemsOf(value) }).toEqual({ value, problems: [] });
    }
  });

  it('makes the same value for the same seed', () => {
    const make = () => generate(PERSON, seededRandom(hashOf('x')));
    expect(make()).toEqual(make());
  });

  it('chooses between what an enum offers', () => {
    const schema: JsonObject = { enum: ['a', 'b', 'c'] };
    const made = new Set(Array.from({ length: 50 }, (_, seed) => generate(schema, seededRandom(seed))));
    expect([...made].sort()).toEqual(['a', 'b', 'c']);
  });

  it('ends for a schema whose required fields multiply without end', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const properties = Object.fromEntries(names.map((name) => [name, { $ref: '#' }]));
    const text = JSON.stringify(generate({ type: 'object', properties, required: names }, seededRandom(1)));
    expect(text.length).toBeLessThan(200_000);
  });

  it.each([
    ['a reference to itself', { $ref: '#' }],
    ['a reference to nowhere', { $ref: '#/$defs/none' }],
    ['a reference elsewhere', { $ref: 'https://example.com/schema' }],
    ['a reference with a broken escape', { $ref: '#/%' }],
    ['allOf of itself', { allOf: [{ $ref: '#' }, { $ref: '#' }] }],
    ['a contradiction', { type: 'integer', minimum: 5, maximum: 1 }],
    ['keywords of the wrong type', { type: 5, required: 'a', properties: [], enum: 3, minItems: 'x' }],
    ['inherited names', { $ref: '#/constructor/prototype' }],
  ] as [string, JsonObject][])('ends with some value for %s', (_name, schema) => {
    expect(() => JSON.stringify(generate(schema, seededRandom(1)))).not.toThrow();
  });

  it('keeps a field called __proto__ a field', () => {
    const properties = JSON.parse('{"__proto__": {"type": "integer"}}') as JsonObject;
    const value = generate({ type: 'object', properties, required: ['__proto__'] }, seededRandom(1));
    expect(JSON.stringify(value)).toMatch(/^\{"__proto__":\d+\}$/);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });
});
