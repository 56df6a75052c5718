import { call, dataFields, type Answer, type World } from '../../e2e/world.ts';
import { metricValue } from '../../support/metric-value.ts';
import { inLanes } from './lanes.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';

/** Longest time the event loop may stand still, in milliseconds. */
export const MAX_STALL_MS = 100;
const BATCH = 100;

/** What is sent to one route. */
export interface FuzzRoute {
  readonly path: string;
  /** Valid bodies that mutations start from. */
  readonly seeds: readonly unknown[];
}

export interface FuzzOptions {
  readonly routes: readonly FuzzRoute[];
  /** Bodies for each route. */
  readonly count: number;
  readonly seed: number;
}

/** What came of it. An empty `violations` is the pass. */
export interface FuzzReport {
  readonly seed: number;
  readonly sent: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Longest stall of the event loop that came again when its bodies did, in milliseconds. */
  readonly stallMs: number;
  readonly violations: readonly string[];
}

interface Shot {
  readonly path: string;
  readonly bytes: Buffer;
}

/** What is wrong with an answer, whatever was asked; undefined = nothing. */
function wrongWith(answer: Answer): string | undefined {
  const { status, text, requestId } = answer;
  if (!/^req_[0-9a-f]{32}$/.test(requestId)) return `${status} without a request id`;
  if (status === 500) return 'a 500';
  if (answer.wasCut) return `${status} cut`;
  const isStream = String(answer.headers['content-type']).startsWith('text/event-stream');
  try {
    const documents = isStream ? dataFields(text).filter((field) => field !== '[DONE]') : [text];
    for (const document of documents) JSON.parse(document);
    if (status < 400) return undefined;
    const { error } = JSON.parse(text) as { error?: { message?: unknown; code?: unknown } };
    return typeof error?.message === 'string' && typeof error.code === 'string' ? undefined : `${status} without error`;
  } catch {
    return `${status} that cannot be read`;
  }
}

/** Sends mutated bodies to a running gateway and watches it. Never throws for what the gateway does. */
export async function fuzz(world: World, options: FuzzOptions): Promise<FuzzReport> {
  const random = new Random(options.seed);
  const statuses: Record<string, number> = {};
  const violations: string[] = [];
  let stallMs = 0;
  let sent = 0;

  const shoot = async ({ path, bytes }: Shot): Promise<void> => {
    sent += 1;
    try {
      const answer = await call(world, {
        path,
        bytes,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      });
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      const wrong = wrongWith(answer);
      if (wrong !== undefined) violations.push(`${wrong} on ${path}: ${bytes.toString('base64').slice(0, 2_000)}`);
    } catch (error) {
      violations.push(`${String(error)} on ${path}: ${bytes.toString('base64').slice(0, 2_000)}`);
    }
  };
  /** The longest stall while these bodies were served; prom-client starts anew with every scrape. */
  const stallOf = async (shots: readonly Shot[]): Promise<number> => {
    await metricValue(world.gateway.metrics, 'nodejs_eventloop_lag_max_seconds');
    await inLanes(shots, 8, shoot);
    return (await metricValue(world.gateway.metrics, 'nodejs_eventloop_lag_max_seconds')) * 1_000;
  };

  for (const { path, seeds } of options.routes) {
    for (let left = options.count; left > 0; left -= BATCH) {
      const shots = Array.from({ length: Math.min(BATCH, left) }, () => ({
        path,
        bytes: mutate(random.pick(seeds), random),
      }));
      let batchMs = await stallOf(shots);
      // The processor is shared: a stall is the gateway's own if it comes again.
      for (let again = 0; again < 3 && batchMs > MAX_STALL_MS; again += 1)
        batchMs = Math.min(batchMs, await stallOf(shots));
      stallMs = Math.max(stallMs, batchMs);
      if (batchMs > MAX_STALL_MS)
        violations.push(`the event loop stood still for ${Math.round(batchMs)} ms on ${path}`);
      if (world.gateway.process.exitCode !== null) {
        violations.push(`the gateway exited with ${world.gateway.process.exitCode}`);
        return { seed: options.seed, sent, statuses, stallMs, violations };
      }
    }
  }
  return { seed: options.seed, sent, statuses, stallMs, violations };
}
