/** A value as JSON.parse returns it. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** A JSON object; absent keys read as undefined. */
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** True for a plain JSON object; arrays and null are none. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
