import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

/** A file's text, or why there is none, as the end of a sentence that begins with the file's name. */
export type FileText = { readonly text: string } | { readonly fault: string };

/** The stamp of a file that is not there. */
const ABSENT = 'absent';

/** Reads files and remembers which state of each it saw, so that a later change cannot slip in between. */
export class FileReader {
  /** State of every file asked for, by path; compare with `stampOf`. */
  readonly stamps = new Map<string, string>();

  /** Reads a regular file of at most `maxBytes` as UTF-8. Never throws, and never waits for a pipe's writer. */
  read(path: string, maxBytes: number): FileText {
    this.stamps.set(path, ABSENT);
    let descriptor: number | undefined;
    try {
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const stats = fstatSync(descriptor, { bigint: true });
      this.stamps.set(path, stamp(stats));
      if (!stats.isFile()) return { fault: 'is not a regular file' };
      if (stats.size > maxBytes) return { fault: `is larger than ${maxBytes} bytes` };
      return { text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(descriptor)) };
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { fault: 'is not valid UTF-8' };
      return { fault: `cannot be read (${code ?? 'unknown'})` };
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }
}

/** The present state of a file; links are followed. Never rejects. */
export async function stampOf(path: string): Promise<string> {
  try {
    return stamp(await stat(path, { bigint: true }));
  } catch {
    return ABSENT;
  }
}

function stamp({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}
