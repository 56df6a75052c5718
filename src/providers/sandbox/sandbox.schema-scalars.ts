import type { JsonObject, JsonValue } from '../../contract/json.js';
import type { Random } from './sandbox.random.js';

const FORMATS: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  'date-time': '2026-01-31T12:00:00Z',
  time: '12:00:00Z',
  duration: 'PT1H',
  email: 'someone@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  'uri-reference': '/path',
  uuid: '123e4567-e89b-42d3-a456-426614174000',
};

const MAX_LENGTH = 10_000;

/** A string within the schema's lengths, or of its format; else the name of the place it is for. */
export function stringFor({ format, minLength, maxLength }: JsonObject, name: string): string {
  const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (known !== undefined) return known;
  const shortest = typeof minLength === 'number' ? Math.min(minLength, MAX_LENGTH) : 0;
  const longest = typeof maxLength === 'number' ? maxLength : MAX_LENGTH;
  return [...name.padEnd(shortest, 'x')].slice(0, longest).join('');
}

/** A number within the schema's bounds; near 0 to 100 where it has none. */
export function numberFor(schema: JsonObject, random: Random, isInteger: boolean): number {
  const step = stepOf(schema, isInteger);
  const low = lowest(schema, step);
  const high = highest(schema, step);
  const bottom = Math.ceil((low ?? Math.min(0, (high ?? 0) - 100 * step)) / step);
  const top = Math.floor((high ?? (bottom + 100) * step) / step);
  if (bottom > top) return low !== undefined && high !== undefined && !isInteger ? (low + high) / 2 : bottom * step;
  const chosen = bottom + Math.floor(random() * (top - bottom + 1));
  // Dividing by the whole inverse keeps steps like 0.1 free of binary dust.
  const inverse = Math.round(1 / step);
  return step < 1 && Math.abs(inverse * step - 1) < 1e-9 ? chosen / inverse : chosen * step;
}

function stepOf(schema: JsonObject, isInteger: boolean): number {
  const { multipleOf } = schema;
  const multiple = typeof multipleOf === 'number' && multipleOf > 0 ? multipleOf : undefined;
  if (isInteger) return Math.max(1, multiple ?? 1);
  if (multiple !== undefined) return multiple;
  const room = highest(schema, 0) ?? NaN;
  const width = room - (lowest(schema, 0) ?? NaN);
  return width > 0 && width <= 1 ? width / 4 : 0.5;
}

/** The least number allowed; an exclusive bound moves one step in. */
function lowest({ minimum, exclusiveMinimum }: JsonObject, step: number): number | undefined {
  const bounds = numbersAmong([minimum, inward(exclusiveMinimum, step)]);
  return bounds.length === 0 ? undefined : Math.max(...bounds);
}

function highest({ maximum, exclusiveMaximum }: JsonObject, step: number): number | undefined {
  const bounds = numbersAmong([maximum, inward(exclusiveMaximum, -step)]);
  return bounds.length === 0 ? undefined : Math.min(...bounds);
}

function inward(bound: JsonValue | undefined, step: number): number | undefined {
  if (typeof bound !== 'number') return undefined;
  if (step === 0) return bound;
  const size = Math.abs(step);
  return step > 0 ? Math.floor(bound / size + 1) * size : Math.ceil(bound / size - 1) * size;
}

function numbersAmong(values: readonly (JsonValue | undefined)[]): number[] {
  return values.filter((value) => typeof value === 'number');
}
