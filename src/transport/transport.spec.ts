import type { ByteSource } from '../contract/byte-source.js';
import { GatewayError } from '../contract/errors.js';
import type { AttemptContext, Timeouts } from '../contract/provider.js';
import { FakeUpstream } from '../../test/support/fake-upstream.ts';
import type { WireAnswer } from '../../test/support/fake-wire.ts';
import { Transport, type TransportSettings } from './transport.js';
import type { UpstreamRequest } from './upstream.js';

class PlainUpstream extends FakeUpstream {
  protected answer(): WireAnswer {
    return { status: 200, headers: { 'content-type': 'text/plain' }, pieces: [Buffer.from('hello')] };
  }

  protected modelOf(): undefined {
    return undefined;
  }
}

const SETTINGS: TransportSettings = { connectionsPerOrigin: 8, keepAliveMs: 4_000, maxResponseBytes: 1_000_000 };
const PIECES = ['one ', 'two ', 'three ', 'four ', 'five'].map((text) => Buffer.from(text));
const STREAM: WireAnswer = { status: 200, headers: { 'content-type': 'text/event-stream' }, pieces: PIECES };

describe('Transport', () => {
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

  interface RequestOptions {
    readonly url?: string;
    readonly signal?: AbortSignal;
    readonly timeouts?: Partial<Timeouts>;
    readonly onDispatch?: () => void;
  }

  function request(options: RequestOptions = {}): UpstreamRequest {
    const context: AttemptContext = {
      requestId: 'r1',
      signal: options.signal ?? new AbortController().signal,
      timeouts: { connectMs: 2_000, firstContentMs: 5_000, idleMs: 5_000, totalMs: 5_000, ...options.timeouts },
      onDispatch: options.onDispatch ?? (() => undefined),
    };
    return {
      method: 'POST',
      url: options.url ?? `${origin}/path?q=1`,
      headers: { 'x-a': 'b' },
      body: '{"a":1}',
      context,
    };
  }

  interface Heard {
    readonly text: string;
    readonly error?: GatewayError;
  }

  function drain(source: ByteSource): Promise<Heard> {
    return new Promise((resolve) => {
      let text = '';
      source.start({
        data: (chunk) => {
          text += chunk.toString();
          return true;
        },
        end: () => resolve({ text }),
        error: (error) => resolve({ text, error }),
      });
    });
  }

  async function codeOf(promise: Promise<unknown>): Promise<string> {
    return promise.then(
      () => 'resolved',
      (error: unknown) => (error instanceof GatewayError ? error.code : `foreign: ${String(error)}`),
    );
  }

  it('sends a request and returns the whole answer, whatever its status', async () => {
    fake.enqueue({
      wire: { status: 418, headers: { 'x-c': 'd' }, pieces: [Buffer.from('short'), Buffer.from(' and stout')] },
    });
    const response = await transport.send(request());
    expect(response.status).toBe(418);
    expect(response.headers['x-c']).toBe('d');
    expect(response.body.toString()).toBe('short and stout');
    const [record] = fake.records;
    expect(record?.path).toBe('/path?q=1');
    expect(record?.headers['x-a']).toBe('b');
    expect(record?.body.toString()).toBe('{"a":1}');
  });

  it('reuses a connection for the next call', async () => {
    await transport.send(request());
    // A connection is free again in the event loop's next turn.
    await new Promise(setImmediate);
    await transport.send(request());
    expect(fake.connections).toBe(1);
    expect(transport.openCalls).toBe(0);
  });

  it('does not follow redirects', async () => {
    fake.enqueue({ wire: { status: 307, headers: { location: `${origin}/elsewhere` }, pieces: [] } });
    expect((await transport.send(request())).status).toBe(307);
    expect(fake.records).toHaveLength(1);
  });

  it('tells of the dispatch exactly once, before the request can have left', async () => {
    let dispatched = 0;
    const seen: number[] = [];
    const promise = transport.send(request({ onDispatch: () => seen.push(++dispatched, fake.records.length) }));
    await promise;
    expect(seen).toEqual([1, 0]);
  });

  it('pushes a stream as it arrives', async () => {
    fake.enqueue({ wire: STREAM, delivery: { gapMs: 1 } });
    const { status, source } = await transport.open(request());
    expect(status).toBe(200);
    expect(await drain(source)).toEqual({ text: 'one two three four five' });
  });

  it('keeps what arrived before the source was started', async () => {
    fake.enqueue({ wire: STREAM });
    const { source } = await transport.open(request());
    await fake.records[0]?.closed;
    await new Promise(setImmediate);
    expect(await drain(source)).toEqual({ text: 'one two three four five' });
  });

  it('refuses a whole answer longer than allowed', async () => {
    fake.enqueue({ wire: { status: 200, headers: {}, pieces: [Buffer.alloc(1_000_001)] } });
    expect(await codeOf(transport.send(request()))).toBe('provider_bad_response');
  });

  it('collects a source, and gives up beyond the cap', async () => {
    fake.enqueue({ wire: STREAM }, { wire: STREAM, delivery: { stallAfterPieces: 4 } });
    expect((await transport.collect((await transport.open(request())).source)).toString()).toBe(
      'one two three four five',
    );
    const { source } = await transport.open(request());
    expect(await codeOf(transport.collect(source, 10))).toBe('provider_bad_response');
    await fake.records[1]?.closed;
  });

  describe('when the provider fails', () => {
    it('is provider_unreachable when nobody listens, and nothing was dispatched', async () => {
      const gone = new PlainUpstream();
      const url = `${await gone.listen()}/x`;
      await gone.close();
      let dispatched = false;
      expect(await codeOf(transport.send(request({ url, onDispatch: () => (dispatched = true) })))).toBe(
        'provider_unreachable',
      );
      expect(dispatched).toBe(false);
    });

    it('is provider_unreachable when the connection is reset before the headers', async () => {
      fake.enqueue({ delivery: { resetAfterBytes: -1 } }, { delivery: { resetAfterBytes: -1 } });
      expect(await codeOf(transport.send(request()))).toBe('provider_unreachable');
      expect(await codeOf(transport.open(request()))).toBe('provider_unreachable');
    });

    it.each([0, 1, 4, 7, 14])(
      'is provider_stream_broken when it resets after %d bytes, and the bytes are kept',
      async (bytes) => {
        fake.enqueue({ wire: STREAM, delivery: { resetAfterBytes: bytes } });
        const { source } = await transport.open(request());
        const heard = await drain(source);
        expect(heard.error?.code).toBe('provider_stream_broken');
        expect(heard.text).toBe('one two three four five'.slice(0, bytes));
      },
    );

    it('is provider_stream_broken when it closes without ending the body', async () => {
      fake.enqueue({ wire: STREAM, delivery: { closeAfterBytes: 6 } });
      const { source } = await transport.open(request());
      expect((await drain(source)).error?.code).toBe('provider_stream_broken');
    });

    it('is provider_stream_broken when a whole answer is shorter than it said', async () => {
      fake.enqueue({ delivery: { closeAfterBytes: 3 } });
      expect(await codeOf(transport.send(request()))).toBe('provider_stream_broken');
    });
  });
});
