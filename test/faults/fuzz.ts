// The long form of fuzz.spec.ts: node test/faults/fuzz.ts [--count 10000] [--seed N]. Prints a report as JSON; exit code
// 1 when anything was violated. Needs a built dist/.
import { parseArgs } from 'node:util';
import { startRedisServer } from '../support/redis-server.ts';
import { FUZZ_ROUTES } from './support/fuzz-routes.ts';
import { fuzz } from './support/fuzz-run.ts';
import { startWideWorld } from './support/wide-world.ts';

const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string' } } });
const store = await startRedisServer();
process.env['REDIS_URL'] = store.url;
const world = await startWideWorld();
for (const upstream of [world.azure, world.second, world.gemini, world.bedrock]) upstream.keepRecords = 0;
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const report = await fuzz(world, { routes: FUZZ_ROUTES, count: Number(values.count ?? 10_000), seed });
console.log(JSON.stringify(report, null, 2));
await world.stop();
await store.stop();
process.exitCode = report.violations.length === 0 ? 0 : 1;
