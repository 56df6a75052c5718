import { join } from 'node:path';
import { call, chatBody, dataFields, startWorld, type Answer, type World, type WorldOptions } from '../e2e/world.ts';
import { startRedisServer } from '../support/redis-server.ts';

const words = (count: number) => Array.from({ length: count }, (_, index) => `word${index} `);
const THROWER = ['--import', join(__dirname, 'support', 'thrower.mjs')];

interface Streams {
  readonly world: World;
  /** The answers, when they have ended. */
  readonly answers: Promise<Answer[]>;
  readonly requestIds: readonly string[];
}

/** A gateway of its own with streams open that have shown content. */
async function openStreams(
  options: WorldOptions & { readonly pieces: number; readonly gapMs: number },
): Promise<Streams> {
  const { pieces, gapMs } = options;
  const server = { host: '127.0.0.1', drainMs: 10_000, ...(options.config?.['server'] as object | undefined) };
  const world = await startWorld({ ...options, config: { ...options.config, server } });
  world.azure.defaultScript = { reply: { deltas: words(pieces) }, delivery: { gapMs } };
  const answers: Promise<Answer>[] = [];
  const requestIds: string[] = [];
  const begun = Array.from({ length: 3 }, () => {
    return new Promise<void>((resolve) => {
      answers.push(
        call(world, {
          body: chatBody('chat', { stream: true }),
          onRequest: (request) =>
            request.on('response', ({ headers }) => void requestIds.push(String(headers['x-request-id']))),
          onChunk: () => resolve(),
        }),
      );
    });
  });
  await Promise.all(begun);
  return { world, answers: Promise.all(answers), requestIds };
}

/** Frees what `stop` would; the gateway has ended by itself. */
async function clear(world: World): Promise<void> {
  await Promise.all([world.azure.close(), world.second.close()]);
  world.redis.disconnect();
}

const isWhole = ({ text }: Answer) => dataFields(text).at(-1) === '[DONE]';
const exitOf = ({ gateway }: World) =>
  new Promise<number | null>((resolve) => {
    if (gateway.process.exitCode !== null) resolve(gateway.process.exitCode);
    else gateway.process.once('exit', resolve);
  });

