import { startWorld, type World, type WorldOptions } from '../../e2e/world.ts';
import { FakeBedrock } from '../../support/fake-bedrock.ts';
import { FAKE_GEMINI_KEY, FakeGemini } from '../../support/fake-gemini.ts';
import type { ConfigDocument } from '../../support/gateway-process.ts';

const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const REGION = 'eu-central-1';
const CLAUDE = 'anthropic.claude-sonnet-4-20250514-v1:0';

/** How many copies of the models `bedrock` and `gemini` there are, each of an upstream model of its own. */
export const LANES = 8;

/** A world with the two kinds whose answers are translated: the models `bedrock` and `gemini`, and copies of them. */
export interface WideWorld extends World {
  readonly bedrock: FakeBedrock;
  readonly gemini: FakeGemini;
}

/** The name by which the fake knows a copy, for `forModel`. */
export function upstreamModel(model: 'bedrock' | 'gemini', lane: number): string {
  return model === 'gemini' ? `gemini-2.5-flash-${lane}` : `anthropic.claude-sonnet-4-20250514-v${lane}:0`;
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
        { provider: 'aws', model: 'anthropic.claude-3-haiku-20240307-v1:0' },
        { provider: 'second', model: 'gpt-after-bedrock', priority: 1 },
      ],
      ...translated,
    },
  };
  for (let lane = 0; lane < LANES; lane += 1) {
    Object.assign(models, {
      [`bedrock-${lane}`]: { deployments: [{ provider: 'aws', model: upstreamModel('bedrock', lane) }], ...translated },
      [`gemini-${lane}`]: {
        deployments: [{ provider: 'google', model: upstreamModel('gemini', lane) }],
        ...translated,
      },
    });
  }
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
