// Writes the generated parts of docs/errors.md and docs/configuration.md anew, from the built gateway.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configTables, errorTable, everyKeyChanged, withGenerated } from '../test/docs/reference-tables.ts';

const root = join(import.meta.dirname, '..');
const build = spawnSync(process.execPath, [join(root, 'scripts/build-if-needed.mjs')], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);
const { inputSchema } = await import('../dist/config/json-schema.js');
const { holdBackRestartKeys } = await import('../dist/config/reload-policy.js');
const { ERRORS } = await import('../dist/contract/errors.js');
const { KINDS } = await import('../dist/kinds.js');

const rewrite = (path, name, text) => {
  const page = join(root, path);
  writeFileSync(page, withGenerated(readFileSync(page, 'utf8'), name, text));
};

const sources = readdirSync(join(root, 'src'), { recursive: true })
  .filter((path) => /(?<!\.spec)\.ts$/.test(path) && !path.endsWith(join('contract', 'errors.ts')))
  .map((path) => readFileSync(join(root, 'src', path), 'utf8'));
rewrite('docs/errors.md', 'errors', errorTable(ERRORS, sources));

const schema = inputSchema(KINDS.map(({ descriptor }) => descriptor));
const { previous, next } = everyKeyChanged(schema);
const heldBack = new Set(holdBackRestartKeys(previous, next).heldBack);
rewrite('docs/configuration.md', 'keys', configTables(schema, heldBack));
