import { API_KEY_PREFIX } from './api-key.js';

/** Shortest and longest secret accepted that is not a Tollgate key, in characters. */
export const FOREIGN_SECRET_LENGTH = { min: 32, max: 512 } as const;

/** True for a secret that may serve as a key though it is no Tollgate key: printable, long enough, not begun as one. */
export function isForeignSecret(text: string): boolean {
  return (
    text.length >= FOREIGN_SECRET_LENGTH.min &&
    text.length <= FOREIGN_SECRET_LENGTH.max &&
    !text.startsWith(API_KEY_PREFIX) &&
    /^[\x21-\x7e]+$/.test(text)
  );
}
