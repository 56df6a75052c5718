import { call, chatBody, startWorld, type World } from './world.ts';

describe('exactly one settlement, whatever happens', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ chat: { timeouts: { firstContentMs: 300, idleMs: 300, totalMs: 2_000 } } });
  });
  afterAll(() => world.stop());

  it('over many requests with random fates: one line each, none left open, each count the truth or a flagged estimate', async () => {
    const fates = [
      {},
      { failure: { status: 500 } },
      { failure: { status: 429, retryAfter: '1' } },
      { failure: { status: 400, message: 'no' } },
      { delivery: { resetAfterBytes: -1 } },
      { delivery: { resetAfterBytes: 900 } },
      { delivery: { endAfterBytes: 900 } },
      { delivery: { stallAfterPieces: 4 } },
      { delivery: { silent: true } },
      { reply: { usage: null } },
      { reply: { rawUsage: { prompt_tokens: -5, completion_tokens: 'many' } } },
    ];
    const asked = Array.from({ length: 132 }, async (_, index) => {
      const model = index % 2 === 0 ? 'chat' : 'single';
      const leaves = index % 5 === 4;
      world.azure.enqueue(fates[index % fates.length] ?? {});
      return call(world, {
        body: chatBody(model, { stream: index % 3 !== 0 }),
        onChunk: (_chunk, request) => {
          if (leaves) request.destroy();
        },
      }).catch(() => undefined);
    });
    await Promise.all(asked);

    const closed = () => world.gateway.logLines().filter(({ route }) => route === '/v1/chat/completions');
    await world.gateway.logLine(() => closed().length === asked.length);
    const lines = closed();
    const dispatched = lines.filter(({ attempts }) => Array.isArray(attempts) && attempts.length > 0);
    for (const line of dispatched) await world.ledgerLine(String(line['request_id']));
    const ledger = await world.ledger();
    const ids = ledger.map(({ rid }) => rid);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(dispatched.length);
    for (const entry of ledger) {
      expect(entry['k']).toBe('settle');
      expect(Number(entry['in'])).toBeGreaterThanOrEqual(0);
      expect(Number(entry['out'])).toBeGreaterThanOrEqual(0);
      const line = lines.find(({ request_id: id }) => id === entry['rid']);
      expect(entry['outcome']).toBe(line?.['outcome']);
      if (entry['src'] === 'final') expect(entry).toMatchObject({ in: '11', out: '7' });
    }
    expect(await world.redis.zcard(`g1:{o:${world.organisation}}:rx`)).toBe(0);
  });

  it.each([
    ['a whole answer', 'single', { reply: { usage: null, text: 'Hello, you there.' } }, '/v1/chat/completions', 5],
    [
      'a vector',
      'embed',
      { reply: { usage: null, vectors: [Array.from({ length: 1_536 }, () => 0.25)] } },
      '/v1/embeddings',
      0,
    ],
  ])(
    '%s without usage is charged an estimate of what the model wrote, not of its JSON',
    async (_name, model, script, path, out) => {
      world.azure.reset();
      world.azure.enqueue(script);
      const body = model === 'embed' ? { model, input: 'text', encoding_format: 'float' } : chatBody(model);
      const answer = await call(world, { path, body });
      expect(answer.status).toBe(200);
      expect(await world.ledgerLine(answer.requestId)).toMatchObject({ src: 'estimate', out: String(out) });
    },
  );
});
