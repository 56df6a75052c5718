import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { endUnread, hasUnreadUpload } from './refused-upload.js';

const LINGER_MS = 1_000;
const LINGER_BYTES = 65_536;
const BODY = '{"error":{}}';

const head = (...lines: string[]): string => ['POST / HTTP/1.1', 'host: gateway', ...lines, '', ''].join('\r\n');

describe('a refused upload', () => {
  let server: Server;
  let client: Socket;
  let seen: string;
  /** Our side of the present request. */
  let request: IncomingMessage;
  /** Resolves when the present answer is over. */
  let over: Promise<unknown>;
  /** Whether an upload was under way when the request was refused. */
  let isUnread: boolean;
  /** True = the answer closes the connection in any case. */
  let closes: boolean;
  /** True = the request is read to its end before it is refused. */
  let readsFirst: boolean;

  beforeEach(async () => {
    // Only the clock of the code under test is ours: sockets go on as they do.
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'clearImmediate', 'queueMicrotask', 'Date'] });
    [closes, readsFirst, seen] = [false, false, ''];
    server = createServer((arrived, response) => {
      request = arrived;
      over = new Promise((resolve) => response.once('close', resolve));
      const refuse = (): void => {
        isUnread = hasUnreadUpload(request, closes);
        const connection = closes || isUnread ? { connection: 'close' } : {};
        response.writeHead(413, { 'content-length': BODY.length, ...connection });
        if (isUnread) endUnread(request, response, BODY);
        else response.end(BODY);
      };
      if (readsFirst) request.resume().on('end', refuse);
      else refuse();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    client = connect({ port, host: '127.0.0.1' });
    client.setEncoding('utf8').on('data', (chunk: string) => (seen += chunk));
    client.on('error', () => undefined);
  });

  afterEach(async () => {
    client.destroy();
    server.closeAllConnections();
    server.close();
    await over;
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  async function answered(): Promise<void> {
    while (!seen.endsWith(BODY)) await once(client, 'data');
  }

  it.each([
    ['that was read whole', true, false, 'content-length: 70000', false],
    ['that was read whole, of an answer that closes', true, true, 'content-length: 70000', false],
    ['that is small', false, false, `content-length: ${LINGER_BYTES}`, false],
    ['that is small, of an answer that closes', false, true, `content-length: ${LINGER_BYTES}`, true],
    ['that is large', false, false, `content-length: ${LINGER_BYTES + 1}`, true],
    ['of unknown length', false, false, 'transfer-encoding: chunked', true],
  ])('%s', async (_name, isRead, isLast, header, expected) => {
    [readsFirst, closes] = [isRead, isLast];
    client.write(head(header));
    if (isRead) client.write('x'.repeat(70_000));
    await answered();
    expect(isUnread).toBe(expected);
  });

  it('that is small keeps its connection: Node reads it away', async () => {
    client.write(`${head(`content-length: ${LINGER_BYTES}`)}${'x'.repeat(LINGER_BYTES)}`);
    await answered();
    seen = '';
    client.write(head('content-length: 0'));
    await answered();
    expect(seen).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('is answered at once, and closed when it was sent whole', async () => {
    client.write(head('transfer-encoding: chunked'));
    await answered();
    expect(request.socket.destroyed).toBe(false);
    client.write('3\r\nabc\r\n0\r\n\r\n');
    await new Promise((resolve) => client.once('close', resolve));
    expect(seen.toLowerCase()).toContain('connection: close');
  });

  it('is closed after a second, whatever the client does', async () => {
    client.write(head('content-length: 70000'));
    await answered();
    jest.advanceTimersByTime(LINGER_MS - 1);
    expect(request.socket.destroyed).toBe(false);
    jest.advanceTimersByTime(1);
    await over;
  });

  it('waits on its client’s side when it goes on beyond the bound', async () => {
    client.write(head('content-length: 100000000'));
    await answered();
    let taken = 0;
    request.on('data', (chunk: Buffer) => (taken += chunk.length));
    const paused = once(request, 'pause');
    client.write('x'.repeat(4 * LINGER_BYTES));
    await paused;
    expect(taken).toBeGreaterThan(LINGER_BYTES);
    expect(taken).toBeLessThanOrEqual(3 * LINGER_BYTES);
  });

  it('is over when the client closes', async () => {
    client.write(head('content-length: 70000'));
    await answered();
    client.destroy();
    await over;
  });
});
