import { contextOf } from '../../../test/support/provider-context.ts';
import type { WireClient } from '../openai-wire/openai-wire.endpoint.js';
import { createClient } from './openai.client.js';
import { openAISettings } from './openai.config.js';

function client(settings: object = {}): WireClient {
  return createClient(openAISettings.parse({ apiKey: 'k1', ...settings }));
}

describe('the client of OpenAI', () => {
  it('addresses OpenAI with the key, and no organisation unless told', async () => {
    const { url, headers } = await client().endpoint('/chat/completions', 'gpt-4o', contextOf());
    expect(url).toBe('https://api.openai.com/v1/chat/completions');
    expect(headers).toMatchObject({ authorization: 'Bearer k1', 'content-type': 'application/json' });
    expect(headers['openai-organization']).toBeUndefined();
    expect(headers['openai-project']).toBeUndefined();
  });

  it('names organisation and project, and goes where it is told', async () => {
    const settings = { organisation: 'org-1', project: 'proj-1', baseUrl: 'https://eu.api.openai.com/v1/' };
    const { url, headers } = await client(settings).endpoint('/embeddings', 'e', contextOf());
    expect(url).toBe('https://eu.api.openai.com/v1/embeddings');
    expect(headers).toMatchObject({ 'openai-organization': 'org-1', 'openai-project': 'proj-1' });
  });

  it('asks the SDK once for each operation', async () => {
    const kept = client();
    const first = await kept.endpoint('/chat/completions', 'a', contextOf());
    expect(await kept.endpoint('/chat/completions', 'b', contextOf())).toBe(first);
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
      const endpoint = await client().endpoint('/chat/completions', 'm', contextOf());
      expect(JSON.stringify(endpoint)).not.toContain('wrong');
    } finally {
      process.env = before;
    }
  });
});
