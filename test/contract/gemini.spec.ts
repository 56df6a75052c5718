import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GoogleGenerativeAI, type GenerateContentResponse } from '@google/generative-ai';
import { GeminiClient } from '../../src/providers/gemini/gemini.client.js';
import { GeminiProvider } from '../../src/providers/gemini/gemini.provider.js';
import { Transport } from '../../src/transport/transport.js';
import { FAKE_GEMINI_KEY, FakeGemini } from '../support/fake-gemini.ts';
import { startGateway } from '../support/gateway-process.ts';
import { declared } from './capabilities.ts';
import { object, oracleAnswer, seen } from './gemini-reader.ts';
import { describeProviderContract } from './provider-contract.ts';
import type { OracleAnswer, ProviderHarness, ProviderUnderTest } from './provider-harness.ts';

const CHAT_MODEL = 'gemini-2.5-flash';

const TRANSPORT = { connectionsPerOrigin: 64, keepAliveMs: 4_000, maxResponseBytes: 67_108_864 };

async function start(): Promise<ProviderUnderTest> {
  const fake = new FakeGemini();
  const baseUrl = await fake.listen();
  const transport = new Transport(TRANSPORT);
  const settings = { apiKey: FAKE_GEMINI_KEY, baseUrl, apiVersion: 'v1beta' };
  const provider = new GeminiProvider('gemini-test', new GeminiClient(settings, transport));
  return {
    provider,
    fake,
    chatModel: CHAT_MODEL,
    embeddingsModel: 'gemini-embedding-001',
    seen,
    oracle: (prompt, stream) => oracle(baseUrl, prompt, stream),
    stop: async () => {
      await provider.close();
      await transport.close();
      await fake.close();
    },
  };
}

async function oracle(baseUrl: string, prompt: string, stream: boolean): Promise<OracleAnswer> {
  const model = new GoogleGenerativeAI(FAKE_GEMINI_KEY).getGenerativeModel({ model: CHAT_MODEL }, { baseUrl });
  if (!stream) return oracleAnswer([(await model.generateContent(prompt)).response]);
  const result = await model.generateContentStream(prompt);
  result.response.catch(() => undefined);
  const chunks: GenerateContentResponse[] = [];
  for await (const chunk of result.stream) chunks.push(chunk);
  return oracleAnswer(chunks);
}

const harness: ProviderHarness = {
  ...declared('gemini'),
  start,
  contextLength: {
    status: 400,
    message: 'The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).',
  },
  secrets: [FAKE_GEMINI_KEY, '127.0.0.1'],
  extraRequests: [
    {
      name: 'sends an effort as a budget of thoughts',
      request: { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }], reasoningEffort: 'low' },
      check: (record) => {
        const config = object(object(record.json)['generationConfig']);
        expect(config['thinkingConfig']).toEqual({ thinkingBudget: 1_024, includeThoughts: true });
      },
    },
  ],
};

describeProviderContract('gemini', harness);

describe('a gateway behind a forward proxy', () => {
  it.each([
    ['embeddings', { input: 'a' }],
    ['chat/completions', { messages: [{ role: 'user', content: 'hi' }] }],
  ])('takes it for %s', async (path, body) => {
    const seenUrls: string[] = [];
    const proxy = createServer((incoming, outgoing) => {
      seenUrls.push(incoming.url ?? '');
      const { method, headers } = incoming;
      const relayed = forward(incoming.url ?? '', { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(relayed);
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const fake = new FakeGemini();
    const origin = await fake.listen();
    const model = (operation: string): object => ({
      operation,
      deployments: [{ provider: 'gemini', model: CHAT_MODEL }],
    });
    const key = 'proxy-caller-key-of-thirty-two-characters';
    const gateway = await startGateway({
      config: {
        transport: { proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` },
        keys: [{ id: 'caller', secret: key }],
        providers: { gemini: { kind: 'gemini', apiKey: FAKE_GEMINI_KEY, baseUrl: origin } },
        models: { embeddings: model('embeddings'), chat: model('chat') },
      },
    }).catch(async (error: unknown) => {
      proxy.close();
      await fake.close();
      throw error;
    });
    try {
      const answer = await fetch(`${gateway.data}/v1/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: path.startsWith('chat') ? 'chat' : 'embeddings', ...body }),
      });
      expect(answer.status).toBe(200);
      expect(seenUrls).toHaveLength(1);
      expect(seenUrls[0]).toContain(`${origin}/v1beta/models/${CHAT_MODEL}:`);
    } finally {
      await gateway.stop();
      proxy.closeAllConnections();
      proxy.close();
      await fake.close();
    }
  });
});
