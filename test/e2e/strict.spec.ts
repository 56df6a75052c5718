import { call, chatBody, startWorld, type World } from './world.ts';

describe('strict mode', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({
      config: { models: { careful: { strict: true, deployments: [{ provider: 'sandbox', model: 'sandbox' }] } } },
    });
  });
  afterAll(() => world.stop());

  const lossy = (model: string, stream = false) =>
    chatBody(model, { presence_penalty: 1, logit_bias: { 5: 1 }, stream });
  const strict = { 'x-tollgate-strict': 'true' };

  it.each([false, true])(
    'refuses what would be lost, naming every field in the caller’s words, stream %s',
    async (stream) => {
      const answer = await call(world, { body: lossy('sandbox', stream), headers: strict });
      expect(answer.status).toBe(422);
      expect(answer.json()).toMatchObject({
        error: {
          code: 'unsupported_parameter',
          losses: expect.arrayContaining([
            expect.objectContaining({ field: 'presence_penalty', kind: 'dropped' }),
            expect.objectContaining({ field: 'logit_bias', kind: 'dropped' }),
          ]),
        },
      });
      expect(await world.gateway.accessLine(answer.requestId)).toMatchObject({ outcome: 'refused' });
      expect((await world.ledger()).some(({ rid }) => rid === answer.requestId)).toBe(false);
    },
  );

  it('serves what loses nothing, and without it names the losses in a header', async () => {
    expect((await call(world, { body: chatBody('sandbox'), headers: strict })).status).toBe(200);
    const lenient = await call(world, { body: lossy('sandbox') });
    expect(lenient.status).toBe(200);
    expect(lenient.headers['x-tollgate-warnings']).toMatch(
      /presence_penalty=dropped.*logit_bias=dropped|logit_bias=dropped.*presence_penalty=dropped/,
    );
  });

  it('can be asked for by the model, and is nothing on the native path', async () => {
    expect((await call(world, { body: lossy('careful') })).status).toBe(422);
    expect((await call(world, { body: lossy('single'), headers: strict })).status).toBe(200);
  });

  it('refuses a value it does not know', async () => {
    const answer = await call(world, { body: chatBody('sandbox'), headers: { 'x-tollgate-strict': 'yes' } });
    expect(answer.status).toBe(400);
  });
});
