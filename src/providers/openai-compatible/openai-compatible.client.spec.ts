import { contextOf } from '../../../test/support/provider-context.ts';
import type { WireEndpoint } from '../openai-wire/openai-wire.endpoint.js';
import { createClient } from './openai-compatible.client.js';
import { openAICompatibleSettings } from './openai-compatible.config.js';

function endpoint(settings: object): Promise<WireEndpoint> {
  const parsed = openAICompatibleSettings.parse({ baseUrl: 'https://llm.example/api/v1/', ...settings });
  return createClient(parsed).endpoint('/chat/completions', 'm', contextOf());
}

describe('the client of a compatible server', () => {
  it('addresses the server and sends its key', async () => {
    const { url, headers } = await endpoint({ apiKey: 'k1' });
    expect(url).toBe('https://llm.example/api/v1/chat/completions');
    expect(headers).toMatchObject({ authorization: 'Bearer k1', 'content-type': 'application/json' });
  });

  it('sends no key where there is none', async () => {
    expect((await endpoint({})).headers['authorization']).toBeUndefined();
  });

  it('sends further headers, which never replace its own', async () => {
    const headers = { 'X-Team': 'search', Authorization: 'Basic abc', Accept: 'text/plain' };
    const withKey = await endpoint({ apiKey: 'k1', headers });
    expect(withKey.headers).toMatchObject({ 'x-team': 'search', authorization: 'Bearer k1' });
    expect(withKey.headers['accept']).toBe('application/json');
    expect((await endpoint({ headers })).headers['authorization']).toBe('Basic abc');
  });

  it("is not changed by the SDK's environment variables", async () => {
    const before = { ...process.env };
    Object.assign(process.env, {
      OPENAI_API_KEY: 'wrong',
      OPENAI_BASE_URL: 'https://wrong.example',
      OPENAI_ORG_ID: 'wrong',
      OPENAI_PROJECT_ID: 'wrong',
      OPENAI_ADMIN_KEY: 'wrong',
    });
    try {
      for (const settings of [{}, { apiKey: 'k1' }]) {
        expect(JSON.stringify(await endpoint(settings))).not.toContain('wrong');
      }
    } finally {
      process.env = before;
    }
  });
});
