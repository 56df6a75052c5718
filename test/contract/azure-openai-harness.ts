import { AzureOpenAI } from 'openai';
import { azureOpenAISettings } from '../../src/providers/azure-openai/azure-openai.config.js';
import { AzureOpenAIProviders } from '../../src/providers/azure-openai/azure-openai.module.js';
import { Transport } from '../../src/transport/transport.js';
import { AZURE_CONTENT_FILTER, AZURE_CONTEXT_LENGTH, FakeAzureOpenAI } from '../support/fake-azure-openai.ts';
import { declared } from './capabilities.ts';
import { fromSdk, seenOnWire } from './openai-wire-harness.ts';
import type { OracleAnswer, ProviderHarness, ProviderUnderTest } from './provider-harness.ts';

const KEY = 'azure-test-key';
const API_VERSION = '2024-10-21';

/** The harness for one of the resource's two APIs. */
export function azureOpenAIHarness(api: 'classic' | 'v1'): ProviderHarness {
  return {
    ...declared('azure-openai'),
    contextLength: AZURE_CONTEXT_LENGTH,
    contentFilter: AZURE_CONTENT_FILTER,
    secrets: [KEY],
    start: () => start(api),
  };
}

async function start(api: 'classic' | 'v1'): Promise<ProviderUnderTest> {
  const fake = new FakeAzureOpenAI(KEY);
  const endpoint = await fake.listen();
  const transport = new Transport({ connectionsPerOrigin: 16, keepAliveMs: 4_000, maxResponseBytes: 67_108_864 });
  const settings = azureOpenAISettings.parse({ endpoint, apiKey: KEY, api });
  const provider = new AzureOpenAIProviders(transport).create('azure', settings);
  return {
    provider,
    fake,
    chatModel: 'gpt-4o',
    embeddingsModel: 'embedder',
    seen: seenOnWire,
    oracle: (prompt, stream) => oracle(endpoint, prompt, stream),
    stop: async () => {
      await provider.close();
      await transport.close();
      await fake.close();
    },
  };
}

async function oracle(endpoint: string, prompt: string, stream: boolean): Promise<OracleAnswer> {
  const client = new AzureOpenAI({ endpoint, apiKey: KEY, apiVersion: API_VERSION, maxRetries: 0 });
  const body = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: prompt }] };
  if (stream)
    return fromSdk(
      await client.chat.completions.stream({ ...body, stream_options: { include_usage: true } }).finalChatCompletion(),
    );
  return fromSdk(await client.chat.completions.create(body));
}
