import { generateApiKey } from '../../src/contract/api-key.js';
import { call, chatBody, startWorld, type World } from './world.ts';

describe('labels a key demands', () => {
  let world: World;
  const european = generateApiKey();
  beforeAll(async () => {
    world = await startWorld({
      config: {
        keys: [{ id: 'european', secret: european, labels: ['eu'] }],
        models: {
          mixed: {
            deployments: [
              { provider: 'first', model: 'gpt-us', labels: ['us'] },
              { provider: 'second', model: 'gpt-eu', labels: ['eu', 'cheap'], priority: 1 },
            ],
          },
          american: { deployments: [{ provider: 'first', model: 'gpt-us', labels: ['us'] }] },
        },
      },
    });
  });
  afterAll(() => world.stop());
  const asked = (model: string) => call({ gateway: world.gateway, key: european }, { body: chatBody(model) });

  it('choose the deployments that carry them, whatever their priority, and no fallback leaves them', async () => {
    expect((await asked('mixed')).status).toBe(200);
    expect(world.second.records[0]?.path).toContain('gpt-eu');
    world.second.defaultScript = { failure: { status: 500 } };
    expect((await asked('mixed')).status).toBe(502);
    expect(world.azure.records).toHaveLength(0);
  });

  it('refuse a model none of whose deployments carries them', async () => {
    const answer = await asked('american');
    expect(answer.status).toBe(503);
    expect(answer.json()).toMatchObject({ error: { code: 'no_deployment' } });
  });
});
