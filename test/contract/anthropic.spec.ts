import Anthropic from '@anthropic-ai/sdk';
import { isJsonObject, type JsonObject } from '../../src/contract/json.js';
import type { FinishReason } from '../../src/contract/chat-response.js';
import { anthropicSettings } from '../../src/providers/anthropic/anthropic.config.js';
import { AnthropicProviders } from '../../src/providers/anthropic/anthropic.module.js';
import { Transport } from '../../src/transport/transport.js';
import { ANTHROPIC_CONTEXT_LENGTH, FAKE_ANTHROPIC_KEY, FakeAnthropic } from '../support/fake-anthropic.ts';
import type { FakeRecord } from '../support/fake-upstream.ts';
import { ask, callOf, failureOf } from './provider-calls.ts';
import { describeProviderContract } from './provider-contract.ts';
import type { OracleAnswer, ProviderHarness, ProviderUnderTest, SeenChat, SeenTurn } from './provider-harness.ts';

/** A model with budgets, both sampling parameters and none of what came later: the most is translated for it. */
const CHAT_MODEL = 'claude-sonnet-4-20250514';
const TRANSPORT = { connectionsPerOrigin: 64, keepAliveMs: 4_000, maxResponseBytes: 67_108_864 };

async function start(): Promise<ProviderUnderTest> {
  const fake = new FakeAnthropic();
  const baseUrl = await fake.listen();
  const transport = new Transport(TRANSPORT);
  const settings = anthropicSettings.parse({ apiKey: FAKE_ANTHROPIC_KEY, baseUrl });
  const provider = new AnthropicProviders(transport).create('anthropic-test', settings);
  return {
    provider,
    fake,
    chatModel: CHAT_MODEL,
    seen,
    oracle: (prompt, stream) => oracle(baseUrl, prompt, stream),
    stop: async () => {
      await provider.close();
      await transport.close();
      await fake.close();
    },
  };
}

function object(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function joinedText(blocks: readonly JsonObject[]): string {
  return blocks.map(({ text }) => (typeof text === 'string' ? text : '')).join('');
}

function seen(record: FakeRecord): SeenChat {
  const body = object(record.json);
  const choice = object(body['tool_choice']);
  const tools = objects(body['tools']);
  const names = { any: 'required', auto: 'auto', none: 'none', tool: `tool:${choice['name'] as string}` };
  const name = names[choice['type'] as keyof typeof names];
  // A schema is either native or the input of the tool that is forced.
  const format = object(object(body['output_config'])['format']);
  const forced = tools.find((tool) => tool['name'] === choice['name']);
  return {
    system: joinedText(objects(body['system'])),
    turns: objects(body['messages']).map(seenTurn),
    ...(tools.length === 0 ? {} : { tools: tools.map(seenTool) }),
    ...(name === undefined ? {} : { toolChoice: name }),
    maxOutputTokens: body['max_tokens'] as number,
    temperature: body['temperature'] as number | undefined,
    topP: body['top_p'] as number | undefined,
    stop: body['stop_sequences'] as string[] | undefined,
    schema: format['schema'] ?? forced?.['input_schema'],
  };
}

function seenTool({ name, description, input_schema }: JsonObject): NonNullable<SeenChat['tools']>[number] {
  return {
    name: name as string,
    ...(description === undefined ? {} : { description: description as string }),
    parameters: input_schema,
  };
}

function seenTurn({ role, content }: JsonObject): SeenTurn {
  const blocks = objects(content);
  const images = blocks
    .filter(({ type }) => type === 'image')
    .map(({ source }) => (object(source)['media_type'] ?? object(source)['url']) as string);
  const calls = blocks
    .filter(({ type }) => type === 'tool_use')
    .map(({ name, input }) => ({ name: name as string, arguments: input }));
  const results = blocks
    .filter(({ type }) => type === 'tool_result')
    .map((block) => joinedText(objects(block['content'])));
  return {
    role: role === 'user' && results.length > 0 ? 'tool' : (role as SeenTurn['role']),
    text: joinedText(blocks),
    ...(images.length > 0 ? { images } : {}),
    ...(calls.length > 0 ? { toolCalls: calls } : {}),
    ...(results.length > 0 ? { toolResults: results } : {}),
  };
}

async function oracle(baseURL: string, prompt: string, stream: boolean): Promise<OracleAnswer> {
  const client = new Anthropic({ apiKey: FAKE_ANTHROPIC_KEY, baseURL, maxRetries: 0, logLevel: 'off' });
  const body = { model: CHAT_MODEL, max_tokens: 1_024, messages: [{ role: 'user' as const, content: prompt }] };
  const answer = stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body);
  return fromSdk(answer);
}

