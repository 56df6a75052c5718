import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call, caller, plan, quotaBed, usage, type QuotaBed } from '../../test/quota/quota-bed.js';
import { findRedisServer, freePort, startRedisServer, type RedisServer } from '../../test/support/redis-server.js';
import { requestRecord } from '../../test/support/request-record.js';

// The WebAssembly build has neither cluster nor sentinel.
const withRedis = findRedisServer() === undefined ? it.skip : it;

let server: RedisServer;
let bed: QuotaBed;
let folder: string;
let sentinel: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollgate-'));
});
afterEach(async () => {
  await bed.close();
  await server.kill();
  if (sentinel !== undefined) {
    const isGone = once(sentinel, 'exit');
    sentinel.kill('SIGKILL');
    await isGone;
    sentinel = undefined;
  }
  await rm(folder, { recursive: true, force: true });
});

const admitAndSettle = async (): Promise<string | undefined> => {
  const who = caller(bed.organisation, { limits: { requestsPerMinute: 5, tokensPerMinute: 10_000 } });
  const settlement = await bed.quota.open({ requestId: 'r1', call: call(), plan: plan(), caller: who });
  settlement.settle(usage(), requestRecord());
  await bed.background.drain(2_000);
  const next = await bed.quota.open({ requestId: 'r2', call: call(), plan: plan(), caller: who });
  return next.headers['x-ratelimit-remaining-tokens'];
};

withRedis('keeps a tenant in one slot of a cluster', async () => {
  const options = [
    '--cluster-enabled',
    'yes',
    '--cluster-announce-ip',
    '127.0.0.1',
    '--cluster-config-file',
    join(folder, 'nodes.conf'),
  ];
  server = await startRedisServer({ arguments: options });
  expect(await server.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')).toBe('+OK');
  while ((await server.command('SET', 'a', '1')) !== '+OK');
  bed = await quotaBed({ redis: { url: server.url, mode: 'cluster', onFailure: { limits: 'closed' } } });
  expect(bed.store.available).toBe(true);
  expect(await admitAndSettle()).toBe('9702');
});

withRedis('asks the sentinels for the primary', async () => {
  server = await startRedisServer();
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  await writeFile(file, `port ${port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 ${server.port} 1\n`);
  sentinel = spawn(findRedisServer() ?? '', [file, '--sentinel'], { stdio: 'ignore' });
  bed = await quotaBed({
    redis: {
      url: 'redis://main',
      mode: 'sentinel',
      sentinelName: 'main',
      nodes: [`127.0.0.1:${port}`],
      onFailure: { limits: 'closed' },
    },
  });
  expect(bed.store.available).toBe(true);
  expect(await admitAndSettle()).toBe('9702');
});
