import { call, chatBody, dataFields, startWorld, type Answer, type World } from './world.ts';

const words = (count: number) => Array.from({ length: count }, (_, index) => `word${index} `);

/** Starts streams and resolves when each has shown content. */
async function openStreams(world: World, count: number): Promise<Promise<Answer>[]> {
  const answers: Promise<Answer>[] = [];
  const begun = Array.from({ length: count }, () => {
    return new Promise<void>((resolve) => {
      answers.push(call(world, { body: chatBody('chat', { stream: true }), onChunk: () => resolve() }));
    });
  });
  await Promise.all(begun);
  return answers;
}

describe('a drain loses nothing', () => {
  it('open streams end whole, readiness fails at once, new connections are refused later, all is settled, exit 0', async () => {
    const world = await startWorld({
      config: { server: { host: '127.0.0.1', drainMs: 10_000, readinessDelayMs: 200 } },
    });
    world.azure.defaultScript = { reply: { deltas: words(40) }, delivery: { gapMs: 25 } };
    const streams = await openStreams(world, 20);
    const exited = world.gateway.stop('SIGTERM');
    await world.gateway.logLine(({ msg }) => msg === 'draining');
    expect((await fetch(`${world.gateway.metrics}/readyz`)).status).toBe(503);
    expect((await fetch(`${world.gateway.metrics}/livez`)).status).toBe(200);
    const late = await call(world, { path: '/v1/models' });
    expect(late.status).toBe(200);
    expect(late.headers['connection']).toBe('close');

    const answers = await Promise.all(streams);
    for (const answer of answers) {
      expect(answer.wasCut).toBe(false);
      expect(dataFields(answer.text).at(-1)).toBe('[DONE]');
    }
    expect(await exited).toBe(0);
    const ledger = await world.ledger();
    expect(ledger).toHaveLength(20);
    expect(ledger.every(({ src }) => src === 'final')).toBe(true);
    await Promise.all([world.azure.close(), world.second.close()]);
    world.redis.disconnect();
  });

  it('streams that outlast it get an error in their stream and are settled', async () => {
    const world = await startWorld({ config: { server: { host: '127.0.0.1', drainMs: 200 } } });
    world.azure.defaultScript = { reply: { deltas: words(500) }, delivery: { gapMs: 20 } };
    const streams = await openStreams(world, 5);
    const exited = world.gateway.stop('SIGTERM');
    for (const answer of await Promise.all(streams)) {
      const fields = dataFields(answer.text);
      expect(JSON.parse(fields.at(-1) ?? '{}')).toMatchObject({ error: { code: 'server_shutting_down' } });
      expect(fields).not.toContain('[DONE]');
    }
    expect(await exited).toBe(0);
    const ledger = await world.ledger();
    expect(ledger).toHaveLength(5);
    expect(ledger.every(({ src, outcome }) => src === 'estimate' && outcome === 'drain-cut')).toBe(true);
    await Promise.all([world.azure.close(), world.second.close()]);
    world.redis.disconnect();
  });

  it('a second signal hurries, and still settles', async () => {
    const world = await startWorld({ config: { server: { host: '127.0.0.1', drainMs: 60_000 } } });
    world.azure.defaultScript = { reply: { deltas: words(500) }, delivery: { gapMs: 20 } };
    const streams = await openStreams(world, 3);
    const exited = world.gateway.stop('SIGTERM');
    await world.gateway.logLine(({ msg }) => msg === 'draining');
    world.gateway.process.kill('SIGTERM');
    await Promise.all(streams);
    expect(await exited).toBe(0);
    expect(await world.ledger()).toHaveLength(3);
    await Promise.all([world.azure.close(), world.second.close()]);
    world.redis.disconnect();
  });
});
