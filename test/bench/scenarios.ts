import { startChild } from './child-process.ts';
import { cpuMicroseconds, heldKb } from './process-figures.ts';
import type { SdkCommand } from './sdk.ts';
import type { Stage, Subject } from './stage.ts';
import { median, rounded } from './statistics.ts';

/** Flat figures of one scenario, without its prefix. */
export type Figures = Readonly<Record<string, number>>;

const CONCURRENCY = 32;
const ROUNDS = 5;
const WARM_UP = 3_000;
const PER_ROUND = 4_000;

const STREAMS = 200;
const CHUNKS = 100;
const GAP_MS = 50;
/** A round whose gap is further off than this share measured the machine, not the gateway. */
const GAP_TOLERANCE = 0.1;

const OPEN_STREAMS = 1_000;

interface Round {
  readonly cpuUs: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function measureRequests(stage: Stage, { pid, target }: Subject, model: string): Promise<Round> {
  const before = cpuMicroseconds(pid);
  const load = { type: 'requests', target: target(model, false), count: PER_ROUND, concurrency: CONCURRENCY } as const;
  const answer = await stage.load(load);
  return { ...answer, cpuUs: (cpuMicroseconds(pid) - before) / PER_ROUND };
}

async function warmUp(stage: Stage, model: string): Promise<void> {
  for (const { target } of [stage.bare, stage.gateway]) {
    await stage.load({ type: 'requests', target: target(model, false), count: WARM_UP, concurrency: CONCURRENCY });
  }
}

const middle = (rounds: readonly Round[], field: keyof Round): number => median(rounds.map((round) => round[field]));

/** A whole answer: the gateway beside the bare proxy, in turns, so that what the machine does meets both. */
export async function measureWhole(stage: Stage, model: string): Promise<Figures> {
  await warmUp(stage, model);
  const bare: Round[] = [];
  const gateway: Round[] = [];
  const helpersBefore = helperCpu(stage);
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await measureRequests(stage, stage.bare, model));
    gateway.push(await measureRequests(stage, stage.gateway, model));
  }
  const ratios = gateway.map(({ cpuUs }, index) => cpuUs / (bare[index]?.cpuUs ?? Number.NaN));
  const helpers = helperCpu(stage);
  return {
    ratio: rounded(median(ratios)),
    gatewayUs: rounded(middle(gateway, 'cpuUs'), 1),
    bareUs: rounded(middle(bare, 'cpuUs'), 1),
    perSecond: rounded(middle(gateway, 'perSecond'), 0),
    barePerSecond: rounded(middle(bare, 'perSecond'), 0),
    p50Ms: rounded(middle(gateway, 'p50Ms')),
    p99Ms: rounded(middle(gateway, 'p99Ms')),
    bareP50Ms: rounded(middle(bare, 'p50Ms')),
    bareP99Ms: rounded(middle(bare, 'p99Ms')),
    upstreamUs: rounded((helpers.upstream - helpersBefore.upstream) / (2 * ROUNDS * PER_ROUND), 1),
    storeUs: rounded((helpers.store - helpersBefore.store) / (ROUNDS * PER_ROUND), 1),
  };
}

function helperCpu({ upstream, store }: Stage): { upstream: number; store: number } {
  return { upstream: cpuMicroseconds(upstream.pid), store: store === undefined ? 0 : cpuMicroseconds(store.pid) };
}

/** CPU of one call through a cloud's own SDK at the same upstream, in microseconds. */
export async function measureSdk(stage: Stage, name: string): Promise<number> {
  const child = await startChild('./sdk.ts', [name, `http://127.0.0.1:${stage.upstream.port}`]);
  try {
    const calls = (count: number): Promise<null> => child.ask({ count, concurrency: CONCURRENCY } satisfies SdkCommand);
    await calls(WARM_UP);
    const rounds: number[] = [];
    for (let round = 0; round < 3; round++) {
      const before = cpuMicroseconds(child.pid);
      await calls(PER_ROUND / 2);
      rounds.push((cpuMicroseconds(child.pid) - before) / (PER_ROUND / 2));
    }
    return rounded(median(rounds), 1);
  } finally {
    await child.stop();
  }
}

/** CPU per streamed chunk in microseconds; undefined where the gap shows that the machine was not in step. */
async function measureStreams(stage: Stage, { pid, target }: Subject): Promise<number | undefined> {
  const before = cpuMicroseconds(pid);
  const { gapMs } = await stage.load({
    type: 'streams',
    target: target(`stream-${CHUNKS}x${GAP_MS}`, true),
    count: STREAMS,
    chunks: CHUNKS,
    gapMs: GAP_MS,
  });
  const cpuUs = (cpuMicroseconds(pid) - before) / (STREAMS * CHUNKS);
  return Math.abs(gapMs - GAP_MS) > GAP_MS * GAP_TOLERANCE ? undefined : cpuUs;
}

/** Streams at a human pace: CPU per chunk beside a bare pipe. */
export async function measureStream(stage: Stage): Promise<Figures> {
  const pairs: { bare: number; gateway: number }[] = [];
  let discarded = 0;
  // The first pair warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    const bare = await measureStreams(stage, stage.bare);
    const gateway = await measureStreams(stage, stage.gateway);
    if (round === 0) continue;
    if (bare === undefined || gateway === undefined) discarded++;
    else pairs.push({ bare, gateway });
  }
  if (pairs.length === 0) throw new Error('every round was out of step: the machine is too busy to measure streams');
  return {
    ratio: rounded(median(pairs.map(({ bare, gateway }) => gateway / bare))),
    gatewayUs: rounded(median(pairs.map(({ gateway }) => gateway)), 1),
    bareUs: rounded(median(pairs.map(({ bare }) => bare)), 1),
    discarded,
  };
}

/** Growth of resident memory per open stream in KiB, after a small first wave has had the code compiled. */
async function measureOpenStreams(stage: Stage, { pid, target }: Subject): Promise<number> {
  const command = { type: 'hold', target: target('stream-30x1000', true) } as const;
  await stage.load({ ...command, count: OPEN_STREAMS / 20 });
  await stage.load({ type: 'release' });
  await pause(1_000);
  const before = await heldKb(pid);
  await stage.load({ ...command, count: OPEN_STREAMS });
  await pause(1_000);
  const grown = (await heldKb(pid)) - before;
  await stage.load({ type: 'release' });
  return grown / OPEN_STREAMS;
}

/** What a thousand open streams take of the memory, each. */
export async function measureMemory(stage: Stage): Promise<{ openStreamKb: number; openStreamKbBare: number }> {
  const openStreamKbBare = rounded(await measureOpenStreams(stage, stage.bare), 1);
  const openStreamKb = rounded(await measureOpenStreams(stage, stage.gateway), 1);
  return { openStreamKb, openStreamKbBare };
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
