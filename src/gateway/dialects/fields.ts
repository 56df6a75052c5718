import { GatewayError } from '../../contract/errors.js';
import type { JsonObject } from '../../contract/json.js';

/** Bounds of a numeric field. */
interface NumberRule {
  readonly integer: boolean;
  readonly min: number;
  readonly max: number;
}

/** Numeric fields of a dialect, by name. */
export type NumberRules = Readonly<Record<string, NumberRule>>;

/** An error that names the field at fault. */
export function invalidValue(param: string, message: string): GatewayError {
  return new GatewayError('invalid_value', { param, message });
}

/** Checks the numeric fields a body has; null counts as absent. Throws `invalid_value`. */
export function checkNumbers(body: JsonObject, rules: NumberRules): void {
  for (const name in rules) {
    const value = body[name];
    const rule = rules[name];
    if (value === undefined || value === null || rule === undefined) continue;
    if (typeof value !== 'number' || !Number.isFinite(value)) throw invalidValue(name, `"${name}" must be a number.`);
    if (rule.integer && !Number.isSafeInteger(value)) throw invalidValue(name, `"${name}" must be a whole number.`);
    if (value < rule.min || value > rule.max) {
      throw invalidValue(name, `"${name}" must be between ${rule.min} and ${rule.max}.`);
    }
  }
}

/** A boolean field; absent and null are false. Throws `invalid_value`. */
export function booleanField(body: JsonObject, name: string): boolean {
  const value = body[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw invalidValue(name, `"${name}" must be true or false.`);
  return value;
}

/** A checked number; undefined where absent or null. */
export function numberField(body: JsonObject, name: string): number | undefined {
  const value = body[name];
  return typeof value === 'number' ? value : undefined;
}

/** The model asked for. Throws `invalid_value`. */
export function modelField(body: JsonObject): string {
  const { model } = body;
  if (typeof model !== 'string' || model === '') {
    throw invalidValue('model', 'Name the model in "model"; GET /v1/models lists those you may use.');
  }
  return model;
}

/** A translator of canonical field paths: the first segment by the table, everything else as it is. */
export function fieldNames(names: Readonly<Record<string, string>>): (canonical: string) => string {
  return (canonical) => canonical.replace(/^\w+/, (name) => names[name] ?? name);
}
