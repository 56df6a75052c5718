import type { z } from 'zod';
import type { ConfigPath, Finding } from './config.problem.js';
import type { JsonSchema } from './json-schema.js';
import { nearest } from './nearest.js';

type Issue = z.core.$ZodIssue;

/** What a schema's refusal says to a person: one finding an issue, with the nearest allowed name as hint. */
export function schemaFindings(issues: readonly Issue[], schema: JsonSchema, document: unknown): Finding[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    return issueFindings(issue, path, () => namesAt(schema, document, path));
  });
}

function issueFindings(issue: Issue, path: ConfigPath, names: () => readonly string[]): Finding[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, names()));
    case 'invalid_key':
      return [{ path, message: issue.issues[0]?.message ?? 'the name is not allowed', atKey: true }];
    case 'invalid_union':
      return [{ path, ...unionFault(issue) }];
    case 'invalid_type':
      return [{ path, ...typeFault(issue.expected, issue.message) }];
    case 'invalid_value':
      return [{ path, message: `expected one of ${issue.values.map(String).join(', ')}` }];
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'too_big':
    case 'too_small':
      return [{ path, message: lowerFirst(issue.message) }];
  }
}

function unknownKey(key: string, path: ConfigPath, names: readonly string[]): Finding {
  const meant = nearest(key, names);
  const allowed = names.length > 0 ? `allowed here: ${names.join(', ')}` : undefined;
  const hint = meant === undefined ? allowed : `did you mean "${meant}"?`;
  return { path: [...path, key], message: 'unknown key', atKey: true, ...(hint !== undefined && { hint }) };
}

function unionFault(issue: Extract<Issue, { code: 'invalid_union' }>): Pick<Finding, 'message' | 'hint'> {
  if ('options' in issue && Array.isArray(issue.options)) {
    return { message: `expected one of ${issue.options.map(String).join(', ')}` };
  }
  const branches = issue.errors.map((branch) => branch[0]);
  const types = branches.flatMap((inner) => (inner?.code === 'invalid_type' ? [inner.expected] : []));
  if (types.length === branches.length && types.length > 0) return { message: `expected ${types.join(' or ')}` };
  const other = branches.find((inner) => inner && inner.code !== 'invalid_type');
  return { message: lowerFirst(other?.message ?? issue.message) };
}

function typeFault(expected: string, message: string): Pick<Finding, 'message' | 'hint'> {
  const received = /received (.+)$/.exec(message)?.[1];
  if (received === 'undefined') return { message: 'is required' };
  const text = `expected ${expected}${received === undefined ? '' : `, not ${received}`}`;
  const isUnquoted = expected === 'string' && (received === 'number' || received === 'boolean');
  return isUnquoted ? { message: text, hint: 'put the value in quotes' } : { message: text };
}

function lowerFirst(message: string): string {
  const text = message.replace(/^Invalid input: /, '');
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

/** The keys the schema allows at a place; where a provider's kind decides, those of the kind the document names. */
function namesAt(schema: JsonSchema, document: unknown, path: ConfigPath): readonly string[] {
  let current: JsonSchema | undefined = schema;
  let value = document;
  for (const step of path) {
    if (!current) return [];
    value = typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[step] : undefined;
    current = variant(childSchema(current, step), value);
  }
  return Object.keys(current?.properties ?? {});
}

function childSchema(schema: JsonSchema, step: string | number): JsonSchema | undefined {
  if (typeof step === 'number') return schema.items;
  if (schema.properties && Object.hasOwn(schema.properties, step)) return schema.properties[step];
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

function variant(schema: JsonSchema | undefined, value: unknown): JsonSchema | undefined {
  if (!schema?.oneOf) return schema;
  const kind = typeof value === 'object' && value !== null ? (value as Record<string, unknown>).kind : undefined;
  return schema.oneOf.find((option) => option.properties?.kind?.const === kind);
}
