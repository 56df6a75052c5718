// Everything that has to be right before a change is taken: build, format, lint, types, all tests. Prints each step's
// result and closes with a line "N passed, N failed", in which every test counts and so does every other step.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'tollgate-check-'));
const testReport = join(scratch, 'jest.json');
const tool = (path) => join(root, 'node_modules', path);

const steps = [
  { name: 'build', script: join(root, 'scripts/build-if-needed.mjs'), options: [] },
  { name: 'format', script: tool('prettier/bin/prettier.cjs'), options: ['--check', '--log-level', 'warn', '.'] },
  { name: 'lint', script: tool('eslint/bin/eslint.js'), options: ['.'] },
  { name: 'types', script: tool('typescript/bin/tsc'), options: ['--noEmit'] },
];
const testOptions = ['--json', `--outputFile=${testReport}`];

const run = (name, script, options) => {
  console.log(`\n== ${name}`);
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, [script, ...options], {
    cwd: root,
    // Jest's report goes to the file; what it prints beside that to standard output would repeat it.
    stdio: ['ignore', name === 'tests' ? 'ignore' : 'inherit', 'inherit'],
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`== ${name}: ${status === 0 ? 'passed' : 'FAILED'} (${seconds} s)`);
  return status === 0;
};

const countTests = (isPassed) => {
  try {
    const report = JSON.parse(readFileSync(testReport, 'utf8'));
    const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
    if (report.numPendingTests > 0) console.log(`${report.numPendingTests} tests skipped`);
    return { passed: report.numPassedTests, failed: isPassed ? failed : Math.max(1, failed) };
  } catch {
    return { passed: 0, failed: 1 };
  }
};

const results = steps.map(({ name, script, options }) => run(name, script, options));
const tests = countTests(run('tests', tool('jest/bin/jest.js'), testOptions));
rmSync(scratch, { recursive: true, force: true });

const passed = results.filter(Boolean).length + tests.passed;
const failed = results.filter((isPassed) => !isPassed).length + tests.failed;
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
