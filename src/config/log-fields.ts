import { types } from 'node:util';

/** Deepest nesting that is written. */
const MAX_DEPTH = 5;
/** Longest list that is written. */
const MAX_ITEMS = 100;
/** Fields that hold headers or bodies in the objects of HTTP libraries; they are never written. */
const NEVER = /^(?:headers|rawHeaders|trailers|body|cookies?|authorization|api-?key|secret|pepper|password|token)$/i;

type Fields = Record<string, unknown>;

/**
 * The fields of a log line that may be written: plain data and errors. Of an error that is its name, message, code,
 * status, stack and cause; of any other instance of a class (a request, a response, a buffer) its class's name alone.
 */
export function describeFields(fields: Fields): Fields {
  return describeObject(fields, 0);
}

function describeObject(fields: Fields, depth: number): Fields {
  const described: Fields = {};
  for (const [name, value] of Object.entries(fields)) {
    if (!NEVER.test(name)) described[name] = describe(value, depth + 1);
  }
  return described;
}

function describe(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return '[deep]';
  if (isError(value)) return describeError(value, depth);
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => describe(item, depth + 1));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return describeObject(value as Fields, depth);
  return `[${value.constructor.name}]`;
}

function describeError(error: Error, depth: number): Fields {
  const { code, status } = error as { code?: unknown; status?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(isScalar(code) && { code }),
    ...(isScalar(status) && { status }),
    stack: error.stack,
    ...(error.cause !== undefined && { cause: describe(error.cause, depth + 1) }),
  };
}

/** Also of errors from another realm, such as a vm context. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
