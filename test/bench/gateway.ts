import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateApiKey } from '../../src/contract/api-key.ts';
import { COLLECTING } from './process-figures.ts';
import { freePort } from './redis.ts';

/** A gateway under measurement. */
export interface BenchGateway {
  readonly pid: number;
  readonly origin: string;
  readonly key: string;
  /** When the process was started, on the clock of `performance.now()`. */
  readonly startedAtMs: number;
  stop(): Promise<void>;
}

export interface GatewayOptions {
  /** Where the upstream of all providers is. */
  readonly upstream: string;
  /** Absent = the embedded store. */
  readonly redisUrl: string | undefined;
  /** The built program. */
  readonly main: string;
  /** Where to leave a CPU profile; absent = none is taken. */
  readonly profileDirectory: string | undefined;
}

/** Models of the bench by name, and the provider that serves each. */
export const MODELS = {
  bench: 'azure',
  'bench-bedrock': 'bedrock',
  'bench-gemini': 'gemini',
  'bench-anthropic': 'anthropic',
  'bench-openai': 'openai',
  'bench-openai-compatible': 'compatible',
  'stream-100x50': 'azure',
  'stream-30x1000': 'azure',
} as const;

/** What a provider knows its model by, where the model's own name tells it nothing. */
const UPSTREAM_MODELS: Readonly<Record<string, string>> = {
  bedrock: 'anthropic.claude-3-haiku-20240307-v1:0',
  anthropic: 'claude-3-5-haiku-20241022',
};

/** High enough never to refuse, so that every limit is counted and none is felt. */
const LIMITS = { requestsPerMinute: 1_000_000_000, tokensPerMinute: 1_000_000_000_000 };

function configuration(options: GatewayOptions, ports: readonly number[]): unknown {
  const { upstream, redisUrl } = options;
  const [port, adminPort, metricsPort] = ports;
  const models = Object.entries(MODELS).map(([name, provider]) => [
    name,
    { deployments: [{ provider, model: UPSTREAM_MODELS[provider] ?? name }] },
  ]);
  return {
    server: { host: '127.0.0.1', port, adminPort, metricsPort, docs: false },
    redis: redisUrl === undefined ? {} : { url: redisUrl },
    auth: { pepper: randomBytes(32).toString('hex') },
    organisations: { default: { limits: LIMITS, teams: { bench: { limits: LIMITS } } } },
    keys: [{ id: 'bench', secret: '${BENCH_KEY}', team: 'bench', limits: LIMITS }],
    providers: {
      azure: { kind: 'azure-openai', endpoint: upstream, apiKey: 'bench' },
      bedrock: {
        kind: 'bedrock',
        region: 'eu-central-1',
        endpoint: upstream,
        credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'bench' },
      },
      gemini: { kind: 'gemini', baseUrl: upstream, apiKey: 'bench' },
      anthropic: { kind: 'anthropic', baseUrl: upstream, apiKey: 'bench' },
      openai: { kind: 'openai', baseUrl: `${upstream}/v1`, apiKey: 'bench' },
      compatible: { kind: 'openai-compatible', baseUrl: `${upstream}/v1`, apiKey: 'bench' },
    },
    models: Object.fromEntries(models),
  };
}

/** Resolves when the gateway says it is ready; rejects when it ends before, or after 30 seconds. */
async function ready(child: ChildProcess, metricsPort: number): Promise<void> {
  const until = performance.now() + 30_000;
  while (performance.now() < until) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the gateway was not ready within 30 seconds');
}

/** Starts the built gateway on free ports with a key of its own; its log goes nowhere, access lines included. */
export async function startGateway(options: GatewayOptions): Promise<BenchGateway> {
  const { main, profileDirectory } = options;
  if (!existsSync(main)) throw new Error(`${main} is missing; run "npm run build"`);
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  const directory = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
  const file = join(directory, 'tollgate.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configuration(options, ports)));
  const key = generateApiKey();
  const profiling = profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [...COLLECTING, ...profiling, main], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', TOLLGATE_CONFIG: file, BENCH_KEY: key },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await ready(child, ports[2]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: child.pid ?? 0, origin: `http://127.0.0.1:${ports[0]}`, key, startedAtMs, stop };
}
