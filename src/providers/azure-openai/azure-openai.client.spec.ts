import { contextOf } from '../../../test/support/provider-context.ts';
import type { AttemptContext } from '../../contract/provider.js';
import { AzureOpenAIClient } from './azure-openai.client.js';
import { azureOpenAISettings } from './azure-openai.config.js';
import type { CredentialLoader } from './azure-openai.credential.js';

const HOUR_MS = 3_600_000;

function settings(more: object = {}): ReturnType<typeof azureOpenAISettings.parse> {
  return azureOpenAISettings.parse({ endpoint: 'https://example.openai.azure.com/', ...more });
}

/** A credential that numbers its tokens. */
function numbered(lifeMs: number): { load: CredentialLoader; asked: () => number } {
  let asked = 0;
  const getToken = async (): Promise<{ token: string; expiresOnTimestamp: number }> => ({
    token: `token-${(asked += 1)}`,
    expiresOnTimestamp: Date.now() + lifeMs,
  });
  return { load: async () => ({ getToken }), asked: () => asked };
}

describe('AzureOpenAIClient', () => {
  const context: AttemptContext = contextOf();

  it('O05: addresses a classic deployment with api-version and key, as the SDK does', async () => {
    const client = new AzureOpenAIClient(settings({ apiKey: 'k1' }));
    const { url, headers } = await client.endpoint('/chat/completions', 'gpt 4/o', context);
    expect(url).toBe(
      'https://example.openai.azure.com/openai/deployments/gpt%204%2Fo/chat/completions?api-version=2024-10-21',
    );
    expect(headers['api-key']).toBe('k1');
    expect(headers['content-type']).toBe('application/json');
    expect(headers['authorization']).toBeUndefined();
  });

  it('addresses the v1 API without api-version', async () => {
    const client = new AzureOpenAIClient(settings({ apiKey: 'k1', api: 'v1' }));
    const { url, headers } = await client.endpoint('/embeddings', 'e', context);
    expect(url).toBe('https://example.openai.azure.com/openai/v1/embeddings');
    expect(headers['authorization']).toBe('Bearer k1');
  });

  it('asks the SDK once for each operation and deployment', async () => {
    const client = new AzureOpenAIClient(settings({ apiKey: 'k1' }));
    const first = await client.endpoint('/chat/completions', 'a', context);
    expect(await client.endpoint('/chat/completions', 'a', context)).toBe(first);
    expect((await client.endpoint('/chat/completions', 'b', context)).url).toContain('/deployments/b/');
    expect((await client.endpoint('/embeddings', 'a', context)).url).toContain('/embeddings');
  });

  describe.each(['classic', 'v1'] as const)('with Entra ID, %s API,', (api) => {
    it('sends the token as bearer and keeps the endpoint while it holds', async () => {
      const { load, asked } = numbered(HOUR_MS);
      const client = new AzureOpenAIClient(settings({ api, entra: {} }), load);
      const first = await client.endpoint('/chat/completions', 'm', context);
      expect(first.headers['authorization']).toBe('Bearer token-1');
      expect(first.headers['api-key']).toBeUndefined();
      expect(await client.endpoint('/chat/completions', 'm', context)).toBe(first);
      expect(asked()).toBe(1);
    });

    it('takes a new token when the old one has ended', async () => {
      const client = new AzureOpenAIClient(settings({ api, entra: {} }), numbered(0).load);
      const first = await client.endpoint('/chat/completions', 'm', context);
      const second = await client.endpoint('/chat/completions', 'm', context);
      expect(second.headers['authorization']).not.toBe(first.headers['authorization']);
    });

    it('asks once for many calls that wait', async () => {
      const { load, asked } = numbered(HOUR_MS);
      const client = new AzureOpenAIClient(settings({ api, entra: {} }), load);
      await Promise.all(Array.from({ length: 20 }, () => client.endpoint('/chat/completions', 'm', context)));
      expect(asked()).toBe(1);
    });

    it('is provider_authentication when no token can be had', async () => {
      const getToken = (): Promise<never> => Promise.reject(new Error('tenant unknown'));
      const client = new AzureOpenAIClient(settings({ api, entra: {} }), async () => ({ getToken }));
      await expect(client.endpoint('/chat/completions', 'm', context)).rejects.toMatchObject({
        code: 'provider_authentication',
      });
    });

    it('does not wait for a token longer than the call may take, nor for a caller who has gone', async () => {
      const getToken = (): Promise<never> => new Promise(() => undefined);
      const client = new AzureOpenAIClient(settings({ api, entra: {} }), async () => ({ getToken }));
      const abort = new AbortController();
      const left = client.endpoint('/chat/completions', 'm', contextOf({ signal: abort.signal }));
      abort.abort();
      await expect(left).rejects.toMatchObject({ code: 'client_closed' });
      const gone = contextOf({ signal: AbortSignal.abort() });
      await expect(client.endpoint('/chat/completions', 'm', gone)).rejects.toMatchObject({ code: 'client_closed' });
      const short = contextOf({ timeouts: { totalMs: 20 } });
      await expect(client.endpoint('/chat/completions', 'm', short)).rejects.toMatchObject({
        code: 'provider_timeout',
      });
    });
  });

  it("is not changed by the SDK's environment variables", async () => {
    const variables = {
      AZURE_OPENAI_API_KEY: 'wrong',
      AZURE_OPENAI_ENDPOINT: 'https://wrong.example',
      OPENAI_API_KEY: 'wrong',
      OPENAI_API_VERSION: 'wrong',
      OPENAI_BASE_URL: 'https://wrong.example',
      OPENAI_ORG_ID: 'wrong',
      OPENAI_PROJECT_ID: 'wrong',
      OPENAI_ADMIN_KEY: 'wrong',
    };
    const before = { ...process.env };
    Object.assign(process.env, variables);
    try {
      for (const api of ['classic', 'v1']) {
        for (const credential of [{ apiKey: 'k1' }, { entra: {} }]) {
          const client = new AzureOpenAIClient(settings({ api, ...credential }), numbered(HOUR_MS).load);
          const endpoint = await client.endpoint('/chat/completions', 'm', context);
          expect(JSON.stringify(endpoint)).not.toContain('wrong');
        }
      }
    } finally {
      process.env = before;
    }
  });
});
