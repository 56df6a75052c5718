import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A configuration as JSON, which YAML contains. */
export type ConfigDocument = Readonly<Record<string, unknown>>;

export interface GatewayOptions {
  /** Absent = no file at all: quick start. */
  readonly config?: ConfigDocument;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
  /** Default 'inherit' for nothing: both streams are collected in `output`. */
  readonly readyTimeoutMs?: number;
}

/** A real gateway process on free ports. */
export interface GatewayProcess {
  readonly process: ChildProcess;
  /** `http://127.0.0.1:port` of each listener. */
  readonly data: string;
  readonly admin: string;
  readonly metrics: string;
  /** Directory of the configuration file. */
  readonly directory: string;
  /** Everything printed so far. */
  output(): string;
  /** Log lines that are JSON, parsed. */
  logLines(): Record<string, unknown>[];
  /** The access line of a request, awaited. */
  accessLine(requestId: string): Promise<Record<string, unknown>>;
  /** Awaits a log line that fulfils the predicate. */
  logLine(predicate: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  writeConfig(config: ConfigDocument): Promise<void>;
  /** Sends SIGTERM, or the signal given, and resolves with the exit code (null = killed by the signal). */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const ROOT = join(import.meta.dirname, '..', '..');

interface Listening {
  readonly data: string;
  readonly admin: string;
  readonly metrics: string;
}

function parseLine(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Collects a process's output and tells of each JSON line. */
class Output {
  text = '';
  readonly lines: Record<string, unknown>[] = [];
  private rest = '';
  private listeners = new Set<() => void>();

  take(chunk: string): void {
    this.text += chunk;
    const lines = (this.rest + chunk).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      const parsed = parseLine(line);
      if (parsed !== undefined) this.lines.push(parsed);
    }
    for (const listener of [...this.listeners]) listener();
  }

  async line(predicate: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.lines.find(predicate);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.listeners.delete(listener);
          resolve();
        };
        this.listeners.add(listener);
      });
    }
  }
}

function isListening(value: unknown): value is Listening {
  return typeof value === 'object' && value !== null && 'data' in value && 'metrics' in value;
}

/** Starts dist/main.js and resolves once it is ready. */
export async function startGateway(options: GatewayOptions = {}): Promise<GatewayProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'tollgate-'));
  const file = join(directory, 'tollgate.yaml');
  const writeConfig = (config: ConfigDocument): Promise<void> => writeFile(file, JSON.stringify(config, null, 2));
  if (options.config !== undefined) await writeConfig(options.config);
  const { NODE_OPTIONS: _options, TOLLGATE_CONFIG: _config, ...inherited } = process.env;
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), join(ROOT, 'dist', 'main.js')], {
    cwd: directory,
    env: {
      ...inherited,
      ...(options.config === undefined ? {} : { TOLLGATE_CONFIG: file }),
      TOLLGATE_PORT: '0',
      TOLLGATE_ADMIN_PORT: '0',
      TOLLGATE_METRICS_PORT: '0',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = new Output();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => output.take(chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => output.take(chunk));
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const ready = output.line((line) => isListening(line['listening']));
  const timeout = AbortSignal.timeout(options.readyTimeoutMs ?? 15_000);
  const line = await Promise.race([
    ready,
    exited.then(([code]) => Promise.reject(new Error(`the gateway exited with ${code}:\n${output.text}`))),
    once(timeout, 'abort').then(() => Promise.reject(new Error(`the gateway is not ready:\n${output.text}`))),
  ]);
  const listening = line['listening'] as Listening;
  return {
    process: child,
    ...listening,
    directory,
    writeConfig,
    output: () => output.text,
    logLines: () => output.lines,
    logLine: (predicate) => output.line(predicate),
    accessLine: (requestId) => output.line((entry) => entry['request_id'] === requestId && 'outcome' in entry),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code] = await exited;
      await rm(directory, { recursive: true, force: true });
      return code;
    },
  };
}
