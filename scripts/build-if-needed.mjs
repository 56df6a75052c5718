// Builds dist/ when it is absent, older than a source file, or left behind by a build that failed, so that `npm start`
// and `npm test` need no second command. Two at once take turns.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'dist', '.built');
const lock = join(root, 'node_modules', '.tollgate-build.lock');
const inputs = ['src', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `Tollgate needs Node.js 22.19 or newer; this is ${process.versions.node}. Run "npm ci" and use npm's scripts.`,
  );
  process.exit(1);
}

// A directory's own time tells of files that were removed.
const newest = (path) => {
  const stats = statSync(path);
  if (!stats.isDirectory()) return path.endsWith('.spec.ts') ? 0 : stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
};

const isFresh = () => {
  const builtAt = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const hasMain = statSync(join(root, 'dist', 'main.js'), { throwIfNoEntry: false }) !== undefined;
  return hasMain && inputs.every((input) => newest(join(root, input)) <= builtAt);
};

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

const lockHolder = () => {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch {
    // Given back in the meantime.
    return 0;
  }
};

const takeLock = () => {
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      process.on('exit', () => rmSync(lock, { force: true }));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = lockHolder();
    if (holder > 0 && !isAlive(holder)) rmSync(lock, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
};

if (isFresh()) process.exit(0);
takeLock();
if (isFresh()) process.exit(0);
// A source saved while the build runs is newer than this, so the next run builds again.
const startedAt = new Date();
const build = spawnSync(process.execPath, [join(root, 'node_modules/@nestjs/cli/bin/nest.js'), 'build'], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (build.status === 0) {
  writeFileSync(stamp, '');
  utimesSync(stamp, startedAt, startedAt);
}
process.exit(build.status ?? 1);
