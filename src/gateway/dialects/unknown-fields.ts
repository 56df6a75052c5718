import { z } from 'zod';
import { isJsonObject } from '../../contract/json.js';

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0);

/** The alternative of a union a value was meant for; undefined where none is an object or a list. */
function alternativeOf(union: z.core.$ZodUnion, value: unknown): z.core.$ZodType | undefined {
  const { discriminator } = union._zod.def as { readonly discriminator?: string };
  return union._zod.def.options.find((option) => {
    if (option instanceof z.ZodArray) return Array.isArray(value);
    if (!(option instanceof z.ZodObject) || !isJsonObject(value)) return false;
    if (discriminator === undefined) return true;
    const tag = option.shape[discriminator] as z.core.$ZodType | undefined;
    return tag !== undefined && z.safeParse(tag, value[discriminator]).success;
  });
}

/**
 * Paths of the fields in `value` that its schema does not name, however deep; fields that hold nothing are passed over.
 * Values of free form (records, any JSON) are not looked into.
 */
export function unknownFields(schema: z.core.$ZodType, value: unknown, path: string): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    return isEmpty(value) ? [] : unknownFields(schema._zod.def.innerType, value, path);
  }
  if (schema instanceof z.ZodUnion) {
    const chosen = alternativeOf(schema, value);
    return chosen === undefined ? [] : unknownFields(chosen, value, path);
  }
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    const { element } = schema._zod.def;
    return value.flatMap((entry, index) => unknownFields(element, entry, `${path}[${index}]`));
  }
  if (!(schema instanceof z.ZodObject) || !isJsonObject(value)) return [];
  const { shape } = schema;
  return Object.entries(value).flatMap(([name, inner]) => {
    if (isEmpty(inner)) return [];
    const known = shape[name] as z.core.$ZodType | undefined;
    return known === undefined ? [`${path}.${name}`] : unknownFields(known, inner, `${path}.${name}`);
  });
}
