import { call, chatBody, startWorld, type World } from './world.ts';

describe('every refusal is recorded', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ config: { server: { host: '127.0.0.1', maxBodyBytes: 2_048 } } });
  });
  afterAll(() => world.stop());

  it.each([
    ['no credential', { headers: { authorization: '' }, body: chatBody() }, 401, 'authentication_required'],
    ['a wrong key', { headers: { authorization: 'Bearer tg_wrong' }, body: chatBody() }, 401, 'invalid_api_key'],
    ['an unknown route', { path: '/v1/nothing' }, 404, 'route_not_found'],
    ['another method', { path: '/v1/chat/completions' }, 405, 'method_not_allowed'],
    ['an unknown model', { body: chatBody('unknown') }, 404, 'model_not_found'],
    ['an embeddings model asked to chat', { body: chatBody('embed') }, 400, 'invalid_request'],
    ['an empty conversation', { body: chatBody('chat', { messages: [] }) }, 400, 'invalid_value'],
    ['a hot temperature', { body: chatBody('chat', { temperature: 'hot' }) }, 400, 'invalid_value'],
    ['a large body', { body: chatBody('chat', { user: 'x'.repeat(4_000) }) }, 413, 'request_too_large'],
    [
      'another media type',
      { headers: { 'content-type': 'text/plain' }, body: chatBody() },
      415,
      'unsupported_media_type',
    ],
    ['a compressed body', { headers: { 'content-encoding': 'gzip' }, body: chatBody() }, 415, 'unsupported_media_type'],
  ])('%s', async (_name, options, status, code) => {
    const answer = await call(world, options);

    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ error: { code, message: expect.any(String), type: expect.any(String) } });
    expect(answer.requestId).toMatch(/^req_[0-9a-f]{32}$/);
    const line = await world.gateway.accessLine(answer.requestId);
    expect(line).toMatchObject({ status, outcome: 'refused', error: code });
    expect(world.azure.records).toHaveLength(0);
    expect(await world.ledger()).toEqual([]);
  });

  it('counts them in the metrics by who has to act', async () => {
    await call(world, { body: chatBody('unknown') });
    const metrics = await (await fetch(`${world.gateway.metrics}/metrics`)).text();
    expect(metrics).toMatch(
      /tollgate_requests_total\{[^}]*code="404",error_type="caller_model_not_found"[^}]*\} [1-9]/,
    );
    expect(metrics).toMatch(
      /tollgate_requests_total\{[^}]*code="401",error_type="caller_authentication_required"[^}]*\} 1/,
    );
  });

  it('never logs a prompt or a credential', async () => {
    const secret = 'canary-prompt-7131';
    await call(world, { body: chatBody('chat', { messages: [{ role: 'user', content: secret }] }) });
    await call(world, { path: `/v1/models?key=${secret}`, headers: { authorization: `Bearer ${secret}` } });
    expect(world.gateway.output()).not.toContain(secret);
    expect(world.gateway.output()).not.toContain(world.key);
    expect(world.gateway.output()).not.toContain('azure-test-key');
  });
});

describe('a limit', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  it('refuses with the limit, the remainder and the time to wait, and records it without a ledger line', async () => {
    const key = world.key;
    await world.gateway.writeConfig({
      ...world.config,
      keys: [{ id: 'tester', secret: key, organisation: world.organisation, limits: { requestsPerMinute: 2 } }],
    });
    await world.gateway.logLine(
      ({ msg }) => typeof msg === 'string' && /configuration/.test(msg) && /force|reloaded|applied/.test(msg),
    );
    const answers = [];
    for (let count = 0; count < 3; count += 1) answers.push(await call(world, { body: chatBody() }));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[0]?.headers).toMatchObject({
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '1',
    });
    const refused = answers[2];
    expect(refused?.json()).toMatchObject({ error: { code: 'rate_limit_exceeded', type: 'rate_limit_error' } });
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0);
    const line = await world.gateway.accessLine(refused?.requestId ?? '');
    expect(line).toMatchObject({ status: 429, outcome: 'refused', error: 'rate_limit_exceeded', key: 'tester' });
    const first = await world.ledgerLine(answers[0]?.requestId ?? '');
    expect(first).toMatchObject({ k: 'settle' });
    expect((await world.ledger()).some(({ rid }) => rid === refused?.requestId)).toBe(false);
  });
});
