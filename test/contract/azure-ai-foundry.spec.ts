import { OpenAI } from 'openai';
import { azureAiFoundrySettings } from '../../src/providers/azure-ai-foundry/azure-ai-foundry.config.js';
import { AzureAiFoundryProviders } from '../../src/providers/azure-ai-foundry/azure-ai-foundry.module.js';
import { Transport } from '../../src/transport/transport.js';
import { FakeAzureAiFoundry } from '../support/fake-azure-ai-foundry.ts';
import { AZURE_CONTENT_FILTER } from '../support/fake-azure-openai.ts';
import { OPENAI_CONTEXT_LENGTH } from '../support/fake-openai.ts';
import { declared } from './capabilities.ts';
import { fromSdk, seenOnWire } from './openai-wire-harness.ts';
import { describeProviderContract } from './provider-contract.ts';
import type { OracleAnswer, ProviderUnderTest } from './provider-harness.ts';

const KEY = 'azure-ai-foundry-test-key';
const MODEL = 'a-model';
const HEADERS = { 'api-key': KEY, 'extra-parameters': 'pass-through' };
const QUERY = { 'api-version': '2024-05-01-preview' };

/** What the official client makes of the same server. */
async function oracle(baseURL: string, prompt: string, stream: boolean): Promise<OracleAnswer> {
  const client = new OpenAI({ baseURL, apiKey: KEY, maxRetries: 0, defaultHeaders: HEADERS, defaultQuery: QUERY });
  const body = { model: MODEL, messages: [{ role: 'user' as const, content: prompt }] };
  if (!stream) return fromSdk(await client.chat.completions.create(body));
  const asked = { ...body, stream_options: { include_usage: true } };
  return fromSdk(await client.chat.completions.stream(asked).finalChatCompletion());
}

async function start(): Promise<ProviderUnderTest> {
  const fake = new FakeAzureAiFoundry(KEY);
  const baseUrl = `${await fake.listen()}/models`;
  const transport = new Transport({ connectionsPerOrigin: 16, keepAliveMs: 4_000, maxResponseBytes: 67_108_864 });
  const settings = azureAiFoundrySettings.parse({ baseUrl, apiKey: KEY });
  const provider = new AzureAiFoundryProviders(transport).create('azure-ai-foundry', settings);
  return {
    provider,
    fake,
    chatModel: MODEL,
    embeddingsModel: 'embedder',
    seen: seenOnWire,
    oracle: (prompt, stream) => oracle(baseUrl, prompt, stream),
    stop: async () => {
      await provider.close();
      await transport.close();
      await fake.close();
    },
  };
}

describeProviderContract('azure-ai-foundry', {
  ...declared('azure-ai-foundry'),
  contextLength: OPENAI_CONTEXT_LENGTH,
  contentFilter: AZURE_CONTENT_FILTER,
  secrets: [KEY],
  start,
});
