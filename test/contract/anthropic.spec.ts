import Anthropic from '@anthropic-ai/sdk';
import { GatewayError } from '../../src/contract/errors.js';
import { toCanonicalChat } from '../../src/gateway/dialects/openai-chat/openai-chat.request.js';
import { readReasoningState, reasoningState } from '../../src/providers/anthropic-wire/state.js';
import { ISSUER } from '../../src/providers/anthropic-wire/wire.js';
import { anthropicSettings } from '../../src/providers/anthropic/anthropic.config.js';
import { AnthropicProviders } from '../../src/providers/anthropic/anthropic.module.js';
import { readReasoningState as read, reasoningState as issue } from '../../src/providers/bedrock/bedrock.state.js';
import { Transport } from '../../src/transport/transport.js';
import { ANTHROPIC_CONTEXT_LENGTH, FAKE_ANTHROPIC_KEY, FakeAnthropic } from '../support/fake-anthropic.ts';
import { fromSdk, object, seen } from './anthropic-reader.ts';
import { declared } from './capabilities.ts';
import { ask, callOf, failureOf } from './provider-calls.ts';
import { describeProviderContract } from './provider-contract.ts';
import type { OracleAnswer, ProviderHarness, ProviderUnderTest } from './provider-harness.ts';

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

async function oracle(baseURL: string, prompt: string, stream: boolean): Promise<OracleAnswer> {
  const client = new Anthropic({ apiKey: FAKE_ANTHROPIC_KEY, baseURL, maxRetries: 0, logLevel: 'off' });
  const body = { model: CHAT_MODEL, max_tokens: 1_024, messages: [{ role: 'user' as const, content: prompt }] };
  const answer = stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body);
  return fromSdk(answer);
}

const harness: ProviderHarness = {
  ...declared('anthropic'),
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

describe('a caller', () => {
  it.each([
    ['a tool that is no function', { tools: [{ type: 'custom', custom: { name: 'a' } }] }],
    ['a tool without its function', { tools: [{ type: 'function' }] }],
    ['a choice that is a number', { tools: [], tool_choice: 123 }],
  ])('N03: is refused %s before any provider is asked', (_name, fields) => {
    const body = { model: 'claude', messages: [{ role: 'user', content: 'Hi' }], ...fields };
    expect(() => toCanonicalChat(body)).toThrow(GatewayError);
    expect(() => toCanonicalChat({ ...body, tools: [], tool_choice: 'none' })).not.toThrow();
  });
});

describe('reasoning state of Claude', () => {
  it('is taken by this wire from another platform, and by that platform from this wire', () => {
    const seals = [
      { type: 'signature', value: 'c2ln' },
      { type: 'redacted', value: Buffer.from('opaque').toString('base64') },
    ] as const;
    for (const seal of seals) {
      const state = issue(ISSUER, seal);
      const proof = readReasoningState(state);
      expect(proof).toEqual({ type: seal.type, value: seal.type === 'redacted' ? 'opaque' : seal.value });
      expect(proof && reasoningState(proof.type, proof.value)).toEqual(state);
      expect(read(ISSUER, state)).toEqual(seal);
    }
  });
});

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
