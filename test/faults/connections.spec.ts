import { call, chatBody, dataFields, freshModel, startWorld, type World } from '../e2e/world.ts';
import { metricValue, untilMetric } from '../support/metric-value.ts';
import { openRaw, rawRequest, type RawConnection } from '../support/raw-connection.ts';

const words = (count: number) => Array.from({ length: count }, (_, index) => `word${index} `);

describe('connections that do not behave', () => {
  let world: World;
  const open: RawConnection[] = [];

  beforeAll(async () => {
    world = await startWorld({
      config: {
        server: {
          host: '127.0.0.1',
          headersTimeoutMs: 300,
          bodyTimeoutMs: 400,
          keepAliveTimeoutMs: 500,
          maxBodyBytes: 65_536,
          drainMs: 500,
        },
      },
    });
  });
  afterAll(() => world.stop());
  beforeEach(() => world.azure.reset());
  afterEach(() => {
    for (const { socket } of open.splice(0)) socket.destroy();
  });

  const raw = (staysOpen = false): RawConnection => {
    const connection = openRaw(world.gateway.data, { staysOpen });
    open.push(connection);
    return connection;
  };
  const head = (...extra: string[]) => [
    'POST /v1/chat/completions HTTP/1.1',
    'host: gateway',
    `authorization: Bearer ${world.key}`,
    'content-type: application/json',
    ...extra,
  ];
  const served = async () => expect((await call(world, { path: '/v1/models' })).status).toBe(200);

  describe('upgrades and other methods', () => {
    const upgrade = rawRequest(['GET /v1/models HTTP/1.1', 'host: a', 'connection: upgrade', 'upgrade: websocket']);

    it('an upgrade that is offered is answered as if it were not, and a reset after it harms nobody', async () => {
      for (let round = 0; round < 20; round += 1) {
        const connection = raw();
        connection.socket.write(upgrade + 'x'.repeat(20_000));
        await connection.until('HTTP/1.1 401 Unauthorized');
        expect(connection.seen()).toContain('"code":"authentication_required"');
        connection.socket.resetAndDestroy();
        await connection.closed;
      }
      await served();
      expect(world.gateway.process.exitCode).toBeNull();
    });

    it('a call that offers h2c, as some clients do with every first request, is answered', async () => {
      const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' };
      expect((await call(world, { body: chatBody('single'), headers })).status).toBe(200);
    });

    it.each(['CONNECT gateway:443', 'TRACE /v1/models', 'BREW /v1/models'])('%s is refused', async (line) => {
      const connection = raw();
      connection.socket.write(rawRequest([`${line} HTTP/1.1`, 'host: gateway', 'connection: close']));
      await connection.ended;
      expect(connection.seen()).toMatch(/^($|HTTP\/1\.1 40[0145] )/);
      await served();
    });

    it('an expectation that nobody can meet is no reason to go unrecorded: the request is served as it stands', async () => {
      const connection = raw();
      connection.socket.write(rawRequest(head('expect: a-miracle', 'connection: close'), '{}'));
      await connection.until('x-request-id: req_');
    });
  });

  describe('broken framing', () => {
    const small = JSON.stringify(chatBody('single'));
    it.each([
      ['a second Host', () => rawRequest(head('host: other'), small)],
      ['no Host', () => rawRequest(['POST /v1/chat/completions HTTP/1.1'], small)],
      ['a second Authorization', () => rawRequest(head('authorization: Bearer other'), small)],
      ['a negative length', () => rawRequest(head('content-length: -1')) + small],
      ['a length in hexadecimal', () => rawRequest(head('content-length: 0x10')) + small],
      ['a length with a sign', () => rawRequest(head(`content-length: +${small.length}`)) + small],
      ['two equal lengths', () => rawRequest(head(`content-length: ${small.length}`), small)],
      ['chunks and a length', () => rawRequest(head('transfer-encoding: chunked'), small)],
      ['chunked not last', () => `${rawRequest(head('transfer-encoding: chunked, identity'))}0\r\n\r\n`],
      ['two transfer codings', () => `${rawRequest(head('transfer-encoding: gzip, chunked'))}0\r\n\r\n`],
      ['a chunk length that is none', () => `${rawRequest(head('transfer-encoding: chunked'))}zz\r\n{}\r\n0\r\n\r\n`],
      ['a space before the colon', () => rawRequest(head('content-length : 2')) + '{}'],
      ['a carriage return alone', () => rawRequest(head('x-a: b\rx-b: c'), small)],
    ])('%s is a 4xx that closes, and nothing is sent on', async (_name, bytes) => {
      const connection = raw();
      connection.socket.write(bytes());
      await connection.until('HTTP/1.1 4');
      await connection.ended;
      expect(connection.seen().match(/HTTP\/1\.1 /g)).toHaveLength(1);
      expect(connection.seen().toLowerCase()).toContain('connection: close');
      expect(world.azure.records).toHaveLength(0);
    });

    it('a request smuggled behind a body is answered as its own, without the credential of the first', async () => {
      const connection = raw();
      const smuggled = rawRequest(['GET /v1/models HTTP/1.1', 'host: gateway', 'connection: close']);
      connection.socket.write(rawRequest(head(), small) + smuggled);
      await connection.until('401');
      await connection.ended;
      expect(connection.seen().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401']);
      expect(world.azure.records).toHaveLength(1);
    });

    it('garbage behind a request whose stream has begun cuts the stream and puts nothing into it', async () => {
      world.azure.enqueue({ reply: { deltas: words(200) }, delivery: { gapMs: 10 } });
      const connection = raw(true);
      connection.socket.write(rawRequest(head(), JSON.stringify(chatBody('single', { stream: true }))));
      await connection.until('"content":"word1 "');
      const upstream = await world.azure.nextRequest();
      connection.socket.write('\u0001garbage\r\n\r\n');
      await connection.ended;
      expect(connection.seen().match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(connection.seen()).not.toContain('[DONE]');
      expect((await upstream.closed).completed).toBe(false);
    });

    it('garbage behind a request that has no answer yet is a 400 that closes, and the call is given up', async () => {
      world.azure.enqueue({ delivery: { silent: true } });
      const connection = raw(true);
      connection.socket.write(rawRequest(head(), small));
      const upstream = await world.azure.nextRequest();
      connection.socket.write('\u0001garbage\r\n\r\n');
      await connection.until('400 Bad Request');
      expect((await upstream.closed).completed).toBe(false);
      await expectGone(connection);
    });
  });

  describe('slow and idle', () => {
    it('headers that do not come are a 408, and the connection is gone though its client never closes', async () => {
      const connection = raw(true);
      connection.socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: ga');
      await connection.until('408 Request Timeout');
      await expectGone(connection);
    });

    it('a body that does not come is a 408 with a request id, recorded, and nothing is left open', async () => {
      const connection = raw(true);
      connection.socket.write(rawRequest(head('content-length: 1000')) + '{"model"');
      await connection.until('408 Request Timeout');
      await connection.until('"code":"request_timeout"');
      const [, requestId = ''] = /x-request-id: (req_\w+)/.exec(connection.seen()) ?? [];
      const line = await world.gateway.accessLine(requestId);
      expect(line).toMatchObject({ status: 408, outcome: 'refused', error: 'request_timeout' });
      await expectGone(connection);
      await untilMetric(world.gateway.metrics, 'tollgate_inflight_requests', 0);
    });

    it('a body that drips in is cut at the same time, not at its last byte', async () => {
      const connection = raw();
      connection.socket.write(rawRequest(head('content-length: 1000')));
      const drip = setInterval(() => connection.socket.write(' '), 50);
      await connection.until('408 Request Timeout');
      clearInterval(drip);
    });

    it('a connection without a request is closed after the keep-alive time, which answers tell', async () => {
      const connection = raw();
      connection.socket.write(rawRequest(head(), JSON.stringify(chatBody('single'))));
      await connection.until('Hello from the model.');
      expect(connection.seen().toLowerCase()).toContain('connection: keep-alive');
      const startedAtMs = performance.now();
      await connection.ended;
      expect(performance.now() - startedAtMs).toBeGreaterThan(400);
    });

    it('hundreds of idle and half-said connections keep nobody from being served', async () => {
      const idle = Array.from({ length: 400 }, (_, index) => {
        const connection = raw();
        if (index % 2 === 0) connection.socket.write('GET /v1/models HTTP/1.1\r\nx-slow: ');
        return connection;
      });
      const answers = await Promise.all(Array.from({ length: 20 }, () => call(world, { body: chatBody('single') })));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      await Promise.all(idle.map(({ ended }) => ended));
      expect(await metricValue(world.gateway.metrics, 'tollgate_inflight_requests')).toBe(0);
    });
  });

  describe('headers', () => {
    it.each([
      ['of 1 MB', [`x-large: ${'a'.repeat(1_000_000)}`]],
      ['of 16 KB and more', [`x-large: ${'a'.repeat(16_385)}`]],
      ['that are 2,000', Array.from({ length: 2_000 }, (_, index) => `x-${index}: b`)],
    ])('%s are a 431', async (_name, lines) => {
      const connection = raw();
      connection.socket.write(rawRequest(head(...lines), JSON.stringify(chatBody('single'))));
      await connection.until('HTTP/1.1 431');
      await connection.ended;
      expect(world.azure.records).toHaveLength(0);
    });

    it('a hundred headers are served', async () => {
      const headers = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`x-header-${index}`, 'value']));
      expect((await call(world, { body: chatBody('single'), headers })).status).toBe(200);
    });

    it('a path longer than headers may be is a 431, a broken one a 4xx', async () => {
      expect((await call(world, { path: `/v1/${'a'.repeat(20_000)}` })).status).toBe(431);
      for (const path of ['/v1/models/%', '/v1/models/%ff%fe', '/v1/models/%00', '//v1//models', '/v1/models/..%2f']) {
        const { status, requestId } = await call(world, { path });
        expect(`${path} ${status}`).toMatch(/ 4\d\d$/);
        expect(requestId).toMatch(/^req_/);
      }
    });
  });

  describe('uploads that are refused', () => {
    const large = JSON.stringify(chatBody('single', { user: 'x'.repeat(12_000_000) }));
    const upload = async (key: string) => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const url = `${world.gateway.data}/v1/chat/completions`;
      const response = await fetch(url, { method: 'POST', headers, body: large });
      return `${response.status} ${((await response.json()) as { error: { code: string } }).error.code}`;
    };

    it('tell their clients why, however much these have sent by then', async () => {
      for (let round = 0; round < 12; round += 1) {
        expect(await upload(world.key)).toBe('413 request_too_large');
        expect(await upload('tg_stranger')).toBe('401 invalid_api_key');
      }
    }, 30_000);

    it('are recorded as refused, and end though their client neither reads nor closes', async () => {
      const connection = raw(true);
      connection.socket.write(rawRequest(head('content-length: 70000')));
      await connection.until('413 Payload Too Large');
      const [, requestId = ''] = /x-request-id: (req_\w+)/.exec(connection.seen()) ?? [];
      expect(await world.gateway.accessLine(requestId)).toMatchObject({ status: 413, outcome: 'refused' });
      await expectGone(connection);
      await untilMetric(world.gateway.metrics, 'tollgate_inflight_requests', 0);
    });

    it('reserve nothing, nor does a body shorter than it said', async () => {
      const connection = raw();
      connection.socket.write(rawRequest(head('content-length: 500')) + '{"model":"single"');
      connection.socket.end();
      await connection.ended;
      expect(await world.redis.zcard(`g1:{o:${world.organisation}}:rx`)).toBe(0);
      expect(world.azure.records).toHaveLength(0);
    });
  });

  it('a stream to a client that half-closes is not shown as whole', async () => {
    world.azure.enqueue({ reply: { deltas: words(100) }, delivery: { gapMs: 10 } });
    const model = freshModel('single');
    const connection = raw(true);
    connection.socket.write(rawRequest(head(), JSON.stringify(chatBody(model, { stream: true }))));
    await connection.until('"content":"word1 "');
    connection.socket.end();
    await connection.ended;
    const body = connection.seen();
    const isWhole = dataFields(body).includes('[DONE]');
    if (!isWhole) expect((await (await world.azure.nextRequest()).closed).completed).toBe(false);
  });

  /** The gateway has let go of the connection: what is written to it now is answered with a reset. */
  async function expectGone(connection: RawConnection): Promise<void> {
    await connection.ended;
    const prod = setInterval(() => connection.socket.write(' '), 20);
    const code = await connection.closed;
    clearInterval(prod);
    expect(code).toMatch(/^(ECONNRESET|EPIPE)$/);
  }
});
