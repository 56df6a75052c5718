import type { AbilityCall, LossWarning } from '../../contract/provider.js';
import { Transport } from '../../transport/transport.js';
import { FAKE_GOOGLE_TOKEN } from '../../../test/support/fake-google-tokens.ts';
import { FakeVertex } from '../../../test/support/fake-vertex.ts';
import { contextOf } from '../../../test/support/provider-context.ts';
import { VertexClient } from './vertex.client.js';
import { vertexEndpoint, vertexSettings } from './vertex.config.js';
import { GoogleToken } from './vertex.credential.js';
import { vertexError } from './vertex.error.js';
import { vertexModel } from './vertex.model.js';
import { VertexProvider } from './vertex.provider.js';

describe('vertexModel', () => {
  it.each([
    ['gemini-2.5-pro', 'generate-content', 'publishers/google/models/gemini-2.5-pro', 'gemini-2.5-pro'],
    [
      'publishers/google/models/gemini-3-pro',
      'generate-content',
      'publishers/google/models/gemini-3-pro',
      'gemini-3-pro',
    ],
    ['claude-x@20250514', 'messages', 'publishers/anthropic/models/claude-x@20250514', 'claude-x@20250514'],
    ['publishers/anthropic/models/claude-y', 'messages', 'publishers/anthropic/models/claude-y', 'claude-y'],
    ['endpoints/123', 'generate-content', 'endpoints/123', 'endpoints/123'],
  ])('reads %s', (given, wire, path, name) => {
    expect(vertexModel(given)).toEqual({ wire, path, name });
  });

  it.each(['publishers/meta/models/llama', 'models/x', '../../x'])('refuses %s', (given) => {
    expect(() => vertexModel(given)).toThrow(expect.objectContaining({ code: 'not_supported' }));
  });
});

describe('vertexSettings', () => {
  it.each([
    ['global', 'https://aiplatform.googleapis.com'],
    ['europe-west4', 'https://europe-west4-aiplatform.googleapis.com'],
    ['eu', 'https://aiplatform.eu.rep.googleapis.com'],
  ])('knows the endpoint of %s', (location, expected) => {
    expect(vertexEndpoint({ location, endpoint: undefined })).toBe(expected);
  });

  it.each([
    { project: 'a/b' },
    { project: 'p', location: 'evil.example/' },
    { project: 'p', endpoint: 'http://vertex.example' },
    { project: 'p', credentials: '{}' },
    { project: 'p', credentials: 'no JSON' },
    { project: 'p', credentials: '{"type":"external_account","token_url":"http://sts.example"}' },
  ])('refuses %j', (settings) => {
    expect(vertexSettings.safeParse(settings).success).toBe(false);
  });

  it('never repeats a credential in what it says of it', () => {
    const outcome = vertexSettings.safeParse({ project: 'p', credentials: '{"private_key":"do-not-show"}' });
    expect(JSON.stringify(outcome.error?.issues)).not.toContain('do-not-show');
  });
});

describe('vertexError', () => {
  it.each([
    [
      { type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long: 9 > 8' } },
      400,
      'context_length_exceeded',
    ],
    [{ error: { code: 400, message: 'Bad.', status: 'INVALID_ARGUMENT' } }, 400, 'provider_rejected'],
    [[{ error: { code: 403, message: 'Denied.', status: 'PERMISSION_DENIED' } }], 403, 'provider_authentication'],
    ['<html>', 503, 'provider_overloaded'],
  ])('takes %j for what it is', (body, status, code) => {
    expect(vertexError({ status, headers: {}, body: Buffer.from(JSON.stringify(body)) }, []).code).toBe(code);
  });
});

describe('VertexProvider', () => {
  const fake = new FakeVertex();
  const transport = new Transport({ connectionsPerOrigin: 8, keepAliveMs: 4_000, maxResponseBytes: 1_048_576 });
  const token = new GoogleToken(() => Promise.resolve({ token: FAKE_GOOGLE_TOKEN, expiresAtMs: Infinity }));
  let endpoint = '';
  beforeAll(async () => {
    endpoint = await fake.listen();
  });
  beforeEach(() => fake.reset());
  afterAll(async () => {
    await transport.close();
    await fake.close();
  });

  function provider(location = 'global'): VertexProvider {
    const client = new VertexClient(vertexSettings.parse({ project: 'proj-1', location, endpoint }), token, transport);
    return new VertexProvider('test', { client, transport, location });
  }

  function call<Request>(request: Request, model: string, warnings: LossWarning[] = []): AbilityCall<Request> {
    return { request, model, warn: (warning) => warnings.push(warning), context: contextOf() };
  }

  const messages = [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }] as const;

  it('G09/G41: streams by server-sent events, with calls and results without ids', async () => {
    const turns = [
      ...messages,
      { role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'f', arguments: '{}' }] },
      { role: 'tool', toolCallId: 'a', content: [{ type: 'text', text: '1' }] },
    ] as const;
    (await provider().stream(call({ messages: turns }, 'gemini-2.5-flash'))).destroy();
    const { path, json } = await fake.nextRequest();
    expect(path).toBe(
      '/v1/projects/proj-1/locations/global/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    );
    expect(JSON.stringify(json)).not.toContain('"id"');
  });

  it('keeps thought signatures of another service away from its own', async () => {
    const warnings: LossWarning[] = [];
    const state = { issuer: 'elsewhere', value: 'c2ln' };
    const turns = [
      ...messages,
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'hm', state },
          { type: 'text', text: 'so' },
        ],
      },
    ] as const;
    await provider().complete(call({ messages: turns }, 'gemini-3-pro', warnings));
    expect(warnings).toEqual([expect.objectContaining({ field: 'messages[1].content[0]', kind: 'dropped' })]);
  });

  it('reports a tier it cannot ask for outside the global location', async () => {
    const warnings: LossWarning[] = [];
    await provider('europe-west4').complete(call({ messages, serviceTier: 'flex' }, 'gemini-2.5-flash', warnings));
    expect(warnings).toEqual([expect.objectContaining({ field: 'serviceTier', kind: 'dropped' })]);
  });

  it('embeds texts of one call, with their length and what they cost', async () => {
    fake.enqueue({ reply: { usage: { promptTokens: 3, completionTokens: 0 } } });
    const answer = await provider().embed(call({ input: ['a', 'b'], dimensions: 3 }, 'text-embedding-005'));
    expect(answer.vectors).toHaveLength(2);
    expect(answer.usage).toMatchObject({ promptTokens: 6 });
    expect((await fake.nextRequest()).json).toEqual({
      instances: [{ content: 'a' }, { content: 'b' }],
      parameters: { outputDimensionality: 3 },
    });
  });

  it.each<[readonly string[] | readonly (readonly number[])[], string, string]>([
    [[[1, 2]], 'text-embedding-005', 'invalid_value'],
    [['a', 'b'], 'gemini-embedding-001', 'invalid_value'],
    [['a'], 'claude-x', 'not_supported'],
  ])('refuses to embed %j by %s before anything is sent', async (input, model, code) => {
    await expect(provider().embed(call({ input }, model))).rejects.toMatchObject({ code });
    expect(fake.records).toHaveLength(0);
  });
});
