import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect, type AddressInfo } from 'node:net';

/** A store that was started for the bench. */
export interface BenchStore {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A port nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves when somebody accepts connections on the port; rejects when `child` ended before. */
async function listening(port: number, ended: Promise<never>): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
      ended,
    ]);
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Starts redis-server without persistence; undefined where it is not installed. */
export async function startStore(): Promise<BenchStore | undefined> {
  const port = await freePort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', options, { stdio: 'ignore' });
  const ended = Promise.race([once(child, 'exit'), once(child, 'error')]).then(() => {
    throw new Error('redis-server did not start');
  });
  ended.catch(() => undefined);
  try {
    await listening(port, ended);
  } catch {
    return undefined;
  }
  const { pid = 0 } = child;
  const stop = async (): Promise<void> => {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  };
  return { url: `redis://127.0.0.1:${port}`, pid, stop };
}
