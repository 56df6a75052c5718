import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { ManualTicker } from '../../../test/support/relay-fakes.ts';
import { record } from '../../../test/support/routing-builders.ts';
import { LiveRequest } from '../request/live-request.js';
import { ResponseWriter, type StreamSettings } from './response-writer.js';
import type { StreamTicker } from './stream-ticker.js';

const START = 1_000_000;
const PING = ': ping\n\n';
const SETTINGS: StreamSettings = {
  holdMs: 15_000,
  heartbeatMs: 10_000,
  stallMs: 60_000,
  maxBufferedBytes: 65_536,
  maxEventBytes: 1_024,
};

describe('the writer of an answer', () => {
  let server: Server;
  let client: Socket;
  let seen: string;
  let response: ServerResponse;
  let writer: ResponseWriter;
  let live: LiveRequest;
  let ticker: ManualTicker;
  let settings: StreamSettings;

  beforeEach(async () => {
    jest.useFakeTimers({
      now: START,
      doNotFake: [
        ...(['nextTick', 'setImmediate', 'clearImmediate', 'queueMicrotask', 'performance', 'hrtime'] as const),
        ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const),
      ],
    });
    ticker = new ManualTicker();
    settings = SETTINGS;
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = await connected();
    seen = '';
    client.setEncoding('latin1').on('data', (chunk: string) => (seen += chunk));
    await request();
  });

  afterEach(async () => {
    client.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    jest.useRealTimers();
  });

  async function connected(): Promise<Socket> {
    const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  /** Makes `response` and its writer those of a new request on the connection. */
  async function request(): Promise<void> {
    const arrived = once(server, 'request');
    client.write('GET / HTTP/1.1\r\nhost: gateway\r\n\r\n');
    [, response] = (await arrived) as [unknown, ServerResponse];
    live = new LiveRequest('req_1', 'data', record({ startedAtMs: START }), () => undefined);
    writer = new ResponseWriter(response, live, settings, ticker as unknown as StreamTicker);
  }

  async function until(text: string): Promise<void> {
    while (!seen.includes(text)) await once(client, 'data');
  }

  /** The clock moves and everything ticks. */
  function passed(ms: number): void {
    jest.setSystemTime(START + ms);
    ticker.tick(START + ms);
  }

  /** The body so far, its chunks put together. */
  function body(): string {
    const [, ...rest] = seen.split('\r\n\r\n');
    return rest
      .join('\r\n\r\n')
      .replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, '')
      .replaceAll('\r\n', '');
  }

  describe('that is whole', () => {
    it.each([
      ['text', '{"a":"ü"}'],
      ['bytes', Buffer.from('{"a":"ü"}')],
      ['many bytes', Buffer.from(`{"a":"${'ü'.repeat(20_000)}"}`)],
    ])('sends %s with its length and headers', async (_name, bytes) => {
      const text = Buffer.from(bytes).toString('latin1');
      writer.whole(bytes, { 'x-a': 'b', 'content-type': 'text/plain' });
      await until(text);
      const head = seen.slice(0, seen.indexOf('\r\n\r\n')).toLowerCase();
      expect(head).toMatch(/^http\/1\.1 200 /);
      expect(head.split('\r\n')).toEqual(
        expect.arrayContaining([
          'x-a: b',
          'content-type: application/json',
          'cache-control: no-store',
          `content-length: ${text.length}`,
        ]),
      );
      expect(seen.endsWith(`\r\n\r\n${text}`)).toBe(true);
      expect(live.record.bytesOut).toBe(text.length);
      expect(writer.begun).toBe(true);
    });

    it('of great length leaves as its client takes it, and is cut when it does not', async () => {
      const text = 'x'.repeat(1_000_000);
      writer.whole(text, {});
      expect(live.record.bytesOut).toBeLessThan(200_000);
      await until('\r\n\r\n');
      while (seen.length < text.length) await once(client, 'data');
      expect(seen.endsWith(`\r\n\r\n${text}`)).toBe(true);
      expect(live.record.bytesOut).toBe(text.length);

      await request();
      client.pause();
      writer.whole('x'.repeat(32 * 1_048_576), {});
      await once(response, 'drain');
      passed(SETTINGS.stallMs + 1);
      expect(response.destroyed).toBe(true);
      expect(live.record.bytesOut).toBeLessThan(32 * 1_048_576);
    });

    it('says nothing to a client that has gone', async () => {
      client.destroy();
      await once(response, 'close');
      writer.whole('{}', {});
      expect([writer.begun, live.record.bytesOut]).toEqual([false, 0]);
    });
  });

  describe('that is a stream', () => {
    const WATCHED = { 'x-limit': '5' };
    beforeEach(() => writer.watch('text/event-stream', () => WATCHED));

    it('begins once, with the headers of a stream, and ends', async () => {
      expect(writer.begun).toBe(false);
      writer.begin({ 'x-a': 'b' });
      writer.begin({ 'x-a': 'c' });
      expect(writer.begun).toBe(true);
      expect(writer.write('data: "ü"\n\n')).toBe(true);
      expect(writer.write(Buffer.from('data: 2\n\n'))).toBe(true);
      writer.end();
      writer.end();
      expect(writer.write('late')).toBe(true);
      await until('0\r\n\r\n');
      const head = seen.slice(0, seen.indexOf('\r\n\r\n')).toLowerCase().split('\r\n');
      expect(head).toEqual(
        expect.arrayContaining([
          'x-a: b',
          'content-type: text/event-stream',
          'cache-control: no-cache, no-transform',
          'x-accel-buffering: no',
        ]),
      );
      expect(seen).toContain('data: 2\n\n');
      expect(seen).not.toContain('late');
      expect(live.record.bytesOut).toBe('data: "ü"\n\n'.length + 1 + 'data: 2\n\n'.length);
    });

    it('sends its head at once, before any event', async () => {
      writer.begin();
      await until('\r\n\r\n');
      expect(seen).toContain('200 OK');
    });

    it('tells a failure and ends', async () => {
      writer.begin();
      writer.fail('data: error\n\n');
      writer.fail('data: another\n\n');
      await until('0\r\n\r\n');
      expect(body()).toContain('data: error\n\n');
      expect(seen).not.toContain('another');
    });

    it('is watched until its client has taken it all', async () => {
      expect(ticker.entries.size).toBe(1);
      writer.begin();
      writer.end();
      await once(response, 'close');
      expect(ticker.entries.size).toBe(0);
    });

    it('is watched until its connection is gone', async () => {
      client.destroy();
      await once(response, 'close');
      expect(ticker.entries.size).toBe(0);
    });

    it('is not watched at all when its connection was gone already', async () => {
      client.destroy();
      await once(response, 'close');
      new ResponseWriter(response, live, settings, ticker as unknown as StreamTicker).watch(
        'text/event-stream',
        () => ({}),
      );
      expect(ticker.entries.size).toBe(0);
    });

    it('to a client that has gone says nothing', async () => {
      client.destroy();
      await once(response, 'close');
      writer.begin();
      expect(writer.write('data: 1\n\n')).toBe(true);
      writer.fail('data: 2\n\n');
      passed(SETTINGS.holdMs);
      expect([writer.begun, live.record.bytesOut]).toEqual([false, 0]);
    });
  });

  describe('the hold', () => {
    beforeEach(() => writer.watch('text/event-stream', () => ({ 'x-limit': '5' })));

    it('ends with the status, the headers known by then, and a comment', async () => {
      passed(SETTINGS.holdMs - 1);
      expect(writer.begun).toBe(false);
      passed(SETTINGS.holdMs);
      expect(writer.begun).toBe(true);
      await until(PING);
      expect(seen.toLowerCase()).toContain('content-type: text/event-stream');
      expect(seen).toContain('x-limit: 5');
    });

    it('leaves nothing to begin, and everything to write', async () => {
      passed(SETTINGS.holdMs);
      writer.begin({ 'x-late': '1' });
      writer.write('data: 1\n\n');
      await until('data: 1');
      expect(body()).toBe(`${PING}data: 1\n\n`);
      expect(seen).not.toContain('x-late');
    });
  });

  describe('the heartbeat', () => {
    beforeEach(() => {
      writer.watch('text/event-stream', () => ({}));
      writer.begin();
    });

    it('is a comment after each silence, and only then', async () => {
      jest.setSystemTime(START + 500);
      writer.write('data: 1\n\n');
      passed(500 + SETTINGS.heartbeatMs - 1);
      passed(500 + SETTINGS.heartbeatMs);
      passed(500 + SETTINGS.heartbeatMs + 100);
      passed(500 + 2 * SETTINGS.heartbeatMs);
      writer.write('data: 2\n\n');
      await until('data: 2');
      expect(body()).toBe(`data: 1\n\n${PING}${PING}data: 2\n\n`);
    });

    it('falls silent with the end', async () => {
      writer.end();
      passed(SETTINGS.heartbeatMs);
      await until('0\r\n\r\n');
      expect(seen).not.toContain('ping');
    });

    it('stays out of an answer that somebody else has ended, whenever it ticks', async () => {
      const failed = jest.fn();
      response.on('error', failed);
      response.end();
      expect(() => writer.tick(START + SETTINGS.heartbeatMs)).not.toThrow();
      expect(() => writer.write('data: late\n\n')).not.toThrow();
      await until('0\r\n\r\n');
      expect(seen).not.toMatch(/ping|late/);
      expect(failed).not.toHaveBeenCalled();
    });
  });

  describe('to a slow client', () => {
    beforeEach(() => {
      writer.watch('text/event-stream', () => ({}));
      writer.begin();
    });

    /** Fills every buffer between the writer and a client that reads nothing. */
    function fill(): boolean {
      client.pause();
      return writer.write(Buffer.alloc(32 * 1_048_576, 0x20));
    }

    it('says so when more waits than may, and again when all has left', async () => {
      const drained = jest.fn();
      writer.onDrain = drained;
      expect(writer.write('data: 1\n\n')).toBe(true);
      expect(writer.write(Buffer.alloc(SETTINGS.maxBufferedBytes))).toBe(false);
      await once(response, 'drain');
      expect(drained).toHaveBeenCalledTimes(1);
      expect(writer.write('data: 2\n\n')).toBe(true);
    });

    it('with a bound below Node’s own waits only for what Node will tell of', () => {
      // Between the two bounds no drain would ever come, and the client be taken for stalled.
      settings = { ...SETTINGS, maxBufferedBytes: 16_384 };
      const small = new ResponseWriter(response, live, settings, ticker as unknown as StreamTicker);
      expect(small.write(Buffer.alloc(20_000))).toBe(true);
      expect(small.write(Buffer.alloc(65_536))).toBe(false);
    });

    it('sends no comment into what waits', () => {
      expect(fill()).toBe(false);
      const before = live.record.bytesOut;
      passed(SETTINGS.heartbeatMs);
      expect(live.record.bytesOut).toBe(before);
    });

    it('cuts it when it takes nothing for too long', async () => {
      fill();
      passed(SETTINGS.stallMs);
      expect(response.destroyed).toBe(false);
      const closed = once(response, 'close');
      passed(SETTINGS.stallMs + 1);
      await closed;
      expect(response.writableFinished).toBe(false);
    });

    it('counts from the first byte that waited, whatever is written after it', async () => {
      fill();
      jest.setSystemTime(START + SETTINGS.stallMs);
      expect(writer.write('data: 1\n\n')).toBe(false);
      passed(SETTINGS.stallMs + 1);
      expect(response.destroyed).toBe(true);
    });

    it('cuts it too when all is written, and it does not take it', async () => {
      fill();
      writer.end();
      passed(SETTINGS.stallMs);
      expect(response.destroyed).toBe(false);
      passed(SETTINGS.stallMs + 1);
      expect(response.destroyed).toBe(true);
      await once(response, 'close');
      expect(ticker.entries.size).toBe(0);
    });

    it('forgives once it has taken everything', async () => {
      fill();
      client.resume();
      await once(response, 'drain');
      passed(SETTINGS.stallMs + 1);
      expect(response.destroyed).toBe(false);
    });
  });
});
