import { connect, type Socket } from 'node:net';
import { chatBody, startWorld, type World } from './world.ts';

/** Speaks raw HTTP, so that what is and is not read can be seen. */
function raw(
  world: World,
  head: readonly string[],
): { socket: Socket; seen: () => string; until: (text: string) => Promise<void>; closed: Promise<void> } {
  const { hostname, port } = new URL(world.gateway.data);
  const socket = connect(Number(port), hostname);
  let text = '';
  let wake: () => void = () => undefined;
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => {
      wake();
      resolve();
    }),
  );
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  return {
    socket,
    closed,
    seen: () => text,
    until: async (wanted) => {
      while (!text.includes(wanted)) {
        if (socket.destroyed) throw new Error(`the connection closed after: ${text}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

describe('no body is read for strangers', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ config: { server: { host: '127.0.0.1', maxBodyBytes: 4_096 } } });
  });
  afterAll(() => world.stop());

  const head = (...extra: string[]) => [
    'POST /v1/chat/completions HTTP/1.1',
    'host: gateway',
    'content-type: application/json',
    ...extra,
  ];

  it('a stranger is refused before its body is sent, and cannot go on sending', async () => {
    const connection = raw(world, head('content-length: 100000000'));
    await connection.until('401 Unauthorized');
    expect(connection.seen().toLowerCase()).toContain('connection: close');
    const noise = Buffer.alloc(65_536, 0x20);
    connection.socket.on('drain', () => connection.socket.write(noise));
    connection.socket.write(noise);
    await connection.closed;
    expect(connection.socket.bytesWritten).toBeLessThan(10_000_000);
  });

  it('"100 Continue" is said to callers only', async () => {
    const body = JSON.stringify(chatBody('single'));
    const stranger = raw(world, head('expect: 100-continue', `content-length: ${body.length}`, 'connection: close'));
    await stranger.until('401 Unauthorized');
    expect(stranger.seen()).not.toContain('100 Continue');
    stranger.socket.destroy();

    const caller = raw(
      world,
      head(
        'expect: 100-continue',
        `authorization: Bearer ${world.key}`,
        `content-length: ${body.length}`,
        'connection: close',
      ),
    );
    await caller.until('100 Continue');
    caller.socket.write(body);
    await caller.until('200 OK');
    await caller.until('Hello from the model.');
    caller.socket.destroy();
  });

  it('a caller whose body is declared too large is refused without reading it', async () => {
    const connection = raw(
      world,
      head(`authorization: Bearer ${world.key}`, 'expect: 100-continue', 'content-length: 5000'),
    );
    await connection.until('413 Payload Too Large');
    expect(connection.seen()).not.toContain('100 Continue');
    connection.socket.destroy();
  });

  it('an endless chunked body is cut at the limit', async () => {
    const connection = raw(world, head(`authorization: Bearer ${world.key}`, 'transfer-encoding: chunked'));
    const chunk = `1000\r\n${' '.repeat(4_096)}\r\n`;
    connection.socket.on('drain', () => connection.socket.write(chunk));
    for (let count = 0; count < 4; count += 1) connection.socket.write(chunk);
    await connection.until('413 Payload Too Large');
    await connection.closed;
    expect(world.azure.records.filter(({ json }) => json === undefined)).toHaveLength(0);
  });

  it.each([
    ['two lengths', ['content-length: 3', 'content-length: 4']],
    ['length and chunks', ['content-length: 3', 'transfer-encoding: chunked']],
    ['an unknown transfer coding', ['transfer-encoding: xchunked']],
    ['a folded header', ['x-a: b', ' c']],
    ['a bare line feed', ['x-a: b\nx-b: c']],
    ['a NUL in a header', ['x-a: \u0000']],
  ])('broken framing is refused and the connection closed: %s', async (_name, lines) => {
    const before = world.azure.records.length;
    const connection = raw(world, head(`authorization: Bearer ${world.key}`, ...lines));
    connection.socket.write('{}\r\n\r\n');
    await connection.until('HTTP/1.1 4');
    expect(connection.seen()).toMatch(/^HTTP\/1\.1 4\d\d /);
    connection.socket.destroy();
    expect(world.azure.records).toHaveLength(before);
  });

  it('headers beyond 16 KiB are a 431', async () => {
    const connection = raw(world, head(`x-large: ${'a'.repeat(17_000)}`));
    await connection.until('431');
    connection.socket.destroy();
  });
});
