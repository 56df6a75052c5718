import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A Lua script as the store runs it. Every key it touches is declared in KEYS, so that it works on a cluster. */
export interface Script {
  /** Its file name, for logs. */
  readonly name: string;
  readonly source: string;
  /** SHA-1 of the source in hex, by which the server knows it. */
  readonly sha: string;
}

/** Loads a script from a `.lua` file; `directory` is the calling module's `import.meta.dirname`. Throws if absent. */
export function defineScript(directory: string, file: string): Script {
  const source = readFileSync(join(directory, file), 'utf8');
  return { name: file, source, sha: createHash('sha1').update(source).digest('hex') };
}
