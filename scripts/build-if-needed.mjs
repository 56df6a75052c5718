// Builds dist/ when it is absent or older than a source file, so that `npm start` and `npm test` need no second command.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const newest = (path) => {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
};

const inputs = ['src', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'];
let builtAt = 0;
try {
  builtAt = statSync(join(root, 'dist', 'main.js')).mtimeMs;
} catch {
  // Never built.
}
if (inputs.some((input) => newest(join(root, input)) > builtAt)) {
  const build = spawnSync(process.execPath, [join(root, 'node_modules/@nestjs/cli/bin/nest.js'), 'build'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.exit(build.status ?? 1);
}
