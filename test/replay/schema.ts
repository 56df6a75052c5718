import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';

/** What an answer is, in the words of the public schema. */
export type AnswerKind = 'openai.chat' | 'openai.chunk' | 'openai.embeddings' | 'openai.error';

/** The public document's name in its folder. */
export const SCHEMA_FILE = 'openai.openapi.json';

const SCHEMAS = {
  'openai.chat': 'CreateChatCompletionResponse',
  'openai.chunk': 'CreateChatCompletionStreamResponse',
  'openai.embeddings': 'CreateEmbeddingResponse',
  'openai.error': 'ErrorResponse',
} as const satisfies Record<AnswerKind, string>;

/** Keywords whose values are data, not schemas. */
const LITERAL = new Set(['example', 'examples', 'default', 'enum', 'const', 'x-oaiMeta', 'description']);

type Schema = Record<string, unknown>;

/**
 * Validates answers against the public OpenAPI document of a folder, less what real traffic itself violates: the same
 * judgement as the folder's own `validate.mjs`, compiled once instead of once an answer.
 */
export class PublicSchema {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false, logger: false });
  private readonly compiled = new Map<AnswerKind, ValidateFunction>();
  private readonly known: Readonly<Record<string, Readonly<Record<string, number>>>>;

  constructor(directory: string) {
    const document = JSON.parse(readFileSync(join(directory, SCHEMA_FILE), 'utf8')) as Schema;
    this.ajv.addSchema({ $id: 'openai', components: repaired(document['components']) });
    const baseline = join(directory, 'known-false-positives.json');
    const parsed = existsSync(baseline) ? (JSON.parse(readFileSync(baseline, 'utf8')) as { known: never }) : undefined;
    this.known = parsed?.known ?? {};
  }

  /** What is wrong with an answer; empty = nothing. */
  problems(kind: AnswerKind, value: unknown): string[] {
    const validate = this.validator(kind);
    if (validate(value)) return [];
    return (validate.errors ?? [])
      .filter(({ keyword }) => !['anyOf', 'oneOf', 'if'].includes(keyword))
      .filter((error) => this.known[kind]?.[normalised(error)] === undefined)
      .map(({ instancePath, message, params }) => `${kind}${instancePath} ${message} ${JSON.stringify(params)}`);
  }

  private validator(kind: AnswerKind): ValidateFunction {
    let validate = this.compiled.get(kind);
    if (validate === undefined) {
      validate = this.ajv.compile({ $ref: `openai#/components/schemas/${SCHEMAS[kind]}` });
      this.compiled.set(kind, validate);
    }
    return validate;
  }
}

function normalised({ instancePath, message, params }: ErrorObject): string {
  const path = instancePath.replace(/\/\d+(?=\/|$)/g, '/*');
  return `${path} :: ${message} :: ${JSON.stringify(params)}`.slice(0, 240);
}

/** The document mixes the `nullable` of OpenAPI 3.0 into 3.1; it is rewritten into what JSON Schema knows. */
function repaired(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(repaired);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).map(
    ([key, value]) => [key, LITERAL.has(key) ? value : repaired(value)] as const,
  );
  const schema: Schema = Object.fromEntries(entries);
  delete schema['discriminator'];
  for (const bound of ['exclusiveMinimum', 'exclusiveMaximum']) {
    if (typeof schema[bound] === 'boolean') delete schema[bound];
  }
  if (typeof schema['nullable'] !== 'boolean') return schema;
  const { nullable, ...rest } = schema;
  return nullable === true ? orNull(rest) : rest;
}

function orNull(schema: Schema): Schema {
  const values = schema['enum'];
  if (typeof schema['type'] === 'string') {
    const withNull = Array.isArray(values) && !values.includes(null) ? { enum: [...(values as unknown[]), null] } : {};
    return { ...schema, type: [schema['type'], 'null'], ...withNull };
  }
  for (const union of ['anyOf', 'oneOf'] as const) {
    const members = schema[union];
    if (Array.isArray(members)) return { ...schema, [union]: [...(members as unknown[]), { type: 'null' }] };
  }
  return schema['$ref'] !== undefined || schema['allOf'] !== undefined ? { anyOf: [schema, { type: 'null' }] } : schema;
}
