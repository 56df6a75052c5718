import { isRecord, type JsonRecord } from './recording.ts';

/** The object, or an empty one where it is none. */
export function record(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

/** The objects of a list; none where it is no list. */
export function list(value: unknown): JsonRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The text, or '' where it is none. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The number, or 0 where it is none. */
export function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
