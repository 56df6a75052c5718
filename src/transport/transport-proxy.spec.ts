import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PlainUpstream, codeOf, requestTo } from '../../test/support/transport-calls.ts';
import { Transport, type TransportSettings } from './transport.js';

const SETTINGS: TransportSettings = { connectionsPerOrigin: 8, keepAliveMs: 4_000, maxResponseBytes: 1_000_000 };

describe('Transport behind a forward proxy', () => {
  let fake: PlainUpstream;
  let origin: string;
  let proxy: Server;
  let transport: Transport;
  let seen: string[];

  beforeEach(async () => {
    fake = new PlainUpstream();
    origin = await fake.listen();
    seen = [];
    proxy = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      const onward = httpRequest(request.url ?? '', { method: request.method ?? 'GET', headers: request.headers });
      onward.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 0);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    proxy.on('connect', (request, socket) => {
      seen.push(`CONNECT ${request.url}`);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const { port } = proxy.address() as AddressInfo;
    transport = new Transport({ ...SETTINGS, proxy: `http://127.0.0.1:${port}` });
  });

  afterEach(async () => {
    await transport.close();
    await fake.close();
    proxy.closeAllConnections();
    proxy.close();
  });

  it('sends calls through it, host and body unchanged', async () => {
    const { body } = await transport.send(requestTo(`${origin}/path?q=1`));
    expect(body.toString()).toBe('hello');
    expect(seen).toEqual([`POST ${origin}/path?q=1`]);
    const [record] = fake.records;
    expect(record?.headers.host).toBe(new URL(origin).host);
    expect(record?.body.toString()).toBe('{"a":1}');
  });

  it('goes around it to hosts that are excepted, and takes it again when they no longer are', async () => {
    const { port } = proxy.address() as AddressInfo;
    const settings = { ...SETTINGS, proxy: `http://127.0.0.1:${port}` };
    transport.reconfigure({ ...settings, noProxy: [new URL(origin).host] });
    await transport.send(requestTo(`${origin}/direct`));
    expect(seen).toEqual([]);
    transport.reconfigure({ ...settings, noProxy: ['elsewhere.example'] });
    await transport.send(requestTo(`${origin}/proxied`));
    expect(seen).toEqual([`POST ${origin}/proxied`]);
  });

  it('asks it for a tunnel towards https, and is provider_unreachable when there is none', async () => {
    let dispatched = 0;
    const call = requestTo('https://provider.example/path', { onDispatch: () => void (dispatched += 1) });
    expect(await codeOf(transport.send(call))).toBe('provider_unreachable');
    expect(seen).toEqual(['CONNECT provider.example:443']);
    expect(dispatched).toBe(0);
  });

  it('is provider_unreachable when the proxy is down', async () => {
    proxy.closeAllConnections();
    proxy.close();
    await once(proxy, 'close');
    expect(await codeOf(transport.send(requestTo(`${origin}/x`)))).toBe('provider_unreachable');
    expect(fake.records).toHaveLength(0);
  });
});
