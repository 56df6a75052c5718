import { connect, type Socket } from 'node:net';

/** A TCP connection over which a test says exactly what it wants. */
export interface RawConnection {
  readonly socket: Socket;
  /** Everything received so far, one character a byte. */
  seen(): string;
  /** Resolves when the text was received; rejects when the connection closes first. */
  until(text: string): Promise<void>;
  /** Resolves when the other side has ended its half. */
  readonly ended: Promise<void>;
  /** Resolves when the connection is gone, with the error code that ended it; '' = none. */
  readonly closed: Promise<string>;
}

/**
 * Connects to an origin. With `staysOpen` our half stays open when the other side ends its own, as a hostile client
 * leaves it.
 */
export function openRaw(origin: string, options: { readonly staysOpen?: boolean } = {}): RawConnection {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: options.staysOpen === true });
  let text = '';
  let code = '';
  const wakers = new Set<() => void>();
  const wake = (): void => wakers.forEach((waker) => waker());
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? 'unknown'));
  const ended = new Promise<void>((resolve) => socket.once('end', resolve).once('close', () => resolve()));
  const closed = new Promise<string>((resolve) =>
    socket.once('close', () => {
      wake();
      resolve(code);
    }),
  );
  return {
    socket,
    ended,
    closed,
    seen: () => text,
    until: async (wanted) => {
      for (let from = 0; !text.includes(wanted, from);) {
        from = Math.max(0, text.length - wanted.length);
        if (socket.destroyed) throw new Error(`the connection closed (${code}) after: ${text.slice(-2_000)}`);
        await new Promise<void>((resolve) => {
          const waker = (): void => {
            wakers.delete(waker);
            resolve();
          };
          wakers.add(waker);
        });
      }
    },
  };
}

/** A request as bytes: the head lines, and a body with its length where one is given. */
export function rawRequest(head: readonly string[], body?: string): string {
  const length = body === undefined ? [] : [`content-length: ${Buffer.byteLength(body)}`];
  return `${[...head, ...length].join('\r\n')}\r\n\r\n${body ?? ''}`;
}
