import { startWorld, type World, type WorldOptions } from '../../e2e/world.ts';
import { FakeBedrock } from '../../support/fake-bedrock.ts';
import { FAKE_GEMINI_KEY, FakeGemini } from '../../support/fake-gemini.ts';
import type { ConfigDocument } from '../../support/gateway-process.ts';

const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const REGION = 'eu-central-1';
const CLAUDE = 'anthropic.claude-sonnet-4-20250514-v1:0';

/** A world with the two kinds whose answers are translated: the models `bedrock` and `gemini`. */
export interface WideWorld extends World {
  readonly bedrock: FakeBedrock;
  readonly gemini: FakeGemini;
}

/** Starts it; `options` as of `startWorld`, and `translated` for the settings of the models `bedrock` and `gemini`. */
export async function startWideWorld(
  options: WorldOptions & { readonly translated?: ConfigDocument } = {},
): Promise<WideWorld> {
  const bedrock = new FakeBedrock({ region: REGION, keys: KEYS });
  const gemini = new FakeGemini();
  const providers = {
    aws: { kind: 'bedrock', region: REGION, endpoint: await bedrock.listen(), credentials: KEYS },
    google: { kind: 'gemini', baseUrl: await gemini.listen(), apiKey: FAKE_GEMINI_KEY },
  };
  const { translated = {} } = options;
  const models = {
    bedrock: { deployments: [{ provider: 'aws', model: CLAUDE }], ...translated },
    gemini: { deployments: [{ provider: 'google', model: 'gemini-2.5-flash' }], ...translated },
    'bedrock-then-azure': {
      deployments: [
        { provider: 'aws', model: `${CLAUDE}:first` },
        { provider: 'second', model: 'gpt-after-bedrock', priority: 1 },
      ],
      ...translated,
    },
  };
  const config = options.config ?? {};
  const world = await startWorld({
    ...options,
    config: {
      ...config,
      providers: { ...providers, ...(config['providers'] as ConfigDocument | undefined) },
      models: { ...models, ...(config['models'] as ConfigDocument | undefined) },
    },
  });
  return {
    ...world,
    bedrock,
    gemini,
    async stop() {
      await world.stop();
      await Promise.all([bedrock.close(), gemini.close()]);
    },
  };
}
