import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** What a command printed and how it ended. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Variables for a command; undefined = not set. */
export type Variables = Readonly<Record<string, string | undefined>>;

const ROOT = join(import.meta.dirname, '..', '..');

/** Far more than any command here takes, also on a busy machine. */
const TIMEOUT_MS = 60_000;

/** The environment of a newcomer's shell: nothing of ours, nothing that another test runner set for Node.js. */
function shellEnvironment(variables: Variables): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_ENV: _mode, TOLLGATE_CONFIG: _config, ...inherited } = process.env;
  return { ...inherited, ...variables };
}

/** Runs a shell command in the checkout, or in `directory`. Never rejects for what the command does. */
export function runShell(command: string, variables: Variables = {}, directory = ROOT): Promise<Finished> {
  return runFile('bash', ['--norc', '-uo', 'pipefail', '-c', command], { variables, directory });
}

/** Runs a program. Never rejects for what it does. */
export function runFile(
  program: string,
  words: readonly string[],
  { variables = {}, directory = ROOT }: { variables?: Variables; directory?: string } = {},
): Promise<Finished> {
  return new Promise((resolve) => {
    const options = { cwd: directory, env: shellEnvironment(variables), timeout: TIMEOUT_MS, maxBuffer: 16_777_216 };
    execFile(program, words, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

/** A gateway as its reader started it. */
export interface StartedGateway {
  readonly key: string;
  /** `host:port` of each listener. */
  readonly data: string;
  readonly metrics: string;
  stop(): Promise<void>;
}

async function untilStarted(child: ChildProcess): Promise<Pick<StartedGateway, 'key' | 'data' | 'metrics'>> {
  let text = '';
  return new Promise((resolve, reject) => {
    const look = (chunk: string): void => {
      text += chunk;
      const key = /tg_\w{48}/.exec(text)?.[0];
      const [, data] = /"data":"http:\/\/([^"]+)"/.exec(text) ?? [];
      const [, metrics] = /"metrics":"http:\/\/([^"]+)"/.exec(text) ?? [];
      if (key !== undefined && data !== undefined && metrics !== undefined) resolve({ key, data, metrics });
    };
    child.stdout?.setEncoding('utf8').on('data', look);
    child.stderr?.setEncoding('utf8').on('data', look);
    child.once('exit', (code) => reject(new Error(`the command ended with ${code}:\n${text}`)));
    child.once('error', reject);
  });
}

/** Runs the command that starts a quick start, on free ports, and waits for its key. */
export async function startByCommand(command: string): Promise<StartedGateway> {
  const ports = { TOLLGATE_PORT: '0', TOLLGATE_ADMIN_PORT: '0', TOLLGATE_METRICS_PORT: '0' };
  // A group of its own, so that whatever the command started ends with it.
  const child = spawn('bash', ['--norc', '-c', command], { cwd: ROOT, env: shellEnvironment(ports), detached: true });
  const end = async (): Promise<void> => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    process.kill(-child.pid, 'SIGTERM');
    await exited;
  };
  try {
    return { ...(await untilStarted(child)), stop: end };
  } catch (error) {
    await end();
    throw error;
  }
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** True when the text holds the expected lines in their order; `…` stands for anything. */
export function hasLines(text: string, expected: string): boolean {
  const patterns = expected
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '…')
    .map((line) => new RegExp(`^${line.split('…').map(literal).join('.*')}$`));
  let next = 0;
  for (const line of text.split(/\r?\n/)) if (patterns[next]?.test(line.trim()) === true) next += 1;
  return next === patterns.length && next > 0;
}
