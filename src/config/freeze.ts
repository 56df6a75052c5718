/**
 * A frozen copy of plain data. Objects lose their prototype, so that looking up `constructor` in a map finds nothing;
 * instances of classes are kept as they are.
 */
export function freezeDeep<Data>(data: Data): Data {
  return freezeValue(data) as Data;
}

function freezeValue(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(freezeValue));
  if (typeof value !== 'object' || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, item] of Object.entries(value)) copy[key] = freezeValue(item);
  return Object.freeze(copy);
}
