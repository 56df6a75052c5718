import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenerativeAI, type GenerateContentResponse } from '@google/generative-ai';
import { vertexSettings } from '../../src/providers/vertex/vertex.config.js';
import { VertexProviders } from '../../src/providers/vertex/vertex.module.js';
import { Transport } from '../../src/transport/transport.js';
import { FAKE_GOOGLE_TOKEN, FakeGoogleTokens, fakeServiceAccount } from '../support/fake-google-tokens.ts';
import { FakeVertex, FakeVertexClaude } from '../support/fake-vertex.ts';
import { fromSdk, seen as seenMessages } from './anthropic-reader.ts';
import { oracleAnswer, seen as seenGenerate } from './gemini-reader.ts';
import { ask, callOf } from './provider-calls.ts';
import type { OracleAnswer, ProviderUnderTest } from './provider-harness.ts';

export const GEMINI_MODEL = 'gemini-2.5-flash';
export const CLAUDE_MODEL = 'claude-sonnet-4@20250514';

const LOCATION = 'projects/fake-project/locations/global';
const AUTHORIZATION = { authorization: `Bearer ${FAKE_GOOGLE_TOKEN}` };
const TRANSPORT = { connectionsPerOrigin: 64, keepAliveMs: 4_000, maxResponseBytes: 67_108_864 };

/** A project at the fakes, its token fetched already from a service account by the official library. */
export async function startVertex(family: 'gemini' | 'claude', more: object = {}): Promise<ProviderUnderTest> {
  const tokens = new FakeGoogleTokens();
  const fake = family === 'gemini' ? new FakeVertex() : new FakeVertexClaude();
  const endpoint = await fake.listen();
  const credentials = fakeServiceAccount(await tokens.listen());
  const transport = new Transport(TRANSPORT);
  const settings = vertexSettings.parse({ project: 'fake-project', endpoint, credentials, ...more });
  const provider = new VertexProviders(transport).create('vertex-test', settings);
  const chatModel = family === 'gemini' ? GEMINI_MODEL : CLAUDE_MODEL;
  await provider.tokenCount?.count(callOf(chatModel, ask()));
  fake.records.length = 0;
  await fake.nextRequest();
  return {
    provider,
    fake,
    chatModel,
    embeddingsModel: 'text-embedding-005',
    seen: family === 'gemini' ? seenGenerate : seenMessages,
    oracle: (prompt, stream) => (family === 'gemini' ? geminiOracle : claudeOracle)(endpoint, prompt, stream),
    stop: async () => {
      await provider.close();
      await transport.close();
      await fake.close();
      await tokens.close();
    },
  };
}

async function geminiOracle(baseUrl: string, prompt: string, stream: boolean): Promise<OracleAnswer> {
  const model = new GoogleGenerativeAI('').getGenerativeModel(
    { model: `${LOCATION}/publishers/google/models/${GEMINI_MODEL}` },
    { baseUrl, apiVersion: 'v1', customHeaders: AUTHORIZATION },
  );
  if (!stream) return oracleAnswer([(await model.generateContent(prompt)).response]);
  const result = await model.generateContentStream(prompt);
  result.response.catch(() => undefined);
  const chunks: GenerateContentResponse[] = [];
  for await (const chunk of result.stream) chunks.push(chunk);
  return oracleAnswer(chunks);
}

/** The SDK with what its addition for this cloud does: model and stream in the path, version in the body. */
async function claudeOracle(baseURL: string, prompt: string, stream: boolean): Promise<OracleAnswer> {
  const client = new Anthropic({
    apiKey: 'unused',
    baseURL,
    maxRetries: 0,
    logLevel: 'off',
    fetch: (_url, init) => {
      const { model, ...body } = JSON.parse(init?.body as string) as { model: string; stream?: boolean };
      const method = body.stream === true ? 'streamRawPredict' : 'rawPredict';
      return fetch(`${baseURL}/v1/${LOCATION}/publishers/anthropic/models/${model}:${method}`, {
        method: 'POST',
        headers: { ...AUTHORIZATION, 'content-type': 'application/json' },
        body: JSON.stringify({ anthropic_version: 'vertex-2023-10-16', ...body }),
      });
    },
  });
  const body = { model: CLAUDE_MODEL, max_tokens: 1_024, messages: [{ role: 'user' as const, content: prompt }] };
  return fromSdk(stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body));
}
