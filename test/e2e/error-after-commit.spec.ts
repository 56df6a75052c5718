import { call, chatBody, dataFields, freshModel, startWorld, type World } from './world.ts';

describe('an error after the first content is told in the stream', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ chat: { timeouts: { idleMs: 400, firstContentMs: 600 } } });
  });
  afterAll(() => world.stop());
  beforeEach(() => {
    world.azure.reset();
    world.second.reset();
  });

  const deltas = ['One ', 'two ', 'three ', 'four ', 'five ', 'six.'];

  it.each([
    ['a reset', { resetAfterBytes: 1_500, gapMs: 5 }, 'provider_stream_broken'],
    ['a clean but early end', { endAfterBytes: 1_500, gapMs: 5 }, 'provider_stream_broken'],
    ['a connection closed without its end', { closeAfterBytes: 1_500, gapMs: 5 }, 'provider_stream_broken'],
    ['silence', { stallAfterPieces: 5 }, 'provider_timeout'],
  ])('%s', async (_name, delivery, code) => {
    world.azure.enqueue({ reply: { deltas }, delivery });
    const answer = await call(world, { body: chatBody(freshModel('chat'), { stream: true }) });

    expect(answer.status).toBe(200);
    expect(answer.wasCut).toBe(false);
    const fields = dataFields(answer.text);
    const last = JSON.parse(fields.at(-1) ?? '{}') as { error?: { code?: string; message?: string } };
    expect(last.error?.code).toBe(code);
    expect(last.error?.message).toEqual(expect.any(String));
    expect(answer.text).not.toContain('[DONE]');
    const shown = fields
      .slice(0, -1)
      .map((field) => JSON.parse(field) as { choices: { delta: { content?: string } }[] })
      .map(({ choices }) => choices[0]?.delta.content ?? '')
      .join('');
    expect(shown.length).toBeGreaterThan(0);
    expect(deltas.join('').startsWith(shown)).toBe(true);
    expect(world.second.records).toHaveLength(0);

    expect(await world.gateway.accessLine(answer.requestId)).toMatchObject({ outcome: 'failed', error: code });
    const entry = await world.ledgerLine(answer.requestId);
    expect(entry['src']).toBe('estimate');
    expect(Number(entry['in'])).toBeGreaterThan(0);
    expect(Number(entry['out'])).toBeGreaterThan(0);
  });

  it('an error event of the provider comes out as one of ours', async () => {
    const chunk = (delta: object) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`;
    const wire = [
      chunk({ content: 'Half' }),
      'data: {"error":{"message":"internal secret-host.example","code":"server_error"}}\n\n',
    ];
    world.azure.enqueue({
      wire: {
        status: 200,
        headers: { 'content-type': 'text/event-stream' },
        pieces: wire.map((text) => Buffer.from(text)),
      },
    });
    const answer = await call(world, { body: chatBody(freshModel('chat'), { stream: true }) });
    const fields = dataFields(answer.text);
    expect(fields).toHaveLength(2);
    expect(JSON.parse(fields[1] ?? '')).toMatchObject({ error: { type: 'api_error' } });
    expect(answer.text).not.toContain('secret-host');
    expect(answer.text).not.toContain('[DONE]');
  });

  it.each([1, 2, 3, 7, 11])('text split into writes of %d bytes arrives unharmed', async (writeBytes) => {
    const text = 'Grüße, 你好, 👩‍🚀!';
    world.azure.enqueue({ reply: { deltas: ['Grüße, ', '你好', ', 👩‍🚀!'] }, delivery: { writeBytes } });
    const answer = await call(world, { body: chatBody(freshModel('chat'), { stream: true }) });
    const shown = dataFields(answer.text)
      .filter((field) => field !== '[DONE]')
      .map((field) => JSON.parse(field) as { choices: { delta: { content?: string } }[] })
      .map(({ choices }) => choices[0]?.delta.content ?? '')
      .join('');
    expect(shown).toBe(text);
    expect(answer.text).not.toContain('\uFFFD');
  });
});
