// Figures of the gateway under misbehaving clients and providers: node test/faults/figures.ts. Prints one JSON object
// with what was measured and what is allowed; exit code 1 when something is beyond it. Needs a built dist/ and a machine
// with nothing else to do.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { sseEvent } from '../support/fake-openai-wire.ts';
import { metricValue } from '../support/metric-value.ts';
import { openRaw, rawRequest, type RawConnection } from '../support/raw-connection.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { call, chatBody, startWorld, type World } from '../e2e/world.ts';
import { inLanes } from './support/lanes.ts';

interface Figure {
  readonly [name: string]: number;
}

const MIB = 1_048_576;
const STALLED = 200;

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN) * 10) / 10;
}

const residentMiB = ({ gateway }: World): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.process.pid}/status`, 'utf8'))?.[1]) / 1_024;

const chunk = (content: string) => sseEvent({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
const DONE = Buffer.from('data: [DONE]\n\n');
const stream = (pieces: readonly Buffer[]) => ({
  wire: { status: 200, headers: { 'content-type': 'text/event-stream' }, pieces, chunked: true },
});

/** What the gateway holds in memory once its garbage is collected. */
async function heldMiB({ gateway }: World): Promise<number> {
  gateway.process.kill('SIGUSR2');
  await sleep(1_500);
  const heap = await metricValue(gateway.metrics, 'nodejs_heap_size_used_bytes');
  return (heap + (await metricValue(gateway.metrics, 'nodejs_external_memory_bytes'))) / MIB;
}

/** R2: from the client's leaving to the upstream's closed socket. */
async function disconnects(world: World): Promise<Figure> {
  const words = Array.from({ length: 2_000 }, (_, index) => `word${index} `);
  world.azure.defaultScript = { reply: { deltas: words }, delivery: { gapMs: 10 } };
  const delaysMs: number[] = [];
  await inLanes(
    Array.from({ length: 300 }, (_, index) => index),
    8,
    async () => {
      let leftAtMs = 0;
      let chunks = 0;
      const user = `u${Math.random()}`;
      await call(world, {
        body: chatBody('single', { stream: true, user }),
        onChunk: (_text, request) => {
          chunks += 1;
          if (chunks !== 5) return;
          leftAtMs = performance.now();
          request.destroy();
        },
      }).catch(() => undefined);
      const record = world.azure.records.find(({ json }) => (json as { user?: string }).user === user);
      const closed = await record?.closed;
      delaysMs.push((closed?.closedAtMs ?? Infinity) - leftAtMs);
    },
  );
  return {
    count: delaysMs.length,
    p50Ms: percentile(delaysMs, 0.5),
    p99Ms: percentile(delaysMs, 0.99),
    allowedP99Ms: 100,
  };
}

/** R3: what many clients that take nothing cost in memory, each with a long answer before it. */
async function stalledClients(world: World): Promise<Figure> {
  const piece = chunk('x'.repeat(60_000));
  const pieces = Array.from({ length: Math.ceil((50 * MIB) / piece.length) }, () => piece);
  world.azure.defaultScript = { ...stream([...pieces, DONE]), delivery: { gapMs: 0 } };
  // Warm up with as many clients that do take as much as buffers hold: pools, code, and the heap's own size.
  await inLanes(
    Array.from({ length: 2 * STALLED }, (_, index) => index),
    STALLED,
    async () => {
      let bytes = 0;
      await call(world, {
        body: chatBody('single', { stream: true }),
        onChunk: (text, request) => {
          bytes += text.length;
          if (bytes > 6 * MIB) request.destroy();
        },
      }).catch(() => undefined);
    },
  );
  await sleep(3_000);
  const heldBefore = await heldMiB(world);
  const before = residentMiB(world);
  const head = ['POST /v1/chat/completions HTTP/1.1', 'host: gateway', `authorization: Bearer ${world.key}`];
  const bytes = rawRequest(
    [...head, 'content-type: application/json'],
    JSON.stringify(chatBody('single', { stream: true })),
  );
  const clients: RawConnection[] = [];
  for (let index = 0; index < STALLED; index += 1) {
    const client = openRaw(world.gateway.data);
    client.socket.write(bytes);
    await client.until('HTTP/1.1 200');
    client.socket.pause();
    clients.push(client);
  }
  let most = 0;
  for (let second = 0; second < 15; second += 1) {
    await sleep(1_000);
    most = Math.max(most, residentMiB(world));
  }
  const held = (await heldMiB(world)) - heldBefore;
  for (const { socket } of clients) socket.destroy();
  const grownMiB = Math.round((most - before) * 10) / 10;
  return {
    clients: STALLED,
    beforeMiB: Math.round(before),
    grownMiB,
    heldPerStreamKiB: Math.round((held * 1_024) / STALLED),
    allowedMiB: 50,
    allowedPerStreamKiB: 256,
  };
}

/** F15: how evenly a paced stream comes while others are flooded with tiny events. */
async function floods(world: World): Promise<Figure> {
  const tiny = chunk('a');
  const flood = Buffer.concat(Array.from({ length: 200_000 }, () => tiny));
  world.azure.forModel('gpt-a', stream([flood, flood, flood, DONE]));
  world.second.defaultScript = { reply: { deltas: Array.from({ length: 400 }, () => 'w ') }, delivery: { gapMs: 10 } };
  let flooded = 0;
  let isOver = false;
  const flooding = Promise.all(
    Array.from({ length: 3 }, async () => {
      while (!isOver) {
        await call(world, { body: chatBody('single', { stream: true }) });
        flooded += 600_000;
      }
    }),
  );
  const gapsMs: number[] = [];
  const startedAtMs = performance.now();
  let lastMs = startedAtMs;
  // prom-client's lag starts anew with every scrape.
  await metricValue(world.gateway.metrics, 'nodejs_eventloop_lag_p99_seconds');
  await call(world, {
    body: chatBody('paced', { stream: true }),
    onChunk: () => {
      gapsMs.push(performance.now() - lastMs);
      lastMs = performance.now();
    },
  });
  const lagP99Ms = (await metricValue(world.gateway.metrics, 'nodejs_eventloop_lag_p99_seconds')) * 1_000;
  isOver = true;
  await flooding;
  const seconds = (performance.now() - startedAtMs) / 1_000;
  return {
    eventsPerSecond: Math.round(flooded / seconds),
    // The gateway's own; the gaps as seen here hold the lag of this process, which floods and reads, too.
    lagP99Ms: Math.round(lagP99Ms * 10) / 10,
    seenGapP50Ms: percentile(gapsMs, 0.5),
    seenGapP99Ms: percentile(gapsMs, 0.99),
    allowedLagP99Ms: 100,
  };
}

/** R4: how late timeouts fire. */
async function timeouts(world: World): Promise<Figure> {
  const attemptMs = async (requestId: string) =>
    ((await world.gateway.accessLine(requestId))['attempts'] as { ms: number }[])[0]?.ms ?? NaN;
  world.azure.forModel('gpt-timed', { delivery: { silent: true } });
  const first: number[] = [];
  await inLanes(
    Array.from({ length: 40 }, (_, index) => index),
    20,
    async () => {
      const { requestId } = await call(world, { body: chatBody('timed', { stream: true }) });
      first.push((await attemptMs(requestId)) - 1_000);
    },
  );
  world.azure.forModel('gpt-timed', { reply: { deltas: ['a ', 'b ', 'c '] }, delivery: { stallAfterPieces: 4 } });
  const idle: number[] = [];
  await inLanes(
    Array.from({ length: 40 }, (_, index) => index),
    20,
    async () => {
      let contentAtMs = 0;
      await call(world, {
        body: chatBody('timed', { stream: true }),
        onChunk: (text) => {
          if (text.includes('"content":"')) contentAtMs = performance.now();
          if (text.includes('{"error"')) idle.push(performance.now() - contentAtMs - 700);
        },
      });
    },
  );
  return {
    firstContentEarliestMs: percentile(first, 0),
    firstContentLatestMs: percentile(first, 1),
    idleEarliestMs: percentile(idle, 0),
    idleLatestMs: percentile(idle, 1),
    allowedMs: 250,
  };
}

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const store = await startRedisServer();
process.env['REDIS_URL'] = store.url;
const world = await startWorld({
  nodeArguments: ['--expose-gc', '--import', join(import.meta.dirname, 'support', 'collect-garbage.mjs')],
  config: {
    stream: { stallMs: 60_000 },
    models: {
      paced: { deployments: [{ provider: 'second', model: 'gpt-paced' }] },
      timed: {
        deployments: [{ provider: 'first', model: 'gpt-timed' }],
        timeouts: { firstContentMs: 1_000, idleMs: 700 },
      },
    },
  },
});
/** What to measure, and what of it must not be exceeded. */
const MEASURES: Readonly<
  Record<string, { measure: (world: World) => Promise<Figure>; isFine: (figure: Figure) => boolean }>
> = {
  disconnect: { measure: disconnects, isFine: ({ p99Ms = NaN }) => p99Ms <= 100 },
  timeouts: {
    measure: timeouts,
    isFine: ({ firstContentEarliestMs = NaN, firstContentLatestMs = NaN, idleEarliestMs = NaN, idleLatestMs = NaN }) =>
      [firstContentEarliestMs, firstContentLatestMs, idleEarliestMs, idleLatestMs].every(
        (late) => Math.abs(late) <= 250,
      ),
  },
  floods: { measure: floods, isFine: ({ lagP99Ms = NaN }) => lagP99Ms <= 100 },
  stalled: {
    measure: stalledClients,
    isFine: ({ grownMiB = NaN, heldPerStreamKiB = NaN }) => grownMiB <= 50 && heldPerStreamKiB <= 256,
  },
};

let areAllFine = true;
for (const [name, { measure, isFine }] of Object.entries(MEASURES)) {
  if (values.only !== undefined && values.only !== name) continue;
  const figure = await measure(world);
  const fine = isFine(figure);
  areAllFine &&= fine;
  console.log(JSON.stringify({ [name]: { ...figure, fine } }));
}
await world.stop();
await store.stop();
process.exitCode = areAllFine ? 0 : 1;
