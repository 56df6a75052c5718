import { once } from 'node:events';
import { chatBody, dataFields, startWorld, type World } from '../e2e/world.ts';
import { untilMetric } from '../support/metric-value.ts';
import { untilSettled } from './support/until-settled.ts';
import { openRaw, rawRequest, type RawConnection } from '../support/raw-connection.ts';

/** Long enough for buffers of the kernel to fill on a busy machine before it is over. */
const STALL_MS = 2_500;

describe('clients that do not take their answers', () => {
  let world: World;
  const open: RawConnection[] = [];

  beforeAll(async () => {
    world = await startWorld({
      config: {
        stream: { stallMs: STALL_MS, maxBufferedBytes: 16_384 },
        models: { brief: { deployments: [{ provider: 'first', model: 'gpt-brief' }], timeouts: { totalMs: 2_000 } } },
      },
    });
  });
  afterAll(() => world.stop());
  beforeEach(() => world.azure.reset());
  afterEach(() => {
    for (const { socket } of open.splice(0)) socket.destroy();
  });

  const ask = (body: Record<string, unknown>): RawConnection => {
    const head = ['POST /v1/chat/completions HTTP/1.1', 'host: gateway', `authorization: Bearer ${world.key}`];
    const connection = openRaw(world.gateway.data);
    open.push(connection);
    connection.socket.write(rawRequest([...head, 'content-type: application/json'], JSON.stringify(body)));
    return connection;
  };
  const requestIdOf = (connection: RawConnection) => /x-request-id: (req_\w+)/.exec(connection.seen())?.[1] ?? '';
  /** Events of 64 KB, numbered, so that none can be lost, doubled or swapped unseen. */
  const numbered = (megabytes: number) =>
    Array.from({ length: megabytes * 16 }, (_, index) => `${index};${'x'.repeat(64_000)}`);

  it('a slow reader gets every event once and in order, and the upstream waits for it', async () => {
    const deltas = numbered(24);
    world.azure.enqueue({ reply: { deltas }, delivery: { gapMs: 0 } });
    const connection = ask(chatBody('single', { stream: true }));
    await connection.until('"content":"0;');
    const { socket } = connection;
    const upstream = await world.azure.nextRequest();
    // What the kernel holds on the way is not ours to bound; beyond that the upstream must be standing still.
    socket.pause();
    let before = -1;
    while (before !== upstream.bytesOut) {
      before = upstream.bytesOut;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(upstream.completed).toBe(false);
    socket.on('data', () => {
      socket.pause();
      setImmediate(() => socket.resume());
    });
    socket.resume();
    await connection.until('data: [DONE]');
    const shown = connection.seen().matchAll(/"content":"(\d+);/g);
    expect(Array.from(shown, ([, number]) => Number(number))).toEqual(deltas.map((_, index) => index));
    expect(await world.ledgerLine(requestIdOf(connection))).toMatchObject({ src: 'final', in: '11', out: '7' });
  });

  it('a reader that pauses a little longer than the buffer lasts is not taken for a stalled one', async () => {
    world.azure.enqueue({ reply: { deltas: numbered(4) }, delivery: { gapMs: 1 } });
    const connection = ask(chatBody('single', { stream: true }));
    const pause = setInterval(() => {
      connection.socket.pause();
      setTimeout(() => connection.socket.resume(), 20);
    }, 40);
    await connection.until('data: [DONE]');
    clearInterval(pause);
  });

  it('stalled readers are cut after the stall time, their upstreams closed, and what was generated charged', async () => {
    world.azure.defaultScript = { reply: { deltas: numbered(48) }, delivery: { gapMs: 0 } };
    const stalled = Array.from({ length: 4 }, () => ask(chatBody('single', { stream: true })));
    for (const connection of stalled) {
      await connection.until('"content":"0;');
      connection.socket.pause();
    }
    for (const connection of stalled) {
      const upstream = await (await world.azure.nextRequest()).closed;
      expect(upstream.completed).toBe(false);
      const line = await world.gateway.accessLine(requestIdOf(connection));
      expect(line).toMatchObject({ outcome: 'client-abort' });
      const entry = await world.ledgerLine(requestIdOf(connection));
      expect(entry).toMatchObject({ k: 'settle', src: 'estimate' });
      expect(Number(entry['out'])).toBeGreaterThan(1_000);
    }
    await untilMetric(world.gateway.metrics, 'tollgate_open_streams', 0);
  });

  it('readers that stall on a whole answer or on the end of a stream are cut too', async () => {
    world.azure.forModel('gpt-a', { reply: { text: 'x'.repeat(40_000_000) } });
    world.azure.forModel('gpt-brief', { reply: { deltas: numbered(48) }, delivery: { gapMs: 0 } });
    const whole = ask(chatBody('single'));
    const end = ask(chatBody('brief', { stream: true }));
    for (const { socket } of [whole, end]) {
      await once(socket, 'data');
      socket.pause();
    }
    expect(await world.gateway.accessLine(requestIdOf(whole))).toMatchObject({ outcome: 'client-abort' });
    expect(await world.gateway.accessLine(requestIdOf(end))).toMatchObject({ error: 'provider_timeout' });
    await untilMetric(world.gateway.metrics, 'tollgate_inflight_requests', 0);
    end.socket.resume();
    await end.closed;
    // The error was said, but the reader was cut before it took it: so it had really stalled on it.
    expect(end.seen()).not.toContain('{"error"');
  });

  it('a slow reader gets a large whole answer, byte for byte, though it takes longer than the stall time', async () => {
    const text = Array.from({ length: 1_500_000 }, (_, index) => `${index}`).join(' ');
    world.azure.enqueue({ reply: { text } });
    const connection = ask(chatBody('single'));
    const { socket } = connection;
    const startedAtMs = performance.now();
    socket.on('data', () => {
      socket.pause();
      setTimeout(() => socket.resume(), 15);
    });
    await connection.until('"reasoning_tokens":0}}}');
    expect(performance.now() - startedAtMs).toBeGreaterThan(STALL_MS);
    const body = connection.seen().slice(connection.seen().indexOf('\r\n\r\n') + 4);
    expect((JSON.parse(body) as { choices: { message: { content: string } }[] }).choices[0]?.message.content).toBe(
      text,
    );
  });

  it('resets while we write harm nobody else, and each is settled', async () => {
    world.azure.defaultScript = { reply: { deltas: numbered(2) }, delivery: { gapMs: 5 } };
    const bystander = ask(chatBody('single', { stream: true }));
    const leavers = Array.from({ length: 20 }, () => ask(chatBody('single', { stream: true })));
    await Promise.all(
      leavers.map(async (connection, index) => {
        await connection.until(`"content":"${index % 4};`);
        connection.socket.resetAndDestroy();
        const line = await world.gateway.accessLine(requestIdOf(connection));
        expect(line).toMatchObject({ outcome: 'client-abort' });
        expect(await world.ledgerLine(requestIdOf(connection))).toMatchObject({ k: 'settle', src: 'estimate' });
      }),
    );
    await bystander.until('data: [DONE]');
    expect(dataFields(bystander.seen()).length).toBe(2 * 16 + 4);
    await untilSettled(world);
  });
});
