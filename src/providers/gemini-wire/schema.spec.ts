import { GatewayError } from '../../contract/errors.js';
import type { JsonObject } from '../../contract/json.js';
import { toGeminiSchema } from './schema.js';

const param = 'tools[0].parameters';

/** The rewritten schema of one property, without the object around it. */
function property(schema: JsonObject, root: JsonObject = {}): unknown {
  const result = toGeminiSchema({ type: 'object', properties: { p: schema }, ...root }, { param });
  return (result?.['properties'] as JsonObject)['p'];
}

function refusal(schema: JsonObject): GatewayError {
  try {
    toGeminiSchema(schema, { param });
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error('the schema was accepted');
}

const node: JsonObject = { type: 'object', properties: { next: { $ref: '#/$defs/Node' } } };

describe('toGeminiSchema', () => {
  it.each<[string, JsonObject, unknown]>([
    [
      'J01: drops $schema and additionalProperties at any depth',
      {
        $schema: 's',
        type: 'object',
        properties: {
          a: { type: 'object', additionalProperties: { type: 'string' }, properties: { b: { type: 'string' } } },
        },
        additionalProperties: false,
      },
      { type: 'object', properties: { a: { type: 'object', properties: { b: { type: 'string' } } } } },
    ],
    ['J05: writes const as an enum', { const: 'active' }, { type: 'string', enum: ['active'] }],
    ['J06: writes a type with null as nullable', { type: ['string', 'null'] }, { type: 'string', nullable: true }],
    [
      'J06: keeps the enum of a nullable type',
      { type: ['string', 'null'], enum: ['a', 'b', null] },
      { type: 'string', nullable: true, enum: ['a', 'b'] },
    ],
    ['J06: keeps a lone null', { type: 'null' }, { type: 'null' }],
    [
      'J07: takes null out of anyOf',
      { title: 'T', anyOf: [{ type: 'string' }, { type: 'null' }] },
      { title: 'T', anyOf: [{ type: 'string' }], nullable: true },
    ],
    [
      'J08: writes several types as anyOf',
      { type: ['string', 'number', 'null'] },
      { anyOf: [{ type: 'string' }, { type: 'number' }], nullable: true },
    ],
    [
      'J09: writes several types without null as anyOf',
      { type: ['string', 'number'] },
      { anyOf: [{ type: 'string' }, { type: 'number' }] },
    ],
    ['J10: writes a numeric enum as text', { enum: [1, 2] }, { type: 'integer', format: 'enum', enum: ['1', '2'] }],
    ['writes a fractional enum as number', { enum: [1.5, 2] }, { type: 'number', format: 'enum', enum: ['1.5', '2'] }],
    ['J10: writes a boolean const as text', { const: true }, { type: 'boolean', format: 'enum', enum: ['true'] }],
    ['J10: writes a const of null as the type', { const: null }, { type: 'null' }],
    ['J11: infers the type of a text enum', { enum: ['a'] }, { type: 'string', enum: ['a'] }],
    [
      'J12: unwraps an allOf of one',
      { description: 'd', allOf: [{ type: 'string' }] },
      { description: 'd', type: 'string' },
    ],
    [
      'takes oneOf for anyOf',
      { oneOf: [{ type: 'string' }, { type: 'integer' }] },
      { anyOf: [{ type: 'string' }, { type: 'integer' }] },
    ],
    ['J13: keeps a nested empty object', { type: 'object', properties: {} }, { type: 'object' }],
    ['takes true for any value', { type: 'array', items: true }, { type: 'array', items: {} }],
  ])('%s', (_name, given, expected) => {
    expect(property(given)).toEqual(expected);
  });

  it.each(['$defs', 'definitions'])('J02: inlines references to %s and keeps their siblings', (holder) => {
    const definitions = { City: { type: 'string', description: 'a city' } };
    const result = toGeminiSchema(
      {
        type: 'object',
        properties: { to: { $ref: `#/${holder}/City`, description: 'where to' } },
        [holder]: definitions,
      },
      { param },
    );
    expect(result).toEqual({ type: 'object', properties: { to: { type: 'string', description: 'where to' } } });
  });

  it('J03: inlines references between definitions', () => {
    const root = { $defs: { A: { type: 'array', items: { $ref: '#/$defs/B' } }, B: { type: 'integer' } } };
    expect(property({ $ref: '#/$defs/A' }, root)).toEqual({ type: 'array', items: { type: 'integer' } });
  });

  it('inlines one definition twice', () => {
    const root = { $defs: { A: { type: 'integer' } } };
    expect(property({ anyOf: [{ $ref: '#/$defs/A' }, { type: 'array', items: { $ref: '#/$defs/A' } }] }, root)).toEqual(
      {
        anyOf: [{ type: 'integer' }, { type: 'array', items: { type: 'integer' } }],
      },
    );
  });

  it.each<[string, JsonObject]>([
    ['J03: recursion', { $ref: '#/$defs/Node', $defs: { Node: node } }],
    ['J04: a missing definition', { type: 'object', properties: { a: { $ref: '#/$defs/Nope' } } }],
    [
      'a key of the prototype as definition',
      { type: 'object', properties: { a: { $ref: '#/$defs/toString' } }, $defs: {} },
    ],
    ['J04: a reference elsewhere', { $ref: 'https://schemas.example/a.json' }],
    ['J10: a mixed enum', { enum: ['a', 1] }],
    ['an enum of objects', { enum: [{}] }],
    ['J12: an allOf of two', { allOf: [{ type: 'string' }, { minLength: 1 }] }],
    ['J15: properties of the wrong type', { type: 'object', properties: [] }],
    ['J15: items of the wrong type', { type: 'array', items: 'string' }],
    ['anyOf of the wrong type', { anyOf: {} }],
    ['a type that is no text', { type: [1] }],
  ])('%s is refused', (_name, schema) => {
    expect(refusal(schema)).toMatchObject({ code: 'invalid_value', status: 400, param });
  });

  it('refuses definitions that grow beyond measure', () => {
    const definitions: JsonObject = { D0: { type: 'string' } };
    for (let level = 1; level <= 20; level += 1) {
      const inner = { $ref: `#/$defs/D${level - 1}` };
      definitions[`D${level}`] = { type: 'object', properties: { a: inner, b: inner } };
    }
    expect(refusal({ $ref: '#/$defs/D20', $defs: definitions }).message).toContain('too deep or too large');
  });

  it('J13: leaves an empty object out at the root', () => {
    expect(toGeminiSchema({ type: 'object', properties: {}, additionalProperties: false }, { param })).toBeUndefined();
  });

  it('J14: tells the order of properties when asked, and keeps one that is given', () => {
    const schema: JsonObject = {
      type: 'object',
      properties: {
        b: { type: 'string' },
        a: { type: 'object', propertyOrdering: ['d', 'c'], properties: { c: {}, d: {} } },
      },
    };
    const before = structuredClone(schema);
    expect(toGeminiSchema(schema, { param, ordered: true })).toMatchObject({
      propertyOrdering: ['b', 'a'],
      properties: { a: { propertyOrdering: ['d', 'c'] } },
    });
    expect(schema).toEqual(before);
  });

  it('names the constraints it drops', () => {
    const dropped: string[] = [];
    const schema = {
      type: 'object',
      properties: { n: { type: 'number', multipleOf: 2 } },
      additionalProperties: false,
    };
    toGeminiSchema(schema, { param, onDropped: (keyword) => dropped.push(keyword) });
    expect(dropped).toEqual(['multipleOf']);
  });
});
