import { ANTHROPIC_CONTEXT_LENGTH } from '../support/fake-anthropic.ts';
import { FAKE_GOOGLE_TOKEN } from '../support/fake-google-tokens.ts';
import { declared } from './capabilities.ts';
import { ask, callOf, failureOf } from './provider-calls.ts';
import { describeProviderContract } from './provider-contract.ts';
import type { ProviderHarness, ProviderUnderTest } from './provider-harness.ts';
import { CLAUDE_MODEL, GEMINI_MODEL, startVertex } from './vertex-harness.ts';

const SECRETS = [`${FAKE_GOOGLE_TOKEN}-1`, '127.0.0.1', 'fake-project'];

const gemini: ProviderHarness = {
  ...declared('vertex, Gemini'),
  start: () => startVertex('gemini'),
  contextLength: {
    status: 400,
    message: 'The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).',
  },
  secrets: SECRETS,
  extraRequests: [
    {
      name: 'sends a bearer token, and the tier as a header',
      request: ask('Hi', { serviceTier: 'flex' }),
      check: ({ headers, path, json }) => {
        expect(path).toBe(
          `/v1/projects/fake-project/locations/global/publishers/google/models/${GEMINI_MODEL}:generateContent`,
        );
        expect(headers.authorization).toMatch(/^Bearer fake-google-token/);
        expect(headers).toMatchObject({ 'x-vertex-ai-llm-shared-request-type': 'flex' });
        expect(headers).not.toHaveProperty('x-goog-api-key');
        expect(json).not.toHaveProperty('serviceTier');
      },
    },
  ],
};

const claude: ProviderHarness = {
  ...declared('vertex, Claude'),
  start: async () => startVertex('claude'),
  contextLength: ANTHROPIC_CONTEXT_LENGTH,
  contentFilter: { status: 400, message: 'Output blocked by content filtering policy' },
  secrets: SECRETS,
};

describeProviderContract('vertex, with Gemini', gemini);
describeProviderContract('vertex, with Claude', claude);

describe.each([
  ['gemini', GEMINI_MODEL, `google/models/${GEMINI_MODEL}:countTokens`],
  ['claude', CLAUDE_MODEL, 'anthropic/models/count-tokens:rawPredict'],
] as const)('counting tokens of %s', (family, model, path) => {
  let subject: ProviderUnderTest;
  beforeEach(async () => {
    subject = await startVertex(family, { quotaProject: 'quota-project' });
  });
  afterEach(() => subject.stop());

  it('asks for what a chat would read, and generates nothing', async () => {
    subject.fake.enqueue({ reply: { usage: { promptTokens: 31, completionTokens: 0 } } });
    const counting = subject.provider.tokenCount?.count(callOf(model, ask('How long?', { tools: [{ name: 'ping' }] })));
    await expect(counting).resolves.toEqual({ promptTokens: 31 });
    const [record] = subject.fake.records;
    expect(record?.path).toContain(path);
    expect(record?.headers).toMatchObject({ 'x-goog-user-project': 'quota-project' });
  });

  it('fails as chat does', async () => {
    subject.fake.enqueue({ failure: { status: 429, retryAfter: '3' } });
    const counting = subject.provider.tokenCount?.count(callOf(model, ask('Hi')));
    expect(await failureOf(Promise.resolve(counting))).toMatchObject({ code: 'provider_rate_limited' });
  });
});
