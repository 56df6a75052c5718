import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { COLLECTING } from './process-figures.ts';

/** A process of the bench that answers commands one at a time. */
export interface BenchChild {
  readonly pid: number;
  /** Where it listens; 0 for a process that does not. */
  readonly port: number;
  /** Sends a command and waits for its answer; rejects with the child's own error text. */
  ask<Answer>(command: unknown): Promise<Answer>;
  stop(): Promise<void>;
}

type Answer = { readonly answer: unknown } | { readonly failure: string };

/** Starts a script of this folder and waits until it is ready. */
export async function startChild(script: string, parameters: readonly string[] = []): Promise<BenchChild> {
  const child = fork(new URL(script, import.meta.url), parameters, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: ['--no-warnings', ...COLLECTING],
  });
  const [port] = (await firstMessage(child, script)) as [number];
  const { pid } = child;
  if (pid === undefined) throw new Error(`${script} has no process id`);
  return {
    pid,
    port,
    ask: async <T>(command: unknown) => {
      child.send(command as object);
      const [message] = (await firstMessage(child, script)) as [Answer];
      if ('failure' in message) throw new Error(message.failure);
      return message.answer as T;
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

async function firstMessage(child: ChildProcess, script: string): Promise<unknown[]> {
  const done = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', { signal: done.signal }),
      once(child, 'exit', { signal: done.signal }).then(([code]) => {
        throw new Error(`${script} ended with ${String(code)}`);
      }),
    ]);
  } finally {
    done.abort();
  }
}

/** The child's side: says it is ready, answers commands, ends with its parent. */
export function serveCommands(port: number, handle: (command: never) => unknown): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (command) => {
    void Promise.resolve()
      .then(() => handle(command as never))
      .then(
        (answer) => process.send?.({ answer: answer ?? null } satisfies Answer),
        (error: unknown) => process.send?.({ failure: String(error) } satisfies Answer),
      );
  });
  process.send?.(port);
}
