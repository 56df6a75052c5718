import { once } from 'node:events';
import { createServer, request as httpRequest, type ClientRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Request, Response } from 'express';
import { GatewayError } from '../../contract/errors.js';
import type { Plane } from '../../contract/plane.js';
import type { RequestObserver, RequestRecord } from '../../contract/record.js';
import { liveRequestOf, type LiveRequest } from './live-request.js';
import { declarePlane, RequestLifecycle } from './request-lifecycle.js';

describe('the life of a request', () => {
  let lifecycle: RequestLifecycle;
  let observer: { opened: jest.Mock; closed: jest.Mock<void, [RequestRecord]> };
  let lives: LiveRequest[];
  let handle: (response: Response, request: Request, live: LiveRequest) => void;
  const servers: Server[] = [];
  const clients: ClientRequest[] = [];
  let wake: () => void;

  beforeEach(() => {
    wake = () => undefined;
    lives = [];
    observer = { opened: jest.fn(), closed: jest.fn((_record: RequestRecord) => wake()) } satisfies RequestObserver;
    lifecycle = new RequestLifecycle([observer, { closed: () => undefined }]);
    handle = (response) => response.end('answer');
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  });

  async function listen(plane?: Plane): Promise<number> {
    const server = createServer((request, response) => {
      const express = Object.assign(request, { ip: '192.0.2.9' }) as unknown as Request;
      lifecycle.middleware(express, response as Response, () => {
        const live = liveRequestOf(request);
        lives.push(live);
        handle(response as Response, express, live);
        server.emit('handled');
      });
    });
    servers.push(server);
    if (plane !== undefined) declarePlane(server, plane);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  function send(port: number, headers: Record<string, string> = {}): ClientRequest {
    const client = httpRequest({ port, host: '127.0.0.1', method: 'POST', agent: false, headers });
    clients.push(client);
    client.on('error', () => undefined);
    client.end();
    return client;
  }

  async function response(client: ClientRequest): Promise<IncomingMessage> {
    const [answer] = (await once(client, 'response')) as [IncomingMessage];
    answer.resume();
    return answer;
  }

  /** Resolves with the record of the count-th request that is over. */
  async function closedRecord(count = 1): Promise<RequestRecord> {
    while (observer.closed.mock.calls.length < count) await new Promise<void>((resolve) => (wake = resolve));
    const record = observer.closed.mock.calls[count - 1]?.[0];
    if (record === undefined) throw new Error('no record');
    return record;
  }

  it('has one record, opened and closed once, under an id of ours', async () => {
    handle = (answer, request) => {
      Object.assign(request, { route: { path: '/v1/things/:id' } });
      answer.statusCode = 201;
      answer.setHeader('content-length', '6');
      answer.end('answer');
    };
    const answer = await response(send(await listen('admin'), { 'x-request-id': 'x'.repeat(200) }));
    const record = await closedRecord();
    expect(answer.headers['x-request-id']).toBe(record.requestId);
    expect(record).toMatchObject({
      requestId: expect.stringMatching(/^req_[0-9a-f]{32}$/),
      clientRequestId: 'x'.repeat(128),
      plane: 'admin',
      method: 'POST',
      route: '/v1/things/:id',
      address: '192.0.2.9',
      status: 201,
      outcome: 'completed',
      bytesOut: 6,
      durationMs: expect.any(Number),
    });
    expect(record.durationMs).toBeGreaterThan(0);
    expect(record).not.toHaveProperty('error');
    expect(observer.opened).toHaveBeenCalledTimes(1);
    expect(observer.opened).toHaveBeenCalledWith(record);
    expect(observer.closed).toHaveBeenCalledTimes(1);
  });

  it('takes the id of no client for its own, and a server nobody declared for the data plane', async () => {
    await response(send(await listen()));
    const record = await closedRecord();
    expect(record).not.toHaveProperty('clientRequestId');
    expect(record.plane).toBe('data');
  });

  it('counts the bytes of an answer as they were counted, where they were', async () => {
    handle = (answer, _request, live) => {
      live.record.bytesOut = 42;
      answer.end('answer');
    };
    await response(send(await listen()));
    expect((await closedRecord()).bytesOut).toBe(42);
  });

  it('stays open while somebody holds it', async () => {
    handle = (answer, _request, live) => {
      live.hold();
      answer.end('answer');
    };
    const port = await listen();
    const answer = await response(send(port));
    await once(answer, 'end');
    expect(lifecycle.openRequests).toBe(1);
    expect(observer.closed).not.toHaveBeenCalled();
    lives[0]?.release();
    await closedRecord();
    expect(lifecycle.openRequests).toBe(0);
  });

  it('tells whoever answers that the client has left, and records it', async () => {
    const abandoned = jest.fn();
    handle = (_answer, _request, live) => {
      live.onAbandoned = abandoned;
    };
    const port = await listen();
    const client = send(port);
    await once(servers[0] as Server, 'handled');
    client.destroy();
    const record = await closedRecord();
    expect(abandoned).toHaveBeenCalledTimes(1);
    expect(record).toMatchObject({ outcome: 'client-abort', error: 'client_closed', status: 499 });
  });

  it('records the status a client has seen before it left', async () => {
    handle = (answer) => {
      answer.writeHead(200);
      answer.write('half an ');
    };
    const client = send(await listen());
    await response(client);
    client.destroy();
    expect(await closedRecord()).toMatchObject({ outcome: 'client-abort', error: 'client_closed', status: 200 });
  });

  it('is not broken off by a client that closes when the answer has left whole', async () => {
    handle = (answer, _request, live) => {
      answer.writeHead(413, { 'content-length': 6 });
      answer.write('answer');
      live.hasAnswered = true;
    };
    const client = send(await listen());
    await response(client);
    client.destroy();
    const record = await closedRecord();
    expect(record).toMatchObject({ outcome: 'completed', status: 413 });
    expect(record).not.toHaveProperty('error');
  });

  it('keeps the outcome of what the gateway itself cut', async () => {
    handle = (answer, _request, live) => {
      answer.writeHead(200);
      answer.write('half');
      live.onAbandoned = () => {
        live.record.outcome = 'drain-cut';
        answer.destroy();
      };
    };
    await response(send(await listen()));
    lifecycle.cutAll(new GatewayError('server_shutting_down'));
    const record = await closedRecord();
    expect(record).toMatchObject({ outcome: 'drain-cut' });
    expect(record).not.toHaveProperty('error');
  });

  it('counts the open requests of callers, not those of probes, and says when there are none', async () => {
    handle = () => undefined;
    const data = send(await listen('data'));
    const admin = send(await listen('admin'));
    const probe = send(await listen('metrics'));
    await Promise.all(servers.map((server) => once(server, 'handled')));
    expect(lifecycle.openRequests).toBe(2);
    const idle = jest.fn();
    const told = lifecycle.idle().then(idle);
    data.destroy();
    await closedRecord();
    await Promise.resolve();
    expect(idle).not.toHaveBeenCalled();
    admin.destroy();
    await told;
    expect(lifecycle.openRequests).toBe(0);
    expect(observer.closed).toHaveBeenCalledTimes(2);
    probe.destroy();
    await closedRecord(3);
    await lifecycle.idle();
  });

  it('asks for the closing of connections once it drains', async () => {
    const port = await listen();
    expect((await response(send(port, { connection: 'keep-alive' }))).headers.connection).toBe('keep-alive');
    lifecycle.startDraining();
    expect((await response(send(port, { connection: 'keep-alive' }))).headers.connection).toBe('close');
  });
});
