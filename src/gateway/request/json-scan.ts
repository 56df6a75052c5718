import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Bounds of a body before it is parsed. */
export interface JsonLimits {
  /** Deepest nesting of objects and lists. */
  readonly maxDepth: number;
  /**
   * Longest list of texts, objects or lists, and most fields of an object; ten times as many may be in the whole body.
   * Plain numbers in lists are not counted with them, but a hundred times as many values is the end.
   */
  readonly maxArrayLength: number;
}

/** How many times `maxArrayLength` entries the whole body may have … */
const ENTRIES_FACTOR = 10;
/** … and how many times as many values of any kind. */
const VALUES_FACTOR = 100;

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
 * 100,000 parses, and then breaks JSON.stringify; two million fields hold up the event loop for seconds), so it is
 * refused unparsed. Throws `invalid_value`.
 */
function scanJson(bytes: Buffer, limits: JsonLimits): void {
  const { maxDepth } = limits;
  const tally = new Tally(limits);
  let depth = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (byte === QUOTE) {
      tally.inList(depth);
      index = stringEnd(bytes, index + 1);
    } else if (byte === COMMA) {
      tally.value();
    } else if (byte === COLON) {
      tally.field(depth);
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      tally.inList(depth);
      depth += 1;
      if (depth > maxDepth) throw tooMuch(`The body is nested deeper than ${maxDepth} levels.`);
      tally.open(depth, byte === OPEN_BRACKET);
    } else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && depth > 0) {
      depth -= 1;
    }
  }
}

/** Counts what is in the open lists and objects, and in the whole body. */
class Tally {
  /** Entries of the list or fields of the object that is open at a depth. */
  private readonly counts: Int32Array;
  private readonly lists: Uint8Array;
  private entries = 0;
  private values = 0;

  constructor(private readonly limits: JsonLimits) {
    this.counts = new Int32Array(limits.maxDepth + 1);
    this.lists = new Uint8Array(limits.maxDepth + 1);
  }

  open(depth: number, isList: boolean): void {
    this.counts[depth] = 0;
    this.lists[depth] = isList ? 1 : 0;
  }

  /** A text, a list or an object begins; it is an entry where a list is open. */
  inList(depth: number): void {
    if (this.lists[depth] === 1) this.count(depth, 'A list in the body has more than', 'entries');
  }

  field(depth: number): void {
    if (depth > 0) this.count(depth, 'An object in the body has more than', 'fields');
  }

  value(): void {
    this.values += 1;
    const most = this.limits.maxArrayLength * VALUES_FACTOR;
    if (this.values > most) throw tooMuch(`The body has more than ${most} values.`);
  }

  private count(depth: number, subject: string, noun: string): void {
    const { maxArrayLength } = this.limits;
    const count = (this.counts[depth] ?? 0) + 1;
    if (count > maxArrayLength) throw tooMuch(`${subject} ${maxArrayLength} ${noun}.`);
    this.counts[depth] = count;
    this.entries += 1;
    const most = maxArrayLength * ENTRIES_FACTOR;
    if (this.entries > most) throw tooMuch(`The body has more than ${most} entries in all.`);
  }
}

function tooMuch(message: string): GatewayError {
  return new GatewayError('invalid_value', { message });
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
  // Searching bytes for what hardly any body has costs a tenth of searching its text.
  const suspicious = bytes.includes('__proto__') || (bytes.includes('\\u00') && /\\u00(5f|70|72|6f|74)/i.test(text));
  if (suspicious && hasPrototypeKey(value)) {
    throw new GatewayError('invalid_value', { message: 'The body has a key named "__proto__"; rename it.' });
  }
  return value;
}
