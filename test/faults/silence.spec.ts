import { call, chatBody, dataFields, freshModel, type Answer } from '../e2e/world.ts';
import { startWideWorld, type WideWorld } from './support/wide-world.ts';

const FIRST_CONTENT_MS = 1_300;
const IDLE_MS = 500;
const TOTAL_MS = 2_000;
/** How late or early a timeout may fire, in milliseconds. */
const TOLERANCE_MS = 250;
const ROUNDS = 5;

const words = Array.from({ length: 12 }, (_, index) => `word${index} `);
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

describe('providers that fall silent', () => {
  let world: WideWorld;
  beforeAll(async () => {
    const timeouts = { firstContentMs: FIRST_CONTENT_MS, idleMs: IDLE_MS, totalMs: TOTAL_MS };
    world = await startWideWorld({
      config: { stream: { holdMs: 300, heartbeatMs: 200 } },
      chat: { timeouts },
      translated: { timeouts },
    });
  });
  afterAll(() => world.stop());
  beforeEach(() => {
    for (const upstream of [world.azure, world.second, world.gemini, world.bedrock]) upstream.reset();
  });

  interface AttemptLine {
    readonly deployment: string;
    readonly error?: string;
    readonly ms: number;
  }
  const attemptsOf = async ({ requestId }: Answer) =>
    (await world.gateway.accessLine(requestId))['attempts'] as AttemptLine[];

  /** Several at once, so that one that waited for the processor does not decide. */
  const ask = (model: () => string, fields: Record<string, unknown>) =>
    Promise.all(Array.from({ length: ROUNDS }, () => call(world, { body: chatBody(model(), fields) })));

  function within(values: readonly number[], expectedMs: number): void {
    expect(values).toHaveLength(ROUNDS);
    expect(Math.min(...values)).toBeGreaterThan(expectedMs - TOLERANCE_MS);
    expect(median(values)).toBeLessThan(expectedMs + TOLERANCE_MS);
  }

  it.each([
    ['says nothing', { delivery: { silent: true } }],
    ['sends headers alone', { delivery: { firstPieceMs: 60_000 } }],
    ['opens a stream and sends no content', { reply: { deltas: words }, delivery: { stallAfterPieces: 2 } }],
  ])('a stream whose provider %s is a 504 after the first-content time, its upstream closed', async (_name, script) => {
    world.azure.defaultScript = script;
    const answers = await ask(() => freshModel('single'), { stream: true });
    for (const answer of answers) {
      // The status left with a comment after holdMs, so that the failure is an event.
      expect(answer.status).toBe(200);
      expect(answer.text).toMatch(/^: ping\n\n/);
      const fields = dataFields(answer.text);
      expect(fields).toHaveLength(1);
      expect(JSON.parse(fields[0] ?? '')).toMatchObject({ error: { code: 'provider_timeout', type: 'api_error' } });
      expect(await world.ledgerLine(answer.requestId)).toMatchObject({ k: 'settle', in: '0', out: '0', src: 'none' });
    }
    const attempts = (await Promise.all(answers.map(attemptsOf))).flat();
    within(
      attempts.map(({ ms }) => ms),
      FIRST_CONTENT_MS,
    );
    for (const record of world.azure.records) expect((await record.closed).completed).toBe(false);
  });

  it.each(['gemini', 'bedrock'] as const)('%s: the same for a translated stream', async (model) => {
    world[model].defaultScript = { delivery: { silent: true } };
    const answers = await ask(() => model, { stream: true });
    const attempts = (await Promise.all(answers.map(attemptsOf))).flat();
    expect(attempts.map(({ error }) => error)).toEqual(attempts.map(() => 'provider_timeout'));
    within(
      attempts.map(({ ms }) => ms),
      FIRST_CONTENT_MS,
    );
  });

  it('while nothing was sent the next deployment answers, and the answer shows it alone', async () => {
    world.azure.defaultScript = { reply: { deltas: ['lost'] }, delivery: { stallAfterPieces: 2 } };
    const answers = await ask(() => freshModel('chat'), { stream: true });
    for (const answer of answers) {
      const fields = dataFields(answer.text);
      expect(fields.at(-1)).toBe('[DONE]');
      expect(answer.text).not.toContain('lost');
      const [first, second, ...more] = await attemptsOf(answer);
      expect(first).toMatchObject({ deployment: expect.stringContaining('first'), error: 'provider_timeout' });
      expect(second).not.toHaveProperty('error');
      expect(more).toHaveLength(0);
      expect(await world.ledgerLine(answer.requestId)).toMatchObject({ provider: 'second', src: 'final' });
    }
  });

  it('a whole answer is waited for until the total alone, then it is a 504', async () => {
    world.azure.defaultScript = { delivery: { silent: true } };
    const answers = await ask(() => freshModel('single'), {});
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 504));
    for (const answer of answers) expect(answer.json()).toMatchObject({ error: { code: 'provider_timeout' } });
    const attempts = (await Promise.all(answers.map(attemptsOf))).flat();
    within(
      attempts.map(({ ms }) => ms),
      TOTAL_MS,
    );
  });

  describe('after content was sent', () => {
    /** Streams until their provider falls silent; resolves with how long each was silent before its error. */
    async function silences(model: () => string): Promise<{ answers: Answer[]; silentMs: number[] }> {
      const silentMs: number[] = [];
      const one = async (): Promise<Answer> => {
        let contentAtMs = 0;
        const answer = await call(world, {
          body: chatBody(model(), { stream: true }),
          onChunk: (chunk) => {
            if (chunk.includes('"content":"')) contentAtMs = performance.now();
            if (chunk.includes('{"error"')) silentMs.push(performance.now() - contentAtMs);
          },
        });
        return answer;
      };
      const answers = await Promise.all(Array.from({ length: ROUNDS }, one));
      return { answers, silentMs };
    }

    it.each([
      ['native', 'azure', 'chat'],
      ['gemini', 'gemini', 'gemini'],
      ['bedrock', 'bedrock', 'bedrock'],
    ] as const)('%s: the idle time ends it with an event, and nobody else is asked', async (_name, upstream, model) => {
      world[upstream].defaultScript = { reply: { deltas: words }, delivery: { stallAfterPieces: 5 } };
      const { answers, silentMs } = await silences(() => (model === 'chat' ? freshModel('chat') : model));
      within(silentMs, IDLE_MS);
      for (const answer of answers) {
        const fields = dataFields(answer.text);
        expect(JSON.parse(fields.at(-1) ?? '')).toMatchObject({ error: { code: 'provider_timeout' } });
        expect(fields).not.toContain('[DONE]');
        expect(answer.text).toContain('word0 ');
        expect(await attemptsOf(answer)).toHaveLength(1);
        const entry = await world.ledgerLine(answer.requestId);
        expect(entry['src']).not.toBe('final');
        expect(Number(entry['out'])).toBeGreaterThan(0);
      }
      expect(world.second.records).toHaveLength(0);
      for (const record of world[upstream].records) expect((await record.closed).completed).toBe(false);
    });
  });
});
