// Kills a gateway by SIGKILL under 20 streams and waits until another has freed what it held:
// node test/faults/kill.ts. Prints one JSON object; exit code 1 when it took longer than 32 seconds. Needs a built dist/.
import { setTimeout as sleep } from 'node:timers/promises';
import { call, chatBody, startWorld } from '../e2e/world.ts';
import { startGateway } from '../support/gateway-process.ts';
import { startRedisServer } from '../support/redis-server.ts';

const STREAMS = 20;
const ALLOWED_MS = 32_000;

const store = await startRedisServer();
process.env['REDIS_URL'] = store.url;
const world = await startWorld();
const other = await startGateway({ config: world.config });
world.azure.defaultScript = {
  reply: { deltas: Array.from({ length: 100_000 }, () => 'word ') },
  delivery: { gapMs: 50 },
};
const begun = Array.from({ length: STREAMS }, () => {
  return new Promise<void>((resolve) => {
    void call(world, { body: chatBody('chat', { stream: true }), onChunk: () => resolve() }).catch(() => undefined);
  });
});
await Promise.all(begun);
const leases = `g1:{o:${world.organisation}}:rx`;
const heldAtKill = await world.redis.zcard(leases);
const killedAtMs = performance.now();
world.gateway.process.kill('SIGKILL');
// The other gateway must not suffer meanwhile, nor its sweep depend on traffic.
const asked = await call({ gateway: other, key: world.key }, { path: '/v1/models' });
while ((await world.redis.zcard(leases)) > 0 && performance.now() - killedAtMs < 60_000) await sleep(100);
const freedMs = Math.round(performance.now() - killedAtMs);
const outcomes = (await world.ledger()).map(({ k, src, outcome }) => `${k} ${src} ${outcome}`);
const orphans = outcomes.filter((outcome) => outcome === 'orphan estimate orphan').length;
console.log(JSON.stringify({ heldAtKill, freedMs, allowedMs: ALLOWED_MS, orphans, otherStatus: asked.status }));
await other.stop();
await world.stop();
await store.stop();
const isFine = heldAtKill === STREAMS && freedMs <= ALLOWED_MS && orphans === STREAMS && asked.status === 200;
process.exitCode = isFine ? 0 : 1;
