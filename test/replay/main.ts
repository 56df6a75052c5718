// Replays recorded provider traffic through the gateway: RECORDED=DIR node test/replay/main.ts
// DIR holds one folder for each provider, or is one of them. Each answer is validated against the public OpenAI schema
// in SPECS=DIR, by default the folder `specs` beside the recordings.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadRecordings, recordingsRoot } from './recording.ts';
import { replay, type ReplayReport } from './replay.ts';
import { PublicSchema, SCHEMA_FILE } from './schema.ts';

function print(report: ReplayReport): void {
  for (const [provider, { replayed, ok, failures, excluded }] of report) {
    process.stdout.write(`${provider}: replayed ${replayed}, ok ${ok}, failed ${failures.length}\n`);
    for (const [reason, count] of excluded) process.stdout.write(`  excluded ${count}: ${reason}\n`);
    for (const { name, problems } of failures) {
      process.stdout.write(`  FAILED ${name}\n${problems.map((problem) => `    ${problem}\n`).join('')}`);
    }
  }
}

/** Absent = there is nothing to validate with. */
function publicSchema(recorded: string, specs = ''): PublicSchema | undefined {
  if (specs !== '') return new PublicSchema(specs);
  const beside = join(dirname(recordingsRoot(recorded)), 'specs');
  if (existsSync(join(beside, SCHEMA_FILE))) return new PublicSchema(beside);
  process.stdout.write('schema validation skipped: set SPECS\n');
  return undefined;
}

async function main(): Promise<number> {
  const { RECORDED: recorded, SPECS: specs } = process.env;
  if (recorded === undefined || recorded === '') {
    process.stdout.write('skipped: set RECORDED to a folder of recorded exchanges\n');
    return 0;
  }
  const folder = loadRecordings(recorded);
  if (folder.recordings.length === 0) {
    process.stdout.write('nothing to replay: RECORDED holds no exchange in scope\n');
    return 1;
  }
  const report = await replay(folder, publicSchema(recorded, specs));
  print(report);
  return [...report.values()].every(({ failures }) => failures.length === 0) ? 0 : 1;
}

process.exitCode = await main();
