import { call, chatBody, dataFields, startWorld, type World } from './world.ts';

describe('[DONE] is told exactly when an answer is whole', () => {
  let world: World;
  let whole: number;
  const reply = { deltas: ['One ', 'two.'] };

  beforeAll(async () => {
    world = await startWorld();
    world.azure.enqueue({ reply });
    await call(world, { body: chatBody('single', { stream: true }) });
    whole = world.azure.records[0]?.bytesOut ?? 0;
  });
  afterAll(() => world.stop());
  beforeEach(() => world.azure.reset());

  it.each(['resetAfterBytes', 'endAfterBytes', 'closeAfterBytes'] as const)(
    'never after %s at any byte of the stream, whose text comes at most once',
    async (way) => {
      expect(whole).toBeGreaterThan(500);
      const offsets = Array.from({ length: Math.ceil(whole / 13) }, (_, index) => index * 13);
      for (const offset of offsets) {
        world.azure.enqueue({ reply, delivery: { [way]: offset } });
        world.azure.enqueue({ failure: { status: 400, message: 'only once' } });
        const answer = await call(world, { body: chatBody('single', { stream: true }) });
        const record = world.azure.records[0];
        const sent = record?.bytesOut ?? 0;
        const isDone = dataFields(answer.text).includes('[DONE]');
        // What the fake handed over up to its terminal mark decides; 14 is the length of the mark itself.
        if (isDone) expect(sent).toBeGreaterThanOrEqual(whole - 14);
        else if (answer.status === 200) expect(answer.text).toContain('"error"');
        expect(answer.text.split('"content":"One "').length).toBeLessThanOrEqual(2);
        world.azure.reset();
      }
    },
    60_000,
  );

  it('once for a whole stream, with the usage only where it was asked for', async () => {
    const plain = dataFields((await call(world, { body: chatBody('single', { stream: true }) })).text);
    expect(plain.filter((field) => field === '[DONE]')).toHaveLength(1);
    expect(plain.join('')).not.toContain('"prompt_tokens"');

    const body = chatBody('single', { stream: true, stream_options: { include_usage: true } });
    const asked = dataFields((await call(world, { body })).text);
    expect(JSON.parse(asked.at(-2) ?? '')).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 11, completion_tokens: 7 },
    });
    expect(asked.at(-1)).toBe('[DONE]');
  });
});
