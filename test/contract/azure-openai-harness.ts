import { AzureOpenAI, type OpenAI } from 'openai';
import type { FinishReason } from '../../src/contract/chat-response.js';
import { azureOpenAISettings } from '../../src/providers/azure-openai/azure-openai.config.js';
import { AzureOpenAIProviders } from '../../src/providers/azure-openai/azure-openai.module.js';
import { Transport } from '../../src/transport/transport.js';
import { AZURE_CONTENT_FILTER, AZURE_CONTEXT_LENGTH, FakeAzureOpenAI } from '../support/fake-azure-openai.ts';
import type { FakeRecord } from '../support/fake-upstream.ts';
import type { OracleAnswer, ProviderHarness, ProviderUnderTest, SeenChat, SeenTurn } from './provider-harness.ts';

const KEY = 'azure-test-key';
const API_VERSION = '2024-10-21';

/** The harness for one of the resource's two APIs. */
export function azureOpenAIHarness(api: 'classic' | 'v1'): ProviderHarness {
  return {
    features: new Set([
      'image-data',
      'image-url',
      'json-object',
      'json-schema',
      'tool-choice',
      'parallel-tool-calls',
      'stop',
      'seed',
      'penalties',
      'choices',
      'logprobs',
      'logit-bias',
      'reasoning-effort',
      'service-tier',
      'end-user',
    ]),
    answers: new Set(['cached-usage', 'reasoning-usage', 'reasoning', 'refusal']),
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
    seen,
    oracle: (prompt, stream) => oracle(endpoint, prompt, stream),
    stop: async () => {
      await provider.close();
      await transport.close();
      await fake.close();
    },
  };
}

interface WireMessage {
  readonly role: SeenTurn['role'];
  readonly content: string | null | readonly { type: string; text?: string; image_url?: { url: string } }[];
  readonly tool_calls?: readonly { function: { name: string; arguments: string } }[];
}

function seen(record: FakeRecord): SeenChat {
  const body = record.json as Omit<OpenAI.ChatCompletionCreateParams, 'messages'> & { messages: WireMessage[] };
  const system = body.messages.filter(({ role }) => role === 'system');
  const choice = body.tool_choice;
  const format = body.response_format;
  return {
    system: system.map(textOf).join(''),
    turns: body.messages.filter(({ role }) => role !== 'system').map(turnOf),
    ...(body.tools && { tools: body.tools.flatMap((tool) => (tool.type === 'function' ? [tool.function] : [])) }),
    ...(choice && { toolChoice: typeof choice === 'string' ? choice : `tool:${nameOf(choice)}` }),
    ...(typeof body.max_completion_tokens === 'number' && { maxOutputTokens: body.max_completion_tokens }),
    ...(typeof body.temperature === 'number' && { temperature: body.temperature }),
    ...(typeof body.top_p === 'number' && { topP: body.top_p }),
    ...(Array.isArray(body.stop) && { stop: body.stop }),
    ...(typeof body.seed === 'number' && { seed: body.seed }),
    ...(format?.type === 'json_schema' && { schema: format.json_schema.schema }),
  };
}

function nameOf(choice: object): string {
  return (choice as { function?: { name?: string } }).function?.name ?? '';
}

function textOf({ content }: WireMessage): string {
  if (content === null) return '';
  return typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('');
}

function turnOf(message: WireMessage): SeenTurn {
  if (message.role === 'tool') return { role: 'tool', text: '', toolResults: [textOf(message)] };
  const parts = typeof message.content === 'string' || message.content === null ? [] : message.content;
  const images = parts.flatMap(({ image_url: image }) => (image === undefined ? [] : [mediaOf(image.url)]));
  const calls = message.tool_calls?.map(({ function: { name, arguments: json } }) => ({
    name,
    arguments: JSON.parse(json),
  }));
  return {
    role: message.role,
    text: textOf(message),
    ...(images.length > 0 && { images }),
    ...(calls && { toolCalls: calls }),
  };
}

function mediaOf(url: string): string {
  return /^data:([^;]+);base64,/.exec(url)?.[1] ?? url;
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

const REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  content_filter: 'content-filter',
};

function fromSdk({ choices, usage }: OpenAI.ChatCompletion): OracleAnswer {
  const [choice] = choices;
  const calls = choice?.message.tool_calls ?? [];
  return {
    text: choice?.message.content ?? '',
    toolCalls: calls.flatMap((call) =>
      call.type === 'function' ? [{ name: call.function.name, arguments: JSON.parse(call.function.arguments) }] : [],
    ),
    finishReason: REASONS[choice?.finish_reason ?? ''] ?? 'stop',
    ...(usage && {
      usage: {
        promptTokens: usage.prompt_tokens,
        completionTokens: usage.completion_tokens,
        cachedPromptTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
        cacheWriteTokens: 0,
        reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
      },
    }),
  };
}
