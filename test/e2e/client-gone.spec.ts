import { call, chatBody, startWorld, type World } from './world.ts';

describe('a client that leaves', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());
  beforeEach(() => world.azure.reset());

  const manyDeltas = Array.from({ length: 200 }, (_, index) => `word${index} `);

  it('in the middle of a stream closes the upstream within 100 ms and is charged what was generated', async () => {
    const delays: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      world.azure.enqueue({ reply: { deltas: manyDeltas }, delivery: { gapMs: 10 } });
      let requestId = '';
      let leftAtMs = 0;
      await new Promise<void>((resolve) => {
        let chunks = 0;
        void call(world, {
          body: chatBody('chat', { stream: true }),
          onRequest: (request) =>
            request.on('response', (response) => (requestId = String(response.headers['x-request-id']))),
          onChunk: (_chunk, request) => {
            chunks += 1;
            if (chunks !== 5) return;
            leftAtMs = performance.now();
            request.destroy();
            resolve();
          },
        }).catch(() => undefined);
      });
      const upstream = await (await world.azure.nextRequest()).closed;
      delays.push((upstream.closedAtMs ?? Infinity) - leftAtMs);
      expect(upstream.completed).toBe(false);
      const line = await world.gateway.accessLine(requestId);
      expect(line).toMatchObject({ outcome: 'client-abort' });
      const entry = await world.ledgerLine(requestId);
      expect(entry).toMatchObject({ k: 'settle', src: 'estimate' });
      expect(Number(entry['out'])).toBeGreaterThan(0);
    }
    expect(Math.max(...delays)).toBeLessThan(100);
  });

  it('before the first byte closes the upstream within 100 ms and is charged its prompt', async () => {
    world.azure.enqueue({ delivery: { delayMs: 5_000 } });
    const asked = call(world, {
      body: chatBody('chat', { stream: true }),
      onRequest: (request) => {
        void world.azure.nextRequest().then(() => request.destroy());
      },
    });
    await expect(asked).rejects.toThrow();
    const leftAtMs = performance.now();
    const upstream = await (world.azure.records[0] ?? (await world.azure.nextRequest())).closed;
    expect((upstream.closedAtMs ?? Infinity) - leftAtMs).toBeLessThan(100);
    const line = await world.gateway.logLine(
      ({ outcome, attempts }) =>
        outcome === 'client-abort' && Array.isArray(attempts) && attempts[0]?.error === 'client_closed',
    );
    const entry = await world.ledgerLine(String(line['request_id']));
    expect(entry).toMatchObject({ src: 'estimate', out: '0' });
    expect(Number(entry['in'])).toBeGreaterThan(0);
  });

  it('while a whole answer is awaited closes the upstream', async () => {
    world.azure.enqueue({ delivery: { delayMs: 5_000 } });
    const asked = call(world, {
      body: chatBody('chat'),
      onRequest: (request) => {
        void world.azure.nextRequest().then(() => request.destroy());
      },
    });
    await expect(asked).rejects.toThrow();
    const upstream = await world.azure.records[0]?.closed;
    expect(upstream?.completed).toBe(false);
  });

  it('after [DONE] changes nothing: one settlement with the final usage', async () => {
    const answered = await new Promise<string>((resolve) => {
      let requestId = '';
      void call(world, {
        body: chatBody('chat', { stream: true }),
        onRequest: (request) =>
          request.on('response', (response) => (requestId = String(response.headers['x-request-id']))),
        onChunk: (chunk, request) => {
          if (!chunk.includes('[DONE]')) return;
          request.destroy();
          resolve(requestId);
        },
      }).catch(() => undefined);
    });
    expect(await world.ledgerLine(answered)).toMatchObject({ k: 'settle', src: 'final', in: '11', out: '7' });
    expect((await world.ledger()).filter(({ rid }) => rid === answered)).toHaveLength(1);
  });

  it('leaves no reservation behind', async () => {
    expect(await world.redis.zcard(`g1:{o:${world.organisation}}:rx`)).toBe(0);
  });
});
