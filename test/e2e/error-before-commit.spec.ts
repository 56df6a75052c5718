import { AZURE_CONTENT_FILTER, AZURE_CONTEXT_LENGTH } from '../support/fake-azure-openai.ts';
import { call, chatBody, freshModel, startWorld, type World } from './world.ts';

describe('an error before the first content keeps its status', () => {
  let world: World;
  beforeAll(async () => {
    const stream = { holdMs: 300, heartbeatMs: 100 };
    world = await startWorld({ config: { stream }, limits: { requestsPerMinute: 100_000 } });
  });
  afterAll(() => world.stop());
  beforeEach(() => {
    world.azure.reset();
    world.second.reset();
  });

  it.each([false, true])('a provider that refuses the prompt, stream %s', async (stream) => {
    world.azure.enqueue({ failure: AZURE_CONTENT_FILTER });
    const answer = await call(world, { body: chatBody(freshModel('chat'), { stream }) });

    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.json()).toMatchObject({
      error: { code: 'content_filter', param: 'prompt', innererror: { code: 'ResponsibleAIPolicyViolation' } },
    });
    expect(world.second.records).toHaveLength(0);
  });

  it('a refusal that hides behind a status of success', async () => {
    const body = JSON.stringify(AZURE_CONTENT_FILTER.body);
    const wire = { status: 200, headers: { 'content-type': 'application/json' }, pieces: [Buffer.from(body)] };
    world.azure.enqueue({ wire });
    const answer = await call(world, { body: chatBody(freshModel('chat')) });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: { code: 'content_filter' } });
  });

  it('a prompt that is too long', async () => {
    world.azure.enqueue({ failure: AZURE_CONTEXT_LENGTH });
    const answer = await call(world, { body: chatBody(freshModel('chat'), { stream: true }) });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: { code: 'context_length_exceeded' } });
  });

  it.each([
    ['429', { failure: { status: 429, retryAfter: '7' } }, 429, 'provider_rate_limited'],
    ['500', { failure: { status: 500 } }, 502, 'provider_error'],
    ['503', { failure: { status: 503 } }, 503, 'provider_overloaded'],
    ['401', { failure: { status: 401 } }, 502, 'provider_authentication'],
    ['404', { failure: { status: 404 } }, 502, 'provider_not_found'],
    ['a reset before the headers', { delivery: { resetAfterBytes: -1 } }, 502, 'provider_unreachable'],
    ['a stream that ends before its content', { delivery: { endAfterBytes: 40 } }, 502, 'provider_stream_broken'],
  ])('a provider that answers with %s, when there is no other', async (_name, script, status, code) => {
    world.azure.defaultScript = script;
    const answer = await call(world, { body: chatBody(freshModel('single'), { stream: true }) });

    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ error: { code } });
    expect(answer.text).not.toContain('127.0.0.1');
    if (status === 429) expect(answer.headers['retry-after']).toBe('7');
    const line = await world.gateway.accessLine(answer.requestId);
    expect(line).toMatchObject({ outcome: 'failed', error: code });
  });

  it.each([false, true])('the next deployment answers in its place, stream %s', async (stream) => {
    world.azure.enqueue({ failure: { status: 500 } });
    const answer = await call(world, { body: chatBody(freshModel('chat'), { stream }) });

    expect(answer.status).toBe(200);
    expect(answer.text).toContain(stream ? '[DONE]' : 'Hello from the model.');
    const line = await world.gateway.accessLine(answer.requestId);
    expect(line['attempts']).toEqual([
      expect.objectContaining({ deployment: expect.stringContaining('first'), error: 'provider_error' }),
      expect.objectContaining({ deployment: expect.stringContaining('second') }),
    ]);
    const entry = await world.ledgerLine(answer.requestId);
    expect(entry).toMatchObject({ k: 'settle', in: '11', out: '7', provider: 'second', src: 'final' });
    expect((await world.ledger()).filter(({ rid }) => rid === answer.requestId)).toHaveLength(1);
  });

  it('a stream that breaks before its content is answered whole by the next deployment', async () => {
    world.azure.enqueue({ delivery: { resetAfterBytes: 60 } });
    const answer = await call(world, { body: chatBody(freshModel('chat'), { stream: true }) });
    expect(answer.status).toBe(200);
    expect(answer.text.match(/data: \[DONE\]/g)).toHaveLength(1);
  });

  it('after holdMs the status leaves with comments, and another deployment may still answer', async () => {
    world.azure.enqueue({ delivery: { delayMs: 900 }, failure: { status: 500 } });
    const answer = await call(world, { body: chatBody(freshModel('chat'), { stream: true }) });

    expect(answer.status).toBe(200);
    expect(answer.text).toMatch(/^: ping\n\n/);
    expect(answer.headers['x-ratelimit-limit-requests']).toBe('100000');
    expect(answer.text).toContain('data: [DONE]');
    expect((await world.gateway.accessLine(answer.requestId))['attempts']).toHaveLength(2);
  });

  it('after holdMs a failure of all becomes an event, never a whole stream', async () => {
    world.azure.defaultScript = { delivery: { delayMs: 600 }, failure: { status: 400, message: 'no such option' } };
    const answer = await call(world, { body: chatBody(freshModel('single'), { stream: true }) });

    expect(answer.status).toBe(200);
    expect(answer.text).toContain('data: {"error":');
    expect(answer.text).not.toContain('[DONE]');
  });
});
