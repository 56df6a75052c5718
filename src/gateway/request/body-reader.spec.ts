import { once } from 'node:events';
import { createServer, request as httpRequest, type ClientRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GatewayError } from '../../contract/errors.js';
import { markExpectsContinue, readBody } from './body-reader.js';

const MAX_BYTES = 10;
const LIMITS = { maxBytes: MAX_BYTES, timeoutMs: 30_000 };

/** What one request to a server that reads its body came to. */
interface Reading {
  /** The body as text, or the code of the refusal. */
  outcome: Promise<string>;
  readonly request: IncomingMessage;
  refusal?: GatewayError;
}

describe('readBody', () => {
  let server: Server;
  let readings: Reading[];
  /** Awaited before the body is read. */
  let before: (request: IncomingMessage) => Promise<unknown>;
  const clients: ClientRequest[] = [];

  beforeEach(async () => {
    readings = [];
    before = () => Promise.resolve();
    server = createServer((request, response) => {
      const reading: Reading = { outcome: Promise.resolve(''), request };
      reading.outcome = before(request)
        .then(() => readBody(request, response, LIMITS))
        .then(
          (body) => `body: ${body.toString()}`,
          (error: GatewayError) => {
            reading.refusal = error;
            return error.code;
          },
        );
      readings.push(reading);
      void reading.outcome.then(() => response.end());
      server.emit('reading');
    });
    server.on('checkContinue', (request: IncomingMessage, response) => {
      markExpectsContinue(request);
      server.emit('request', request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    jest.useRealTimers();
  });

  /** A request whose head has arrived; its body is for the test to write. */
  async function send(headers: Record<string, string>): Promise<{ client: ClientRequest; reading: Reading }> {
    const { port } = server.address() as AddressInfo;
    const client = httpRequest({ port, host: '127.0.0.1', method: 'POST', agent: false, headers });
    client.on('error', () => undefined);
    clients.push(client);
    const arrived = once(server, 'reading');
    client.flushHeaders();
    await arrived;
    const reading = readings.at(-1);
    if (reading === undefined) throw new Error('no request arrived');
    return { client, reading };
  }

  const JSON_TYPE = { 'content-type': 'application/json' };

  it('reads a body in one piece, in several, and an empty one', async () => {
    const whole = await send({ ...JSON_TYPE, 'content-length': '2' });
    whole.client.end('{}');
    expect(await whole.reading.outcome).toBe('body: {}');

    const pieces = await send({ ...JSON_TYPE, 'transfer-encoding': 'chunked' });
    const half = once(pieces.reading.request, 'data');
    pieces.client.write('{"a');
    await half;
    pieces.client.end('":1}');
    expect(await pieces.reading.outcome).toBe('body: {"a":1}');

    const empty = await send({ ...JSON_TYPE, 'content-length': '0' });
    empty.client.end();
    expect(await empty.reading.outcome).toBe('body: ');
  });

  it('takes a body as long as the limit, and not a byte more', async () => {
    const exact = await send({ ...JSON_TYPE, 'transfer-encoding': 'chunked' });
    exact.client.end('x'.repeat(MAX_BYTES));
    expect(await exact.reading.outcome).toBe(`body: ${'x'.repeat(MAX_BYTES)}`);

    const over = await send({ ...JSON_TYPE, 'transfer-encoding': 'chunked' });
    over.client.write('x'.repeat(MAX_BYTES + 1));
    expect(await over.reading.outcome).toBe('request_too_large');
    expect(over.reading.request.isPaused()).toBe(true);
    expect(over.reading.request.listenerCount('data')).toBe(0);
  });

  it('refuses a body that is declared too long without reading a byte', async () => {
    const { reading } = await send({ ...JSON_TYPE, 'content-length': String(MAX_BYTES + 1) });
    expect(await reading.outcome).toBe('request_too_large');
    expect(reading.request.listenerCount('data')).toBe(0);
  });

  it.each([
    ['application/json', 'body: {}'],
    ['Application/JSON; charset=utf-8', 'body: {}'],
    ['application/vnd.api+json', 'body: {}'],
    ['text/plain', 'unsupported_media_type'],
    ['application/x-www-form-urlencoded', 'unsupported_media_type'],
    ['application/jsonl', 'unsupported_media_type'],
  ])('of a body of the type %s says: %s', async (type, outcome) => {
    const { client, reading } = await send({ 'content-type': type, 'content-length': '2' });
    client.end('{}');
    expect(await reading.outcome).toBe(outcome);
  });

  it('refuses a body without a type, and a compressed one', async () => {
    const untyped = await send({ 'content-length': '2' });
    expect(await untyped.reading.outcome).toBe('unsupported_media_type');
    const compressed = await send({ ...JSON_TYPE, 'content-encoding': 'gzip', 'content-length': '2' });
    expect(await compressed.reading.outcome).toBe('unsupported_media_type');
    const plain = await send({ ...JSON_TYPE, 'content-encoding': 'identity', 'content-length': '2' });
    plain.client.end('{}');
    expect(await plain.reading.outcome).toBe('body: {}');
  });

  it('asks for a body that waits for "100 Continue" only when it will take it', async () => {
    const expecting = { ...JSON_TYPE, expect: '100-continue' };
    const taken = await send({ ...expecting, 'content-length': '2' });
    await once(taken.client, 'continue');
    taken.client.end('{}');
    expect(await taken.reading.outcome).toBe('body: {}');

    const refused = await send({ ...expecting, 'content-length': '11' });
    const onContinue = jest.fn();
    refused.client.on('continue', onContinue);
    await once(refused.client, 'response');
    expect(await refused.reading.outcome).toBe('request_too_large');
    expect(onContinue).not.toHaveBeenCalled();
  });

  it('refuses a transfer coding it cannot undo, and has the connection closed', async () => {
    const { reading } = await send({ ...JSON_TYPE, 'transfer-encoding': 'gzip, chunked' });
    expect(await reading.outcome).toBe('unsupported_media_type');
    expect(reading.refusal?.headers).toEqual({ connection: 'close' });
  });

  it('waits no longer than it may, and has the connection of a late body closed', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'clearImmediate', 'queueMicrotask', 'Date'] });
    const late = await send({ ...JSON_TYPE, 'content-length': '9' });
    const started = once(late.reading.request, 'data');
    late.client.write('{"a');
    await started;
    jest.advanceTimersByTime(LIMITS.timeoutMs - 1);
    expect(late.reading.refusal).toBeUndefined();
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(1);
    expect(await late.reading.outcome).toBe('request_timeout');
    expect(late.reading.refusal?.headers).toEqual({ connection: 'close' });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves no clock behind', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'clearImmediate', 'queueMicrotask', 'Date'] });
    const read = await send({ ...JSON_TYPE, 'content-length': '2' });
    expect(jest.getTimerCount()).toBe(1);
    read.client.end('{}');
    expect(await read.reading.outcome).toBe('body: {}');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives up when the client leaves in the middle', async () => {
    const { client, reading } = await send({ ...JSON_TYPE, 'content-length': '9' });
    client.write('{"a');
    client.destroy();
    expect(await reading.outcome).toBe('client_closed');
  });

  it('gives up when the client has left already', async () => {
    before = (request) => new Promise((resolve) => request.on('error', () => undefined).once('close', resolve));
    const { client, reading } = await send({ ...JSON_TYPE, 'content-length': '9' });
    client.destroy();
    expect(await reading.outcome).toBe('client_closed');
  });
});
