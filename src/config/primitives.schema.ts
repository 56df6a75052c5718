import { z } from 'zod';

/** Ids that end up in store keys, labels and headers. */
export const identifier = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'use 1 to 64 letters, digits, "_", "." or "-"');

/** A model's public name; may hold "/" and ":". */
export const modelName = z
  .string()
  .regex(/^[A-Za-z0-9_.:/@-]{1,128}$/, 'use 1 to 128 letters, digits or any of "_ . : / @ -"');

/** Milliseconds. */
export const milliseconds = z.int().min(1).max(3_600_000);
/** A whole number of something. */
export const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