const REASONS: Readonly<Record<string, FinishReason>> = {
  max_tokens: 'length',
  tool_use: 'tool-calls',
  refusal: 'content-filter',
};

function fromSdk({ content, stop_reason: reason, usage }: Anthropic.Message): OracleAnswer {
  const cachedPromptTokens = usage.cache_read_input_tokens ?? 0;
  const cacheWriteTokens = usage.cache_creation_input_tokens ?? 0;
  return {
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    toolCalls: content.flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, arguments: block.input }] : [],
    ),
    finishReason: REASONS[reason ?? ''] ?? 'stop',
    usage: {
      promptTokens: usage.input_tokens + cachedPromptTokens + cacheWriteTokens,
      cachedPromptTokens,
      cacheWriteTokens,
      completionTokens: usage.output_tokens,
      reasoningTokens: 0,
    },
  };
}

const harness: ProviderHarness = {
  features: new Set([
    ...(['image-data', 'image-url', 'json-object', 'json-schema', 'tool-choice', 'parallel-tool-calls'] as const),
    ...(['stop', 'reasoning-effort', 'service-tier', 'end-user'] as const),
  ]),
  answers: new Set(['cached-usage', 'cache-write-usage', 'reasoning-usage', 'reasoning']),
  start,
  contextLength: ANTHROPIC_CONTEXT_LENGTH,
  contentFilter: { status: 400, message: 'Output blocked by content filtering policy' },
  secrets: [FAKE_ANTHROPIC_KEY, '127.0.0.1', 'req_011CFakeRequest'],
  extraRequests: [
    {
      name: 'N19: gives a bound on the answer where the caller gives none',
      request: ask('Hi'),
      check: (record) => expect(object(record.json)['max_tokens']).toBe(64_000),
    },
    {
      name: 'sends key and version as the API documents them',
      request: ask('Hi'),
      check: ({ headers, path }) => {
        expect(path).toBe('/v1/messages');
        expect(headers).toMatchObject({ 'x-api-key': FAKE_ANTHROPIC_KEY, 'anthropic-version': '2023-06-01' });
        expect(headers).not.toHaveProperty('authorization');
        expect(headers).not.toHaveProperty('anthropic-beta');
      },
    },
  ],
};

describeProviderContract('anthropic', harness);

describe('counting tokens', () => {
  let subject: ProviderUnderTest;
  beforeEach(async () => {
    subject = await start();
  });
  afterEach(() => subject.stop());

  it('asks for what a chat would read, and generates nothing', async () => {
    subject.fake.enqueue({ reply: { usage: { promptTokens: 2_095, completionTokens: 0 } } });
    const request = ask('How long?', { tools: [{ name: 'ping' }], temperature: 0.5, stop: ['x'], endUser: 'u' });
    expect(await subject.provider.tokenCount?.count(callOf(CHAT_MODEL, request))).toEqual({ promptTokens: 2_095 });
    const [record] = subject.fake.records;
    expect(record?.path).toBe('/v1/messages/count_tokens');
    expect(Object.keys(object(record?.json)).sort()).toEqual(['messages', 'model', 'tools']);
  });

  it('fails as chat does', async () => {
    subject.fake.enqueue({ failure: { status: 429, retryAfter: '3' } });
    const counting = subject.provider.tokenCount?.count(callOf(CHAT_MODEL, ask('Hi')));
    expect(await failureOf(Promise.resolve(counting))).toMatchObject({
      code: 'provider_rate_limited',
      retryAfterMs: 3_000,
    });
  });
});
