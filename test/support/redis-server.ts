import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';

/** A store process of a test's own. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** True when it is a real redis-server, false for the WebAssembly build of Valkey. */
  readonly isNative: boolean;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
  /** Ends it by SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
  /** Holds it by SIGSTOP: connections stay open, nothing is answered. */
  pause(): void;
  /** Lets it go on after `pause`. */
  resume(): void;
  /** Runs a command over a connection of its own; the first line of the reply as it came (`+OK`, `:1`). */
  command(...words: readonly string[]): Promise<string>;
}

/** How a server is started. */
export interface RedisServerOptions {
  /** Port of 127.0.0.1; a free one by default. For starting anew where another server was. */
  readonly port?: number;
  /** Further words of redis-server's command line (`['--maxmemory', '1mb']`). Only a real server heeds them. */
  readonly arguments?: readonly string[];
}

/** Path of redis-server; undefined when it is not installed. */
export function findRedisServer(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  return folders
    .map((folder) => join(folder, 'redis-server'))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** A port of 127.0.0.1 nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function runCommand(port: number, words: readonly string[]): Promise<string> {
  const text = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('');
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write(`*${words.length}\r\n${text}`));
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(500, () => fail(new Error('the store did not answer')));
    socket.once('error', fail);
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString().split('\r\n', 1)[0] ?? '');
    });
  });
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`the store ended at its start with code ${child.exitCode}`);
    if ((await runCommand(port, ['PING']).catch(() => '')) === '+PONG') return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the store did not start');
}

function startProcess(port: number, options: RedisServerOptions): { child: ChildProcess; isNative: boolean } {
  const program = findRedisServer();
  if (program === undefined) {
    const script = join(import.meta.dirname, 'valkey.mjs');
    const child = fork(script, [String(port)], { stdio: 'ignore', execArgv: ['--no-warnings'] });
    return { child, isNative: false };
  }
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn(program, [...words, '--dir', '/tmp', ...(options.arguments ?? [])], { stdio: 'ignore' });
  return { child, isNative: true };
}

/** Starts a store process of one's own: a real redis-server where installed, else Valkey as WebAssembly. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const { child, isNative } = startProcess(port, options);
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  await untilListening(child, port);
  const end = async (signal: NodeJS.Signals) => {
    process.removeListener('exit', killWithUs);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const isGone = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await isGone;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    isNative,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    command: (...words) => runCommand(port, words),
  };
}
