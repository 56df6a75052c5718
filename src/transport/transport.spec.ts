import type { ContextOptions } from '../../test/support/provider-context.ts';
import { FIVE_WORDS, PlainUpstream, codeOf, drain, requestTo } from '../../test/support/transport-calls.ts';
import { Transport, type TransportSettings } from './transport.js';
import type { UpstreamRequest } from './upstream.js';

const SETTINGS: TransportSettings = { connectionsPerOrigin: 8, keepAliveMs: 4_000, maxResponseBytes: 1_000_000 };

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

  function request(options: ContextOptions = {}): UpstreamRequest {
    return requestTo(`${origin}/path?q=1`, options);
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
    fake.enqueue({ wire: FIVE_WORDS, delivery: { gapMs: 1 } });
    const { status, source } = await transport.open(request());
    expect(status).toBe(200);
    expect(await drain(source)).toEqual({ text: 'one two three four five' });
  });

  it('keeps what arrived before the source was started', async () => {
    fake.enqueue({ wire: FIVE_WORDS });
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
    fake.enqueue({ wire: FIVE_WORDS }, { wire: FIVE_WORDS, delivery: { stallAfterPieces: 4 } });
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
      expect(await codeOf(transport.send(requestTo(url, { onDispatch: () => (dispatched = true) })))).toBe(
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
        fake.enqueue({ wire: FIVE_WORDS, delivery: { resetAfterBytes: bytes } });
        const { source } = await transport.open(request());
        const heard = await drain(source);
        expect(heard.error).toBe('provider_stream_broken');
        expect(heard.text).toBe('one two three four five'.slice(0, bytes));
      },
    );

    it('is provider_stream_broken when it closes without ending the body', async () => {
      fake.enqueue({ wire: FIVE_WORDS, delivery: { closeAfterBytes: 6 } });
      const { source } = await transport.open(request());
      expect((await drain(source)).error).toBe('provider_stream_broken');
    });

    it('is provider_stream_broken when a whole answer is shorter than it said', async () => {
      fake.enqueue({ delivery: { closeAfterBytes: 3 } });
      expect(await codeOf(transport.send(request()))).toBe('provider_stream_broken');
    });
  });

  it('takes new settings for later calls and lets open ones finish', async () => {
    fake.enqueue({ wire: FIVE_WORDS, delivery: { gapMs: 20 } });
    const { source } = await transport.open(request());
    transport.reconfigure({ ...SETTINGS, keepAliveMs: 1_000 });
    await transport.send(request());
    expect(await drain(source)).toEqual({ text: 'one two three four five' });
    expect(fake.connections).toBe(2);
  });
});
