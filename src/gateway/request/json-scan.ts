import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Bounds of a body before it is parsed. */
export interface JsonLimits {
  /** Deepest nesting of objects and lists. */
  readonly maxDepth: number;
  /** Longest list of texts, objects or lists; lists of plain numbers are not counted. */
  readonly maxArrayLength: number;
}

/** Index of the quote that ends the string whose first character is at `from`; the length where none does. */
function stringEnd(bytes: Buffer, from: number): number {
  let quote = bytes.indexOf(QUOTE, from);
  while (quote > 0) {
    let backslashes = 0;
    while (bytes[quote - 1 - backslashes] === BACKSLASH && quote - 1 - backslashes >= from) backslashes += 1;
    if (backslashes % 2 === 0) return quote;
    quote = bytes.indexOf(QUOTE, quote + 1);
  }
  return bytes.length;
}

/**
 * One pass over the bytes, before JSON.parse: parsing deep or very long input costs more than it may (a depth of
 * 100,000 parses, and then breaks JSON.stringify), so it is refused unparsed. Throws `invalid_value`.
 */
function scanJson(bytes: Buffer, limits: JsonLimits): void {
  const { maxDepth, maxArrayLength } = limits;
  const counts = new Int32Array(maxDepth + 1).fill(-1);
  let depth = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (byte === QUOTE) {
      countEntry(counts, depth, maxArrayLength);
      index = stringEnd(bytes, index + 1);
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      countEntry(counts, depth, maxArrayLength);
      depth += 1;
      if (depth > maxDepth) {
        throw new GatewayError('invalid_value', { message: `The body is nested deeper than ${maxDepth} levels.` });
      }
      counts[depth] = byte === OPEN_BRACKET ? 0 : -1;
    } else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && depth > 0) {
      depth -= 1;
    }
  }
}

/** Counts an entry of the list at `depth`; a count of -1 marks an object. */
function countEntry(counts: Int32Array, depth: number, maxArrayLength: number): void {
  const count = counts[depth];
  if (count === undefined || count < 0) return;
  if (count >= maxArrayLength) {
    throw new GatewayError('invalid_value', { message: `A list in the body has more than ${maxArrayLength} entries.` });
  }
  counts[depth] = count + 1;
}

/** True when an own key `__proto__` is anywhere in the value. */
function hasPrototypeKey(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasPrototypeKey);
  if (!isJsonObject(value)) return false;
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototypeKey);
}

/** A body as a JSON object. Throws `invalid_json` or `invalid_value`. */
export function parseJsonBody(bytes: Buffer, limits: JsonLimits): JsonObject {
  scanJson(bytes, limits);
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new GatewayError('invalid_json', { cause, message: 'The body is not valid JSON.' });
  }
  if (!isJsonObject(value)) throw new GatewayError('invalid_json', { message: 'The body must be a JSON object.' });
  const suspicious = text.includes('__proto__') || /\\u00(5f|70|72|6f|74)/i.test(text);
  if (suspicious && hasPrototypeKey(value)) {
    throw new GatewayError('invalid_value', { message: 'The body has a key named "__proto__"; rename it.' });
  }
  return value;
}
