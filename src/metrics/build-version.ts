import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Version of the package, as built; `package.json` lies two folders above this file, in src and in dist alike. */
export function buildVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
