import { startChild, type BenchChild } from './child-process.ts';
import { startGateway } from './gateway.ts';
import type { LoadAnswers, LoadCommand, Target } from './load.commands.ts';
import { chatBody } from './payloads.ts';
import { startStore, type BenchStore } from './redis.ts';

/** A process that is measured. */
export interface Subject {
  readonly name: 'gateway' | 'bare';
  readonly pid: number;
  target(model: string, stream: boolean): Target;
}

/** All processes of one run. */
export interface Stage {
  readonly gateway: Subject;
  readonly bare: Subject;
  readonly upstream: BenchChild;
  readonly store: BenchStore | undefined;
  /** When the gateway was started, on the clock of `performance.now()`. */
  readonly gatewayStartedAtMs: number;
  load<Command extends LoadCommand>(command: Command): Promise<LoadAnswers[Command['type']]>;
  /** Ends the gateway alone, so that its profile is written. */
  stopGateway(): Promise<void>;
  stop(): Promise<void>;
}

export interface StageOptions {
  /** Puts a second bare proxy where the gateway would be: its ratio is the bench's own error. */
  readonly isSelfTest: boolean;
  readonly profileDirectory: string | undefined;
  /** The gateway's built program. */
  readonly main: string;
}

const originOf = (port: number): string => `http://127.0.0.1:${port}`;

function subject(name: Subject['name'], pid: number, reach: { origin: string; key: string }): Subject {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${reach.key}` };
  return {
    name,
    pid,
    target: (model, stream) => ({
      origin: reach.origin,
      path: '/v1/chat/completions',
      headers,
      body: chatBody(model, stream),
    }),
  };
}

/** Starts everything; what was started is stopped again when something does not start. */
export async function setUp(options: StageOptions): Promise<Stage> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  const start = async (script: string, parameters: readonly string[] = []): Promise<BenchChild> => {
    const child = await startChild(script, parameters);
    stops.push(child.stop);
    return child;
  };
  try {
    const upstream = await start('./upstream.ts');
    const origin = originOf(upstream.port);
    const bare = await start('./bare-proxy.ts', [origin]);
    const load = await start('./load.ts');
    const store = options.isSelfTest ? undefined : await startStore();
    if (store !== undefined) stops.push(store.stop);
    const startedAtMs = performance.now();
    const gateway = options.isSelfTest ? await selfTest(start, origin) : await realGateway(options, origin, store);
    stops.push(gateway.stop);
    return {
      gateway: gateway.subject,
      bare: subject('bare', bare.pid, { origin: originOf(bare.port), key: 'none' }),
      upstream,
      store,
      gatewayStartedAtMs: startedAtMs,
      load: (command) => load.ask(command),
      stopGateway: gateway.stop,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Measured {
  readonly subject: Subject;
  stop(): Promise<void>;
}

async function selfTest(
  start: (script: string, parameters: readonly string[]) => Promise<BenchChild>,
  origin: string,
): Promise<Measured> {
  const second = await start('./bare-proxy.ts', [origin]);
  return {
    subject: subject('gateway', second.pid, { origin: originOf(second.port), key: 'none' }),
    stop: second.stop,
  };
}

async function realGateway(options: StageOptions, upstream: string, store: BenchStore | undefined): Promise<Measured> {
  const gateway = await startGateway({
    upstream,
    redisUrl: store?.url,
    profileDirectory: options.profileDirectory,
    main: options.main,
  });
  return { subject: subject('gateway', gateway.pid, gateway), stop: gateway.stop };
}