describe('a process that must end', () => {
  it.concurrent.each([
    ['an uncaught exception', 'SIGUSR2', 'uncaughtException', 'injected exception'],
    ['an unhandled rejection', 'SIGWINCH', 'unhandledRejection', 'injected rejection'],
  ] as const)(
    '%s is logged, drained and an exit of 1; a second one does not hurry',
    async (_name, signal, event, message) => {
      const { world, answers } = await openStreams({ pieces: 40, gapMs: 30, nodeArguments: THROWER });
      const exited = exitOf(world);
      world.gateway.process.kill(signal);
      const line = await world.gateway.logLine(({ level }) => level === 'fatal');
      expect(line).toMatchObject({ event, err: { message } });
      await world.gateway.logLine(({ msg }) => msg === 'draining');
      expect((await fetch(`${world.gateway.metrics}/readyz`)).status).toBe(503);
      world.gateway.process.kill(signal);
      expect((await answers).map(isWhole)).toEqual([true, true, true]);
      expect(await exited).toBe(1);
      const ledger = await world.ledger();
      expect(ledger.map(({ src }) => src)).toEqual(['final', 'final', 'final']);
      expect(world.gateway.logLines().filter(({ level }) => level === 'fatal')).toHaveLength(2);
      await clear(world);
    },
  );

  it.concurrent('a defect while it drains is an exit of 1', async () => {
    const { world, answers } = await openStreams({ pieces: 30, gapMs: 30, nodeArguments: THROWER });
    const exited = exitOf(world);
    world.gateway.process.kill('SIGTERM');
    await world.gateway.logLine(({ msg }) => msg === 'draining');
    world.gateway.process.kill('SIGUSR2');
    expect((await answers).map(isWhole)).toEqual([true, true, true]);
    expect(await exited).toBe(1);
    await clear(world);
  });

  it.concurrent('a shutdown that fails itself is logged once and an exit of 1', async () => {
    const env = { TOLLGATE_TEST_FAULT: 'close' };
    const { world, answers } = await openStreams({ pieces: 5, gapMs: 1, nodeArguments: THROWER, env });
    await answers;
    const exited = exitOf(world);
    world.gateway.process.kill('SIGTERM');
    expect(await exited).toBe(1);
    const told = world.gateway.logLines().filter(({ level }) => level === 'fatal');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ err: { message: 'injected failure to close' } });
    expect(await world.ledger()).toHaveLength(3);
    await clear(world);
  });

  it.concurrent('SIGINT after SIGTERM cuts what is open with an error, and settles it', async () => {
    const { world, answers } = await openStreams({ pieces: 4_000, gapMs: 20 });
    const exited = exitOf(world);
    world.gateway.process.kill('SIGTERM');
    await world.gateway.logLine(({ msg }) => msg === 'draining');
    world.gateway.process.kill('SIGINT');
    for (const { text, wasCut } of await answers) {
      expect(wasCut).toBe(false);
      expect(JSON.parse(dataFields(text).at(-1) ?? '')).toMatchObject({ error: { code: 'server_shutting_down' } });
    }
    expect(await exited).toBe(0);
    const ledger = await world.ledger();
    expect(ledger.map(({ src, outcome }) => `${src} ${outcome}`)).toEqual(Array(3).fill('estimate drain-cut'));
    await clear(world);
  });

  it.concurrent.each(['dead', 'hanging'])(
    'SIGTERM while the store is %s: what could not be settled is written to the log, and it ends in time',
    async (how) => {
      const store = await startRedisServer();
      const config = { redis: { url: store.url } };
      const { world, answers, requestIds } = await openStreams({ pieces: 60, gapMs: 10, config });
      if (how === 'dead') await store.kill();
      else store.pause();
      const exited = exitOf(world);
      const startedAtMs = performance.now();
      world.gateway.process.kill('SIGTERM');
      expect((await answers).map(isWhole)).toEqual([true, true, true]);
      expect(await exited).toBe(0);
      // The streams, five seconds of trying, and ending.
      expect(performance.now() - startedAtMs).toBeLessThan(14_000);
      const unsettled = world.gateway.logLines().filter(({ event }) => event === 'usage_unsettled');
      expect(new Set(unsettled.map(({ requestId }) => requestId))).toEqual(new Set(requestIds));
      expect(unsettled).toHaveLength(requestIds.length);
      for (const { keys, args } of unsettled) {
        expect(keys).toEqual(expect.arrayContaining([expect.stringContaining(':us')]));
        expect(args).toEqual(expect.arrayContaining(['settle', 'src', 'final']));
      }
      await store.kill();
      await clear(world);
    },
    30_000,
  );

  it.concurrent('kill -9: its clients see a cut, its leases end in time, and another gateway goes on', async () => {
    const { world, answers, requestIds } = await openStreams({ pieces: 4_000, gapMs: 20 });
    const other = await startWorld({
      config: { organisations: { [world.organisation]: { teams: { research: {} } } } },
    });
    const killedAtMs = Date.now();
    world.gateway.process.kill('SIGKILL');
    for (const answer of await answers) {
      expect(answer.wasCut).toBe(true);
      expect(isWhole(answer)).toBe(false);
    }
    for (const record of world.azure.records) expect((await record.closed).completed).toBe(false);
    const leases = await world.redis.zrange(`g1:{o:${world.organisation}}:rx`, '0', '-1', 'WITHSCORES');
    expect(new Set(leases.filter((_, index) => index % 2 === 0))).toEqual(new Set(requestIds));
    for (const [index, score] of leases.entries()) {
      if (index % 2 === 1) expect(Number(score) - killedAtMs).toBeLessThanOrEqual(30_000);
    }
    expect(await world.ledger()).toEqual([]);
    expect((await call(other, { body: chatBody('chat') })).status).toBe(200);
    await other.stop();
    await clear(world);
  });
});
