import { AnthropicClient } from './anthropic.client.js';
import { anthropicSettings } from './anthropic.config.js';

const client = (settings: object): AnthropicClient => new AnthropicClient(anthropicSettings.parse(settings));

describe('where a request goes', () => {
  it('is the SDK’s address, the key under the name the API documents', async () => {
    const { url, headers } = await client({ apiKey: 'key' }).endpoint('/v1/messages');
    expect(url).toBe('https://api.anthropic.com/v1/messages');
    expect(headers).toMatchObject({
      'x-api-key': 'key',
      'anthropic-version': '2023-06-01',
      'content-type': 'application/json',
    });
    expect(headers).not.toHaveProperty('authorization');
  });

  it('keeps a path below the base, a token, a version and betas', async () => {
    const settings = {
      authToken: 'token',
      baseUrl: 'https://gateway.example/claude/',
      version: '2026-10-21',
      betas: ['one-2025-01-01', 'two-2025-01-01'],
    };
    const { url, headers } = await client(settings).endpoint('/v1/messages/count_tokens');
    expect(url).toBe('https://gateway.example/claude/v1/messages/count_tokens');
    expect(headers).toMatchObject({
      authorization: 'Bearer token',
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'one-2025-01-01,two-2025-01-01',
    });
    expect(headers).not.toHaveProperty('x-api-key');
  });

  it('is worked out once for each path', async () => {
    const subject = client({ apiKey: 'key' });
    expect(await subject.endpoint('/v1/messages')).toBe(await subject.endpoint('/v1/messages'));
  });

  it('is not changed by the environment', async () => {
    const names = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_BASE_URL'];
    const before = Object.fromEntries(names.map((name) => [name, process.env[name]]));
    for (const name of names) process.env[name] = 'https://stranger.example';
    try {
      const { url, headers } = await client({ apiKey: 'key' }).endpoint('/v1/messages');
      expect(JSON.stringify([url, headers])).not.toContain('stranger');
    } finally {
      for (const name of names) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });
});

describe('settings', () => {
  it.each([
    ['no credential', {}],
    ['two credentials', { apiKey: 'a', authToken: 'b' }],
    ['an address in the clear', { apiKey: 'a', baseUrl: 'http://api.example' }],
    ['a version that is none', { apiKey: 'a', version: 'latest' }],
    ['a beta with a comma', { apiKey: 'a', betas: ['a,b'] }],
    ['a key nobody knows', { apiKey: 'a', region: 'x' }],
  ])('refuse %s', (_name, settings) => {
    expect(anthropicSettings.safeParse(settings).success).toBe(false);
  });
});
