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

/** A bound of a schema; whatever is no number is none. */
type Bound = JsonValue | undefined;

/** A string within the schema's lengths, or of its format; else the name of the place it is for. */
export function stringFor({ format, minLength, maxLength }: JsonObject, name: string): string {
  const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (known !== undefined) return known;
  const shortest = typeof minLength === 'number' ? Math.min(minLength, MAX_LENGTH) : 0;
  const longest = typeof maxLength === 'number' ? maxLength : MAX_LENGTH;
  return [...name.padEnd(shortest, 'x')].slice(0, longest).join('');
}

/** A number within the schema's bounds; between 0 and 100 where it has none. */
export function numberFor(schema: JsonObject, random: Random, isInteger: boolean): number {
  const { multipleOf } = schema;
  const multiple = typeof multipleOf === 'number' && multipleOf > 0 ? multipleOf : undefined;
  if (isInteger) return onGrid(schema, random, Math.max(1, multiple ?? 1));
  return multiple === undefined ? between(schema, random) : onGrid(schema, random, multiple);
}

/** A multiple of the step; the least one in reach where none fits. */
function onGrid(schema: JsonObject, random: Random, step: number): number {
  const low = largest([ceiling(schema.minimum, step), above(schema.exclusiveMinimum, step)]);
  const high = smallest([floor(schema.maximum, step), below(schema.exclusiveMaximum, step)]);
  const bottom = low ?? Math.min(0, (high ?? 100) - 100);
  const chosen = bottom + Math.floor(random() * (Math.max(0, (high ?? bottom + 100) - bottom) + 1));
  // Dividing by the whole inverse keeps steps like 0.1 free of binary dust.
  const inverse = Math.round(1 / step);
  return step < 1 && Math.abs(inverse * step - 1) < 1e-9 ? chosen / inverse : chosen * step;
}

/** A number off the bounds, so that it does not matter whether they are exclusive. */
function between(schema: JsonObject, random: Random): number {
  const low = largest([schema.minimum, schema.exclusiveMinimum]);
  const high = smallest([schema.maximum, schema.exclusiveMaximum]);
  const quarters = 1 + Math.floor(random() * 3);
  if (low !== undefined && high !== undefined) return low < high ? low + ((high - low) * quarters) / 4 : low;
  if (low !== undefined) return low + quarters;
  return high === undefined ? quarters * 25 : high - quarters;
}

const ceiling = (bound: Bound, step: number): Bound => typeof bound === 'number' && Math.ceil(bound / step);
const floor = (bound: Bound, step: number): Bound => typeof bound === 'number' && Math.floor(bound / step);
const above = (bound: Bound, step: number): Bound => typeof bound === 'number' && Math.floor(bound / step) + 1;
const below = (bound: Bound, step: number): Bound => typeof bound === 'number' && Math.ceil(bound / step) - 1;

function largest(bounds: readonly Bound[]): number | undefined {
  const numbers = bounds.filter((bound) => typeof bound === 'number');
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

function smallest(bounds: readonly Bound[]): number | undefined {
  const numbers = bounds.filter((bound) => typeof bound === 'number');
  return numbers.length === 0 ? undefined : Math.min(...numbers);
}
