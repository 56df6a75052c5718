import { Test } from '@nestjs/testing';
import { caller, envelope, record } from '../../test/support/routing-builders.ts';
import { ConfigModule } from '../config/config.module.js';
import { configSchema } from '../config/config.schema.js';
import { type ConfigSnapshot, ConfigStore } from '../config/config.store.js';
import { GatewayError } from '../contract/errors.js';
import { ProvidersModule } from '../providers/providers.module.js';
import { sandboxKind } from '../providers/sandbox/sandbox.module.js';
import { AttemptRunner } from './attempt-runner.js';
import { RoutingModule } from './routing.module.js';
import { RoutingService } from './routing.service.js';
import { ROUTING_RUNTIME } from './runtime.js';

const PROVIDERS = { east: { kind: 'sandbox' }, west: { kind: 'sandbox' } };
const MODELS = {
  chatty: {
    aliases: ['nickname'],
    deployments: [
      { provider: 'east', model: 'c', labels: ['eu'] },
      { provider: 'west', model: 'c', priority: 1, labels: ['us', 'fast'] },
    ],
  },
  vectors: { operation: 'embeddings', deployments: [{ provider: 'east', model: 'v' }] },
};

const config = (file: object) =>
  configSchema([sandboxKind.descriptor]).parse({ logging: { level: 'silent' }, ...file });

/** The real modules over the sandbox, with a clock that stands still. */
async function setUp(file: object = { providers: PROVIDERS, models: MODELS }) {
  const snapshot: ConfigSnapshot = { version: 1, sha: 'one', source: 'file', config: config(file) };
  const kinds = [sandboxKind];
  const providers = ProvidersModule.register(kinds);
  const quickStart = { providers: {}, models: {} };
  const module = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot({ kinds: [sandboxKind.descriptor], quickStart, snapshot }),
      providers,
      RoutingModule.register(providers),
    ],
  })
    .overrideProvider(ROUTING_RUNTIME)
    .useValue({ now: () => 1_000, random: () => 0, wait: () => Promise.resolve() })
    .compile();
  await module.init();
  return {
    module,
    routing: module.get(RoutingService),
    runner: module.get(AttemptRunner),
    store: module.get(ConfigStore),
  };
}

const failureOf = (act: () => unknown): GatewayError => {
  try {
    act();
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error('nothing was refused');
};

describe('RoutingService', () => {
  it('plans the deployments of a model by priority, under its configured name', async () => {
    const { routing } = await setUp();
    const { model, attempts } = routing.plan(envelope({ model: 'nickname' }), caller());
    expect(model.name).toBe('chatty');
    expect(attempts.map(({ id }) => id)).toEqual(['chatty/east/c', 'chatty/west/c']);
  });

  it.each([
    ['does not exist', 'gpt-unknown', caller()],
    ['is outside the allow-list', 'chatty', caller({ models: new Set(['vectors']) })],
  ])('answers as OpenAI does when the model %s', async (_name, model, who) => {
    const { routing } = await setUp();
    const error = failureOf(() => routing.plan(envelope({ model }), who));
    expect(error).toMatchObject({
      code: 'model_not_found',
      status: 404,
      param: 'model',
      message: `The model \`${model}\` does not exist or you do not have access to it.`,
    });
  });

  it('repeats only the beginning of an endless name', async () => {
    const { routing } = await setUp();
    const error = failureOf(() => routing.plan(envelope({ model: 'x'.repeat(10_000) }), caller()));
    expect(error.message.length).toBeLessThan(250);
  });

  it('names the operation when the model is for another', async () => {
    const { routing } = await setUp();
    const error = failureOf(() => routing.plan(envelope({ model: 'vectors' }), caller()));
    expect(error).toMatchObject({
      code: 'invalid_request',
      param: 'model',
      message: 'The model `vectors` is for embeddings and cannot be used for chat.',
    });
  });

  it('keeps to the labels wanted', async () => {
    const { routing } = await setUp();
    const { attempts } = routing.plan(envelope({ model: 'chatty' }), caller(), { labels: ['fast', 'us'] });
    expect(attempts.map(({ id }) => id)).toEqual(['chatty/west/c']);
    const error = failureOf(() => routing.plan(envelope({ model: 'chatty' }), caller(), { labels: ['eu', 'us'] }));
    expect(error.code).toBe('no_deployment');
  });

  it('puts a deployment last while it cools down', async () => {
    const { routing, runner } = await setUp();
    const plan = routing.plan(envelope({ model: 'chatty' }), caller());
    const [first] = plan.attempts;
    const request = { plan, requestId: 'r', signal: new AbortController().signal, record: record(), deadlineMs: 1_000 };
    await runner.run(request, (deployment) =>
      deployment === first ? Promise.reject(new GatewayError('provider_rate_limited')) : Promise.resolve(1),
    );
    const again = routing.plan(envelope({ model: 'chatty' }), caller());
    expect(again.attempts.map(({ id }) => id)).toEqual(['chatty/west/c', 'chatty/east/c']);
  });

  it('follows a reload, and keeps the providers that did not change', async () => {
    const { routing, store } = await setUp();
    const before = routing.plan(envelope({ model: 'chatty' }), caller());
    const models = {
      renamed: {
        deployments: [
          { provider: 'east', model: 'c' },
          { provider: 'south', model: 'c' },
        ],
      },
    };
    store.replace({ sha: 'two', config: config({ providers: { ...PROVIDERS, south: { kind: 'sandbox' } }, models }) });
    expect(routing.models(caller()).map(({ name }) => name)).toEqual(['renamed']);
    const { attempts } = routing.plan(envelope({ model: 'renamed' }), caller());
    expect(attempts.map(({ provider }) => provider.name)).toEqual(['east', 'south']);
    expect(attempts[0]?.provider).toBe(before.attempts[0]?.provider);
  });

  it('is not_supported where no provider of the model has the ability', async () => {
    const { routing, module } = await setUp();
    const [first] = routing.plan(envelope({ model: 'vectors', operation: 'embeddings' }), caller()).attempts;
    Object.assign(first?.provider ?? {}, { embeddings: undefined });
    const error = failureOf(() => routing.plan(envelope({ model: 'vectors', operation: 'embeddings' }), caller()));
    expect(error).toMatchObject({ code: 'not_supported', status: 501 });
    await module.close();
  });
});
