import { OpenAI } from 'openai';
import type { Provider } from '../../src/contract/provider.js';
import { openAISettings } from '../../src/providers/openai/openai.config.js';
import { OpenAIProviders } from '../../src/providers/openai/openai.module.js';
import { openAICompatibleSettings } from '../../src/providers/openai-compatible/openai-compatible.config.js';
import { OpenAICompatibleProviders } from '../../src/providers/openai-compatible/openai-compatible.module.js';
import { Transport } from '../../src/transport/transport.js';
import { FakeOpenAI, OPENAI_CONTEXT_LENGTH } from '../support/fake-openai.ts';
import type { WireHabits } from '../support/fake-openai-wire.ts';
import { declared, type Declaration } from './capabilities.ts';
import { fromSdk, seenOnWire } from './openai-wire-harness.ts';
import type { OracleAnswer, ProviderHarness, ProviderUnderTest } from './provider-harness.ts';

const KEY = 'openai-test-key';

interface Server {
  /** Absent = it asks for no key. */
  readonly apiKey?: string;
  readonly habits?: Partial<WireHabits>;
  readonly hasEmbeddings: boolean;
  create(transport: Transport, baseUrl: string): Provider;
}

function harnessOf(server: Server, declaration: Declaration): ProviderHarness {
  return {
    ...declaration,
    contextLength: OPENAI_CONTEXT_LENGTH,
    secrets: server.apiKey === undefined ? [] : [server.apiKey],
    start: () => start(server),
  };
}

/** OpenAI itself. */
export function openAIHarness(): ProviderHarness {
  const server: Server = {
    apiKey: KEY,
    hasEmbeddings: true,
    create: (transport, baseUrl) =>
      new OpenAIProviders(transport).create('openai', openAISettings.parse({ baseUrl, apiKey: KEY })),
  };
  return harnessOf(server, declared('openai'));
}

interface CompatibleServer {
  readonly apiKey?: string;
  readonly habits?: Partial<WireHabits>;
  /** Settings beyond address and key. */
  readonly settings?: object;
  readonly hasEmbeddings?: boolean;
}

/** A server that speaks as OpenAI does, but for its habits, and the settings that declare them. */
export function compatibleHarness(server: CompatibleServer, declaration: Declaration): ProviderHarness {
  const { apiKey, habits, settings, hasEmbeddings = true } = server;
  const key = apiKey === undefined ? {} : { apiKey };
  const create: Server['create'] = (transport, baseUrl) => {
    const parsed = openAICompatibleSettings.parse({ baseUrl, ...key, ...settings });
    return new OpenAICompatibleProviders(transport).create('compatible', parsed);
  };
  return harnessOf({ ...key, ...(habits === undefined ? {} : { habits }), hasEmbeddings, create }, declaration);
}

async function start({ apiKey, habits, hasEmbeddings, create }: Server): Promise<ProviderUnderTest> {
  const fake = new FakeOpenAI(apiKey ?? null, habits);
  const baseUrl = `${await fake.listen()}/v1`;
  const transport = new Transport({ connectionsPerOrigin: 16, keepAliveMs: 4_000, maxResponseBytes: 67_108_864 });
  const provider = create(transport, baseUrl);
  return {
    provider,
    fake,
    chatModel: 'gpt-4o',
    ...(hasEmbeddings ? { embeddingsModel: 'embedder' } : {}),
    seen: seenOnWire,
    oracle: (prompt, stream) => oracle({ baseUrl, apiKey, prompt, stream }),
    stop: async () => {
      await provider.close();
      await transport.close();
      await fake.close();
    },
  };
}

interface OracleCall {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly prompt: string;
  readonly stream: boolean;
}

async function oracle({ baseUrl, apiKey, prompt, stream }: OracleCall): Promise<OracleAnswer> {
  const bare = apiKey === undefined ? { defaultHeaders: { authorization: null } } : {};
  const client = new OpenAI({ baseURL: baseUrl, apiKey: apiKey ?? 'none', maxRetries: 0, ...bare });
  const body = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: prompt }] };
  if (!stream) return fromSdk(await client.chat.completions.create(body));
  const asked = { ...body, stream_options: { include_usage: true } };
  return fromSdk(await client.chat.completions.stream(asked).finalChatCompletion());
}
