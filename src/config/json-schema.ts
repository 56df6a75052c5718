import { z } from 'zod';
import { configSchema } from './config.schema.js';
import type { ProviderKindDescriptor } from './config.schema.js';

/** The part of JSON Schema 2020-12 that a configuration's schema uses. */
export interface JsonSchema {
  $id?: string;
  $schema?: string;
  title?: string;
  type?: string;
  const?: unknown;
  enum?: readonly unknown[];
  description?: string;
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  required?: readonly string[];
  additionalProperties?: JsonSchema | boolean;
  propertyNames?: JsonSchema;
  items?: JsonSchema;
  anyOf?: readonly JsonSchema[];
  oneOf?: readonly JsonSchema[];
  [keyword: string]: unknown;
}

/** What stands for a value that is known only when the gateway starts. */
const REFERENCE: JsonSchema = {
  type: 'string',
  pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}|^file:.',
  description: 'A ${NAME}, ${NAME:-default} or file:path reference.',
};

/**
 * JSON Schema 2020-12 of the configuration file as a person writes it: defaults are optional, and every constrained
 * scalar may be a reference instead. For editors and for the Helm chart.
 */
export function configJsonSchema(kinds: readonly ProviderKindDescriptor[]): JsonSchema {
  const schema = inputSchema(kinds);
  return { ...withReferences(schema), title: 'Tollgate configuration' };
}

/** The same without references: the structure, for finding the names that are allowed at a place. */
export function inputSchema(kinds: readonly ProviderKindDescriptor[]): JsonSchema {
  return z.toJSONSchema(configSchema(kinds), { io: 'input', unrepresentable: 'any', reused: 'inline' }) as JsonSchema;
}

function withReferences(schema: JsonSchema): JsonSchema {
  const inner = { ...schema };
  if (schema.properties) {
    const entries = Object.entries(schema.properties).map(([name, property]) => [name, withReferences(property)]);
    inner.properties = Object.fromEntries(entries) as Record<string, JsonSchema>;
  }
  if (typeof schema.additionalProperties === 'object') {
    inner.additionalProperties = withReferences(schema.additionalProperties);
  }
  if (schema.items) inner.items = withReferences(schema.items);
  if (schema.anyOf) inner.anyOf = schema.anyOf.map(withReferences);
  if (schema.oneOf) inner.oneOf = schema.oneOf.map(withReferences);
  if (!isConstrainedScalar(schema)) return inner;
  const { description, default: fallback, ...scalar } = inner;
  return {
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
    anyOf: [scalar, REFERENCE],
  };
}

/** A provider's `kind` decides how the rest is read, so it is never a reference. */
function isConstrainedScalar(schema: JsonSchema): boolean {
  if (schema.const !== undefined) return false;
  if (schema.type === 'integer' || schema.type === 'number' || schema.type === 'boolean') return true;
  const constraints = ['pattern', 'minLength', 'maxLength', 'format', 'enum'];
  return schema.type === 'string' && constraints.some((keyword) => schema[keyword] !== undefined);
}
