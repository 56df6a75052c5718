import { call, chatBody, freshModel, type Answer, type LedgerLine } from '../e2e/world.ts';
import { sseEvent } from '../support/fake-openai-wire.ts';
import { rateLimited } from '../support/fake-gemini.ts';
import type { Failure, Script } from '../support/fake-upstream.ts';
import { metricValue } from '../support/metric-value.ts';
import { startWideWorld, type WideWorld } from './support/wide-world.ts';

/** Above what the largest lie of these tests uses up. */
const LIMIT = 1_000_000_000_000_000;

interface AttemptLine {
  readonly deployment: string;
  readonly error?: string;
}

describe('what providers answer', () => {
  let world: WideWorld;
  beforeAll(async () => {
    world = await startWideWorld();
    await world.gateway.writeConfig({
      ...world.config,
      keys: [{ id: 'tester', secret: world.key, organisation: world.organisation, limits: { tokensPerMinute: LIMIT } }],
    });
    await world.gateway.logLine(({ msg }) => msg === 'configuration reloaded');
  });
  afterAll(() => world.stop());
  beforeEach(() => {
    for (const upstream of [world.azure, world.second, world.gemini, world.bedrock]) upstream.reset();
  });
  const attemptsOf = async ({ requestId }: Answer) =>
    (await world.gateway.accessLine(requestId))['attempts'] as AttemptLine[];

  describe('as usage', () => {
    /** A whole and a streamed answer whose usage is what the script says; resolves with their ledger lines. */
    async function charged(model: string, script: Script): Promise<LedgerLine[]> {
      const upstream = model === 'gemini' || model === 'bedrock' ? world[model] : world.azure;
      upstream.enqueue(script, script);
      const lines: LedgerLine[] = [];
      for (const stream of [false, true]) {
        const answer = await call(world, { body: chatBody(model, { stream }) });
        expect(answer.status).toBe(200);
        const remaining = Number(answer.headers['x-ratelimit-remaining-tokens']);
        expect(remaining).toBeLessThan(LIMIT);
        lines.push(await world.ledgerLine(answer.requestId));
      }
      for (const { in: prompt, out } of lines) {
        for (const count of [Number(prompt), Number(out)]) {
          expect(Number.isSafeInteger(count)).toBe(true);
          expect(count).toBeGreaterThanOrEqual(0);
        }
      }
      return lines;
    }

    it.each([
      ['none', null],
      ['null counts', { prompt_tokens: null, completion_tokens: null }],
      ['texts', { prompt_tokens: '11', completion_tokens: '7' }],
      ['negative counts', { prompt_tokens: -11, completion_tokens: 7 }],
      ['a negative output', { prompt_tokens: 11, completion_tokens: -1_000_000 }],
      ['fractions', { prompt_tokens: 11.5, completion_tokens: 7 }],
      ['counts beyond what is exact', { prompt_tokens: 2 ** 53, completion_tokens: 7 }],
      ['a list', [11, 7]],
      ['a number', 18],
      ['counts without a prompt', { completion_tokens: 7 }],
    ])('%s is charged by an estimate, and told as missing', async (_name, rawUsage) => {
      const before = await metricValue(world.gateway.metrics, 'tollgate_usage_missing_total');
      const lines = await charged('single', { reply: { text: 'x'.repeat(400), rawUsage } });
      for (const line of lines) {
        expect(line).toMatchObject({ k: 'settle', src: 'estimate' });
        expect(Number(line['in'])).toBeGreaterThan(0);
        expect(Number(line['out'])).toBeGreaterThanOrEqual(100);
      }
      expect(await metricValue(world.gateway.metrics, 'tollgate_usage_missing_total')).toBe(before + 2);
    });

    it('a number too large for JSON is charged by an estimate', async () => {
      const usage = '"usage":{"prompt_tokens":1e999,"completion_tokens":7}}';
      const choice = '"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]';
      const headers = { 'content-type': 'application/json' };
      world.azure.enqueue({ wire: { status: 200, headers, pieces: [Buffer.from(`{${choice},${usage}`)] } });
      const { requestId } = await call(world, { body: chatBody('single') });
      expect(await world.ledgerLine(requestId)).toMatchObject({ src: 'estimate' });
    });

    it.each([
      ['zeros', { prompt_tokens: 0, completion_tokens: 0 }, '0', '0'],
      ['more than any context', { prompt_tokens: 9_000_000_000, completion_tokens: 7 }, '9000000000', '7'],
      ['totals that do not add up', { prompt_tokens: 11, completion_tokens: 7, total_tokens: 1 }, '11', '7'],
      [
        'more cached than read',
        { prompt_tokens: 11, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 99 } },
        '11',
        '7',
      ],
      [
        'negative details',
        { prompt_tokens: 11, completion_tokens: 7, completion_tokens_details: { reasoning_tokens: -5 } },
        '11',
        '7',
      ],
    ])('%s are the truth as told', async (_name, rawUsage, prompt, output) => {
      for (const line of await charged('single', { reply: { rawUsage } })) {
        expect(line).toMatchObject({ k: 'settle', src: 'final', in: prompt, out: output });
        expect(Number(line['cin'])).toBeLessThanOrEqual(Number(prompt));
        expect(Number(line['reas'])).toBeGreaterThanOrEqual(0);
      }
    });

    it('of counts that decrease along a stream the last is the truth', async () => {
      const counts = [50, 30, 20].map((completion, index) =>
        sseEvent({
          choices: [{ index: 0, delta: { content: 'a' }, finish_reason: index === 2 ? 'stop' : null }],
          usage: { prompt_tokens: 11, completion_tokens: completion },
        }),
      );
      const headers = { 'content-type': 'text/event-stream' };
      world.azure.enqueue({ wire: { status: 200, headers, pieces: [...counts, Buffer.from('data: [DONE]\n\n')] } });
      const { requestId } = await call(world, { body: chatBody('single', { stream: true }) });
      expect(await world.ledgerLine(requestId)).toMatchObject({ src: 'final', in: '11', out: '20' });
    });

    it.each([
      ['gemini', { promptTokenCount: -1, candidatesTokenCount: 7 }],
      ['gemini', { promptTokenCount: '11', candidatesTokenCount: null }],
      ['bedrock', { inputTokens: -1, outputTokens: 7, totalTokens: 6 }],
      ['bedrock', { inputTokens: 'many', outputTokens: 7 }],
    ])('nonsense of %s never credits anybody: %j', async (model, rawUsage) => {
      for (const line of await charged(model, { reply: { text: 'x'.repeat(400), rawUsage } })) {
        expect(line['src']).toBe('estimate');
        expect(Number(line['out'])).toBeGreaterThanOrEqual(100);
      }
    });

    it('no answer has given back more than was reserved', async () => {
      const { headers } = await call(world, { body: chatBody('single') });
      // 9,000,000,000 tokens were told twice; what came after cannot have refilled the window.
      expect(Number(headers['x-ratelimit-remaining-tokens'])).toBeLessThan(LIMIT - 18_000_000_000);
    });
  });

  describe('as a refusal', () => {
    const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toUTCString();
    beforeAll(async () => {
      const keys = [{ id: 'tester', secret: world.key, organisation: world.organisation }];
      await world.gateway.writeConfig({ ...world.config, keys });
      await world.gateway.logLine(({ msg, version }) => msg === 'configuration reloaded' && version === 3);
    });

    it.each([
      ['seconds', { retryAfter: '7' }, 7],
      ['a date', { retryAfter: 'date' }, 20],
      ['milliseconds', { headers: { 'retry-after-ms': '1500' } }, 2],
      ['both: the exact one counts', { retryAfter: '60', headers: { 'retry-after-ms': '2500' } }, 3],
      ['more than an hour: an hour', { retryAfter: '999999999' }, 3_600],
      ['a date that is past', { retryAfter: 'Thu, 01 Jan 1970 00:00:00 GMT' }, 0],
      ['no number', { retryAfter: 'soon' }, undefined],
      ['a negative number', { retryAfter: '-5' }, undefined],
      ['no time at all', {}, undefined],
    ])('a 429 with %s tells the caller when to come back', async (_name, told, seconds) => {
      const failure: Failure = { status: 429, ...told };
      world.azure.defaultScript = {
        failure: failure.retryAfter === 'date' ? { ...failure, retryAfter: inSeconds(20) } : failure,
      };
      const answer = await call(world, { body: chatBody(freshModel('single'), { stream: true }) });
      expect(answer.status).toBe(429);
      expect(answer.json()).toMatchObject({ error: { code: 'provider_rate_limited', type: 'rate_limit_error' } });
      const after = answer.headers['retry-after'];
      if (seconds === undefined) expect(after).toBeUndefined();
      else expect(Math.abs(Number(after) - seconds)).toBeLessThanOrEqual(1);
      // Said before anything was generated: nothing is charged, and the same deployment is not asked again.
      expect(world.azure.records).toHaveLength(1);
      expect(await world.ledgerLine(answer.requestId)).toMatchObject({ in: '0', out: '0', src: 'none' });
    });

    it.each([
      [408, 504, 'provider_timeout'],
      [409, 502, 'provider_error'],
      [500, 502, 'provider_error'],
      [501, 502, 'provider_error'],
      [503, 503, 'provider_overloaded'],
      [504, 504, 'provider_timeout'],
      [520, 502, 'provider_error'],
      [529, 503, 'provider_overloaded'],
      [302, 502, 'provider_error'],
    ])('%d is told as %d %s, and the next deployment is asked first', async (status, told, code) => {
      const failure = { status, message: 'secret-host.internal', headers: { location: 'http://169.254.169.254/' } };
      world.azure.defaultScript = { failure };
      const alone = await call(world, { body: chatBody(freshModel('single')) });
      expect({ status: alone.status, error: alone.json()['error'] }).toMatchObject({ status: told, error: { code } });
      expect(alone.text).not.toContain('secret-host');
      expect(await world.ledgerLine(alone.requestId)).toMatchObject({ in: '0', out: '0', src: 'none' });

      const saved = await call(world, { body: chatBody(freshModel('chat'), { stream: true }) });
      expect(saved.status).toBe(200);
      expect((await attemptsOf(saved)).map(({ error }) => error)).toEqual([code, undefined]);
      expect(await world.ledgerLine(saved.requestId)).toMatchObject({ provider: 'second', in: '11', out: '7' });
    });

    it('a deployment that limits requests is left alone for as long as it said', async () => {
      const model = freshModel('chat');
      world.azure.enqueue({ failure: { status: 429, retryAfter: '1' } });
      const deployments = async () => {
        const answer = await call(world, { body: chatBody(model) });
        return (await attemptsOf(answer)).map(({ deployment }) => deployment.split('/')[1]);
      };
      const startedAtMs = performance.now();
      expect(await deployments()).toEqual(['first', 'second']);
      expect(await deployments()).toEqual(['second']);
      let asked = await deployments();
      while (asked[0] === 'second') asked = await deployments();
      expect(asked).toEqual(['first']);
      expect(performance.now() - startedAtMs).toBeGreaterThan(950);
    });

    it('a deployment that fails three times in a row is asked last', async () => {
      const model = freshModel('chat');
      world.azure.enqueue(...Array.from({ length: 3 }, () => ({ failure: { status: 500 } })));
      const first = async () => (await attemptsOf(await call(world, { body: chatBody(model) })))[0]?.deployment;
      for (let count = 0; count < 3; count += 1) expect(await first()).toContain('/first/');
      expect(await first()).toContain('/second/');
      expect(await first()).toContain('/second/');
    });

    it.each([
      ['gemini', rateLimited('3s'), 3],
      ['bedrock', { status: 429, retryAfter: '4' }, 4],
    ] as const)('%s: its own way of saying it is understood', async (model, failure, seconds) => {
      world[model].defaultScript = { failure };
      const answer = await call(world, { body: chatBody(model) });
      expect(answer.status).toBe(429);
      expect(answer.headers['retry-after']).toBe(String(seconds));
    });

    it.each([
      '<html>Bad gateway</html>',
      '',
      '{',
      '[]',
      'null',
      '"text"',
      `{"error":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
    ])('a body that is no error object is none to the caller either: %j', async (body) => {
      for (const status of [400, 500]) {
        world.azure.defaultScript = { failure: { status, body } };
        const answer = await call(world, { body: chatBody(freshModel('single')) });
        expect(answer.status).toBe(status === 400 ? 400 : 502);
        expect(answer.json()).toMatchObject({ error: { message: expect.any(String), code: expect.any(String) } });
        expect(answer.text).not.toContain('<html>');
      }
    });
  });

  describe('as an answer', () => {
    const reply = (headers: Record<string, string>, body: string | Buffer, status = 200): Script => ({
      wire: { status, headers, pieces: [Buffer.from(body)] },
    });
    it.each([
      ['HTML', reply({ 'content-type': 'text/html' }, '<html></html>')],
      ['nothing', reply({ 'content-type': 'application/json' }, '')],
      ['half of its JSON', reply({ 'content-type': 'application/json' }, '{"choices":[{"message"')],
      [
        'compressed bytes nobody asked for',
        reply({ 'content-type': 'application/json', 'content-encoding': 'gzip' }, Buffer.from([31, 139, 8, 0])),
      ],
    ])('%s is a 502, whole and streamed', async (_name, script) => {
      for (const stream of [false, true]) {
        world.azure.enqueue(script);
        const answer = await call(world, { body: chatBody(freshModel('single'), { stream }) });
        expect(answer.status).toBe(502);
        expect(answer.json()).toMatchObject({ error: { code: expect.stringMatching(/^provider_/) } });
      }
    });

    it('headers of the provider reach the caller only by the list', async () => {
      world.azure.enqueue(
        reply(
          {
            'content-type': 'application/json',
            'set-cookie': 'session=canary',
            'x-ms-region': 'Nord\u00ef',
            'x-internal': 'canary',
            server: 'canary',
            location: 'http://canary/',
            'content-encoding': 'identity',
          },
          '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}',
        ),
      );
      const answer = await call(world, { body: chatBody('single') });
      expect(answer.status).toBe(200);
      expect(JSON.stringify(answer.headers)).not.toContain('canary');
      expect(await world.ledgerLine(answer.requestId)).toMatchObject({ src: 'final' });
    });
  });
});
