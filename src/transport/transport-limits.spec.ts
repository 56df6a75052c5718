import type { ContextOptions } from '../../test/support/provider-context.ts';
import { FIVE_WORDS, PlainUpstream, codeOf, drain, requestTo } from '../../test/support/transport-calls.ts';
import { Transport, type TransportSettings } from './transport.js';
import type { UpstreamRequest } from './upstream.js';

const SETTINGS: TransportSettings = { connectionsPerOrigin: 8, keepAliveMs: 4_000, maxResponseBytes: 1_000_000 };

describe('Transport under limits', () => {
  let fake: PlainUpstream;
  let transport: Transport;
  let origin: string;

  beforeEach(async () => {
    fake = new PlainUpstream();
    origin = await fake.listen();
    transport = new Transport(SETTINGS);
  });

  afterEach(async () => {
    await transport.close();
    await fake.close();
  });

  function request(options: ContextOptions = {}): UpstreamRequest {
    return requestTo(`${origin}/path?q=1`, options);
  }

  describe('timeouts', () => {
    it('ends a whole call that takes longer than its total', async () => {
      fake.enqueue({ delivery: { silent: true } });
      const startMs = performance.now();
      expect(await codeOf(transport.send(request({ timeouts: { totalMs: 300 } })))).toBe('provider_timeout');
      expect(performance.now() - startMs).toBeGreaterThan(250);
      await fake.records[0]?.closed;
    });

    it('ends a stream whose headers do not come', async () => {
      fake.enqueue({ delivery: { silent: true } });
      expect(await codeOf(transport.open(request({ timeouts: { firstContentMs: 150 } })))).toBe('provider_timeout');
      await fake.records[0]?.closed;
    });

    it('ends a stream that falls silent, after what it had sent', async () => {
      fake.enqueue({ wire: FIVE_WORDS, delivery: { stallAfterPieces: 2 } });
      const { source } = await transport.open(request({ timeouts: { idleMs: 150 } }));
      const heard = await drain(source);
      expect(heard).toMatchObject({ text: 'one two ', error: 'provider_timeout' });
      await fake.records[0]?.closed;
    });

    it('does not end a stream that keeps coming', async () => {
      fake.enqueue({ wire: FIVE_WORDS, delivery: { gapMs: 100 } });
      const { source } = await transport.open(request({ timeouts: { idleMs: 250 } }));
      expect(await drain(source)).toEqual({ text: 'one two three four five' });
    });

    it('ends a stream that keeps coming beyond its total', async () => {
      fake.enqueue({ wire: FIVE_WORDS, delivery: { gapMs: 100 } });
      const { source } = await transport.open(request({ timeouts: { totalMs: 250 } }));
      expect((await drain(source)).error).toBe('provider_timeout');
    });

    it.each([
      ['before the first byte was taken', { stallAfterPieces: 1 }],
      ['in the middle', { firstPieceMs: 20, stallAfterPieces: 1 }],
    ])('does not take our own pause for silence, %s', async (_name, delivery) => {
      fake.enqueue({ wire: FIVE_WORDS, delivery });
      const { source } = await transport.open(request({ timeouts: { idleMs: 100 } }));
      const heard: string[] = [];
      const failed = new Promise<void>((resolve) => {
        source.start({
          data: (chunk) => heard.push(chunk.toString()) < 0,
          end: () => void heard.push('end'),
          error: ({ code }) => {
            heard.push(code);
            resolve();
          },
        });
      });
      // Another call's timeout is the clock: several times the silence allowed has passed by then.
      fake.enqueue({ delivery: { silent: true } });
      await codeOf(transport.send(request({ timeouts: { totalMs: 400 } })));
      expect(heard).toEqual(['one ']);
      source.resume();
      await failed;
      expect(heard).toEqual(['one ', 'provider_timeout']);
    });

    it('waits for a free connection only as long as for a connect', async () => {
      const narrow = new Transport({ ...SETTINGS, connectionsPerOrigin: 1 });
      fake.enqueue({ delivery: { silent: true } });
      const first = codeOf(narrow.send(request()));
      await fake.nextRequest();
      let dispatched = false;
      const second = request({ timeouts: { connectMs: 100 }, onDispatch: () => (dispatched = true) });
      expect(await codeOf(narrow.send(second))).toBe('provider_timeout');
      await narrow.close();
      expect(await first).toBe('provider_unreachable');
      expect(dispatched).toBe(false);
      expect(fake.records).toHaveLength(1);
    });
  });

  describe('backpressure', () => {
    it('stops reading while the sink is paused, and loses nothing', async () => {
      const megabytes = 16;
      const pieces = Array.from({ length: megabytes * 16 }, () => Buffer.alloc(65_536, 'x'));
      fake.enqueue({ wire: { ...FIVE_WORDS, pieces }, delivery: { writeBytes: 65_536 } });
      const { source } = await transport.open(request());
      let bytes = 0;
      let isPaused = true;
      const ended = new Promise<void>((resolve, reject) => {
        source.start({
          data: (chunk) => {
            bytes += chunk.length;
            return !isPaused;
          },
          end: resolve,
          error: reject,
        });
      });
      const record = fake.records[0];
      // Loopback carries the whole body in less time than these calls take.
      for (let call = 0; call < 200; call += 1) await transport.send(request());
      expect(bytes).toBeLessThan(200_000);
      expect(record?.bytesOut).toBeLessThan(megabytes * 1_048_576);
      isPaused = false;
      source.resume();
      await ended;
      expect(bytes).toBe(megabytes * 1_048_576);
    });
  });

  it('delivers what had arrived before a break, even to a paused sink', async () => {
    fake.enqueue({ wire: FIVE_WORDS, delivery: { resetAfterBytes: 14 } });
    const { source } = await transport.open(request());
    await fake.records[0]?.closed;
    const heard = await new Promise<string>((resolve) => {
      let text = '';
      source.start({
        data: (chunk) => {
          text += chunk.toString();
          return false;
        },
        end: () => resolve(`${text}, ended`),
        error: ({ code }) => resolve(`${text}, ${code}`),
      });
      source.resume();
    });
    expect(heard).toBe('one two three , provider_stream_broken');
  });

  describe('giving up', () => {
    it('is client_closed, and nothing is sent, when the signal was aborted before', async () => {
      const gone = { signal: AbortSignal.abort() };
      expect(await codeOf(transport.send(request(gone)))).toBe('client_closed');
      expect(await codeOf(transport.open(request(gone)))).toBe('client_closed');
      expect(fake.connections).toBe(0);
    });

    it('closes the socket within 100 ms of an abort in the middle of a body', async () => {
      fake.enqueue({ wire: FIVE_WORDS, delivery: { stallAfterPieces: 2 } });
      const abort = new AbortController();
      const { source } = await transport.open(request({ signal: abort.signal }));
      const heard = drain(source);
      const startMs = performance.now();
      abort.abort();
      expect((await heard).error).toBe('client_closed');
      const record = await fake.records[0]?.closed;
      expect((record?.closedAtMs ?? Infinity) - startMs).toBeLessThan(100);
    });

    it('closes the socket within 100 ms of destroy, and the sink hears nothing more', async () => {
      fake.enqueue({ wire: FIVE_WORDS, delivery: { stallAfterPieces: 2 } });
      const { source } = await transport.open(request());
      const heard: string[] = [];
      source.start({
        data: () => heard.push('data') > 0,
        end: () => void heard.push('end'),
        error: () => void heard.push('error'),
      });
      const before = heard.length;
      const startMs = performance.now();
      source.destroy();
      source.destroy();
      const record = await fake.records[0]?.closed;
      expect((record?.closedAtMs ?? Infinity) - startMs).toBeLessThan(100);
      expect(heard).toHaveLength(before);
      expect(transport.openCalls).toBe(0);
    });

    it('does nothing to a call that is over', async () => {
      const abort = new AbortController();
      await transport.send(request({ signal: abort.signal }));
      abort.abort();
      await new Promise(setImmediate);
      await transport.send(request());
      expect(fake.connections).toBe(1);
    });

    it('fails open calls when it is closed, and refuses later ones', async () => {
      fake.enqueue({ delivery: { silent: true } });
      const open = codeOf(transport.send(request()));
      await fake.nextRequest();
      await transport.close();
      expect(await open).toBe('provider_unreachable');
      expect(await codeOf(transport.send(request()))).toBe('server_shutting_down');
    });
  });
});
