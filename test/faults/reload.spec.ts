import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateApiKey } from '../../src/contract/api-key.ts';
import { call, chatBody, dataFields, startWorld, type World } from '../e2e/world.ts';
import { startGateway } from '../support/gateway-process.ts';
import { metricValue, untilMetric } from '../support/metric-value.ts';

const RELOADS = 'tollgate_config_reload_total';

describe('a configuration that changes under a running gateway', () => {
  let world: World;
  const spare = generateApiKey();

  beforeAll(async () => {
    world = await startWorld({
      config: {
        providers: { rotating: { kind: 'azure-openai', endpoint: 'https://unused.example', apiKey: 'x' } },
        models: { rotating: { deployments: [{ provider: 'rotating', model: 'gpt-r' }] } },
      },
    });
    writeFileSync(path('azure-key'), 'azure-test-key\n');
    const providers = world.config['providers'] as object;
    const rotating = { kind: 'azure-openai', endpoint: world.azure.origin, apiKey: 'file:azure-key' };
    const { organisation } = world;
    good = {
      ...world.config,
      providers: { ...providers, rotating },
      keys: [
        { id: 'tester', secret: world.key, organisation, team: 'research' },
        { id: 'spare', secret: spare, organisation },
      ],
    };
    await reloaded(() => world.gateway.writeConfig(good));
  });
  afterAll(() => world.stop());
  beforeEach(() => world.azure.reset());

  let good: Record<string, unknown>;
  const path = (name: string) => join(world.gateway.directory, name);
  const file = () => path('tollgate.yaml');
  const count = (result: string) => metricValue(world.gateway.metrics, RELOADS, `result="${result}"`);
  /** Makes a change and awaits the reload it causes. */
  async function expectReload(result: 'success' | 'failure', change: () => unknown): Promise<void> {
    const before = await count(result);
    await change();
    await untilMetric(world.gateway.metrics, RELOADS, before + 1, `result="${result}"`);
  }
  const reloaded = (change: () => unknown) => expectReload('success', change);
  const served = async (model = 'single') => (await call(world, { body: chatBody(model) })).status;

  it.each([
    ['broken YAML', () => 'models: [unclosed', /"line":1/],
    ['half of the file', () => JSON.stringify(good).slice(0, 400), /"line":1/],
    ['nothing', () => '', /is empty/],
    ['a key twice', () => 'server: {}\nserver: {}\n', /server/],
    ['an unknown key', () => JSON.stringify({ ...good, serverr: {} }), /serverr/],
    ['a value that cannot be', () => JSON.stringify({ ...good, stream: { stallMs: -1 } }), /stallMs/],
    ['a provider that is not there', () => JSON.stringify({ ...good, providers: {} }), /first/],
    [
      'a secret that is not there',
      () => JSON.stringify({ ...good, auth: { pepper: '${NOT_SET_ANYWHERE}' } }),
      /NOT_SET_ANYWHERE/,
    ],
    ['11 MB', () => `# ${'x'.repeat(11_000_000)}\n`, /larger than/],
    ['bytes that are no text', () => Buffer.from([0xff, 0xfe, 0x00]), /UTF-8/],
    ['an alias bomb', () => bomb(), /alias/i],
  ])('%s is refused with its reason, counted, and changes nothing', async (_name, text, reason) => {
    const told = () =>
      world.gateway.logLines().filter((line) => line['level'] === 'error' && reason.test(JSON.stringify(line)));
    const before = told().length;
    await expectReload('failure', () => writeFileSync(file(), text()));
    await world.gateway.logLine(() => told().length > before);
    expect(world.gateway.output()).not.toContain(world.key);
    expect((await fetch(`${world.gateway.metrics}/readyz`)).status).toBe(200);
    expect(await served()).toBe(200);
  });

  it('a file that is gone changes nothing, and its return is taken', async () => {
    await expectReload('failure', () => rmSync(file()));
    expect(await served()).toBe(200);
    await reloaded(() => world.gateway.writeConfig(good));
    expect(await served()).toBe(200);
  });

  it('a swap of links, as Kubernetes makes it, is taken at once and whole', async () => {
    const version = (name: string, models: object) => {
      mkdirSync(path(name));
      writeFileSync(
        join(path(name), 'tollgate.yaml'),
        JSON.stringify({ ...good, models: { ...(good['models'] as object), ...models } }),
      );
    };
    version('..1', { swapped: { deployments: [{ provider: 'first', model: 'gpt-one' }] } });
    version('..2', { swapped: { deployments: [{ provider: 'first', model: 'gpt-two' }] } });
    writeFileSync(join(path('..1'), 'azure-key'), 'azure-test-key');
    symlinkSync('..1', path('..data'));
    symlinkSync('..data/tollgate.yaml', path('linked'));
    await reloaded(() => renameSync(path('linked'), file()));
    expect(await served('swapped')).toBe(200);
    expect(world.azure.records.at(-1)?.model).toBe('gpt-one');
    symlinkSync('..2', path('..data-new'));
    await reloaded(() => renameSync(path('..data-new'), path('..data')));
    expect(await served('swapped')).toBe(200);
    expect(world.azure.records.at(-1)?.model).toBe('gpt-two');
    rmSync(file());
    await reloaded(() => world.gateway.writeConfig(good));
  });

  it('a request in flight keeps what it began with: model, provider and key may go', async () => {
    world.azure.defaultScript = {
      reply: { deltas: Array.from({ length: 60 }, (_, i) => `w${i} `) },
      delivery: { gapMs: 20 },
    };
    let begun: () => void = () => undefined;
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const asked = call(
      { ...world, key: spare },
      { body: chatBody('rotating', { stream: true }), onChunk: () => begun() },
    );
    await hasBegun;
    const { rotating: _provider, ...providers } = good['providers'] as Record<string, unknown>;
    const { rotating: _model, ...models } = good['models'] as Record<string, unknown>;
    const keys = [(good['keys'] as object[])[0]];
    await reloaded(() => world.gateway.writeConfig({ ...good, providers, models, keys }));
    expect((await call(world, { body: chatBody('rotating') })).status).toBe(404);
    expect((await call({ ...world, key: spare }, { path: '/v1/models' })).status).toBe(401);

    const answer = await asked;
    expect(answer.wasCut).toBe(false);
    expect(dataFields(answer.text).at(-1)).toBe('[DONE]');
    expect(await world.ledgerLine(answer.requestId)).toMatchObject({
      k: 'settle',
      src: 'final',
      key: 'spare',
      model: 'rotating',
    });
    await reloaded(() => world.gateway.writeConfig(good));
  });

  it('a rotated secret is used by new requests, though the file that names it did not change', async () => {
    expect(await served('rotating')).toBe(200);
    const text = readFileSync(file(), 'utf8');
    await reloaded(() => writeFileSync(path('azure-key'), 'azure-rotated-key\n'));
    expect(await served('rotating')).toBe(502);
    expect(world.azure.records.at(-1)?.headers['api-key']).toBe('azure-rotated-key');
    await expectReload('failure', () => rmSync(path('azure-key')));
    expect(await served('single')).toBe(200);
    await reloaded(() => writeFileSync(path('azure-key'), 'azure-test-key'));
    expect(await served('rotating')).toBe(200);
    expect(readFileSync(file(), 'utf8')).toBe(text);
    expect(world.gateway.output()).not.toContain('azure-rotated-key');
  });

  it('a storm of changes ends with the last one in force', async () => {
    for (let index = 0; index < 40; index += 1) {
      const models = { [`storm-${index}`]: { deployments: [{ provider: 'first', model: 'gpt-s' }] } };
      await world.gateway.writeConfig({ ...good, models: { ...(good['models'] as object), ...models } });
    }
    while ((await served('storm-39')) !== 200) await new Promise((resolve) => setImmediate(resolve));
    expect(await served('storm-38')).toBe(404);
  });

  it.each(['${NOT_SET_ANYWHERE}', 'file:not-there'])(
    'a start without the secret %s is refused by its name alone',
    async (apiKey) => {
      const [, name = ''] = /([A-Z_]+|not-there)\}?$/.exec(apiKey) ?? [];
      const providers = { first: { kind: 'azure-openai', endpoint: 'https://unused.example', apiKey } };
      const start = startGateway({
        config: { ...good, providers, models: {} },
        env: { ANOTHER_SECRET: 'canary-4711' },
      });
      await expect(start).rejects.toThrow(name);
      await expect(start).rejects.not.toThrow('canary-4711');
      await expect(start).rejects.not.toThrow(world.key);
    },
  );
});

/** A few bytes that would be millions of values. */
function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level += 1) {
    const alias = `*a${level - 1}`;
    lines.push(`a${level}: &a${level} [${Array(9).fill(alias).join(', ')}]`);
  }
  return `${lines.join('\n')}\n`;
}
