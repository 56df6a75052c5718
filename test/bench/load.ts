// The callers of the bench, in a process of their own so that their CPU is nobody else's.
import { Pool } from 'undici';
import { serveCommands } from './child-process.ts';
import type { LoadCommand, RequestsAnswer, StreamsAnswer, Target } from './load.commands.ts';
import { percentile } from './statistics.ts';

const EVENT_END = Buffer.from('\n\n');
const DONE = Buffer.from('data: [DONE]');
const held: { pool: Pool; abort: AbortController }[] = [];

interface Stream {
  readonly events: number;
  readonly spanMs: number;
}

const send = (pool: Pool, { path, headers, body }: Target, signal?: AbortSignal) =>
  pool.request({ method: 'POST', path, headers, body, signal: signal ?? null });

async function refusal(answer: Awaited<ReturnType<Pool['request']>>): Promise<Error> {
  return new Error(`${answer.statusCode} ${(await answer.body.text()).slice(0, 500)}`);
}

async function requests(target: Target, count: number, concurrency: number): Promise<RequestsAnswer> {
  const pool = new Pool(target.origin, { connections: concurrency });
  const latencies = new Float64Array(count);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const startedAt = performance.now();
      const answer = await send(pool, target);
      if (answer.statusCode !== 200) throw await refusal(answer);
      await answer.body.arrayBuffer();
      latencies[index] = performance.now() - startedAt;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - startedAt) / 1_000;
  await pool.close();
  latencies.sort();
  return { perSecond: count / seconds, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}

function countEvents(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(EVENT_END); at !== -1; at = chunk.indexOf(EVENT_END, at + 2)) count++;
  return count;
}

async function readStream(pool: Pool, target: Target): Promise<Stream> {
  const answer = await send(pool, target);
  if (answer.statusCode !== 200) throw await refusal(answer);
  let events = 0;
  let firstAt = 0;
  let lastAt = 0;
  let last: Buffer = Buffer.alloc(0);
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    lastAt = performance.now();
    if (events === 0) firstAt = lastAt;
    events += countEvents(chunk);
    last = chunk;
  }
  if (!last.includes(DONE)) throw new Error('a stream ended without its terminal mark');
  return { events, spanMs: lastAt - firstAt };
}

/** Starts the streams spread over one gap, so that they do not all speak at the same moment. */
async function streams(target: Target, count: number, chunks: number, gapMs: number): Promise<StreamsAnswer> {
  const pool = new Pool(target.origin, { connections: count });
  const read = Array.from({ length: count }, async (_, index) => {
    await new Promise((resolve) => setTimeout(resolve, (index * gapMs) / count));
    return readStream(pool, target);
  });
  const done = await Promise.all(read);
  await pool.close();
  const short = done.find(({ events }) => events < chunks);
  if (short !== undefined) throw new Error(`a stream had ${short.events} events instead of ${chunks}`);
  const spanMs = done.reduce((total, stream) => total + stream.spanMs, 0) / count;
  return { gapMs: spanMs / (chunks - 1) };
}

/** Opens streams and resolves when each has brought its first bytes; they stay open until released. */
async function hold(target: Target, count: number): Promise<null> {
  const pool = new Pool(target.origin, { connections: count });
  const abort = new AbortController();
  held.push({ pool, abort });
  const open = async (): Promise<void> => {
    const answer = await send(pool, target, abort.signal);
    if (answer.statusCode !== 200) throw await refusal(answer);
    await new Promise<void>((resolve) => {
      answer.body.on('error', () => undefined);
      answer.body.on('data', () => resolve());
    });
  };
  for (let opened = 0; opened < count; opened += 50) {
    await Promise.all(Array.from({ length: Math.min(50, count - opened) }, open));
  }
  return null;
}

async function release(): Promise<null> {
  for (const { pool, abort } of held.splice(0)) {
    abort.abort();
    await pool.destroy();
  }
  return null;
}

function run(command: LoadCommand): Promise<unknown> {
  switch (command.type) {
    case 'requests':
      return requests(command.target, command.count, command.concurrency);
    case 'streams':
      return streams(command.target, command.count, command.chunks, command.gapMs);
    case 'hold':
      return hold(command.target, command.count);
    case 'release':
      return release();
  }
}

serveCommands(0, run);
