import { AzureOpenAIClient } from './azure-openai.client.js';
import { azureOpenAISettings } from './azure-openai.config.js';

function settings(more: object = {}): ReturnType<typeof azureOpenAISettings.parse> {
  return azureOpenAISettings.parse({ endpoint: 'https://example.openai.azure.com/', ...more });
}

describe('AzureOpenAIClient', () => {
  it('addresses a classic deployment with api-version and key, as the SDK does', async () => {
    const client = new AzureOpenAIClient(settings({ apiKey: 'k1' }));
    const { url, headers } = await client.endpoint('/chat/completions', 'gpt 4/o');
    expect(url).toBe(
      'https://example.openai.azure.com/openai/deployments/gpt%204%2Fo/chat/completions?api-version=2024-10-21',
    );
    expect(headers['api-key']).toBe('k1');
    expect(headers['content-type']).toBe('application/json');
    expect(headers['authorization']).toBeUndefined();
  });

  it('addresses the v1 API without api-version', async () => {
    const client = new AzureOpenAIClient(settings({ apiKey: 'k1', api: 'v1' }));
    const { url, headers } = await client.endpoint('/embeddings', 'e');
    expect(url).toBe('https://example.openai.azure.com/openai/v1/embeddings');
    expect(headers['authorization']).toBe('Bearer k1');
  });

  it('keeps an endpoint as long as its token holds', async () => {
    let tokens = 0;
    let expiresOnTimestamp = Date.now() + 3_600_000;
    const getToken = async (): Promise<{ token: string; expiresOnTimestamp: number }> => ({
      token: `t${(tokens += 1)}`,
      expiresOnTimestamp,
    });
    const client = new AzureOpenAIClient(settings({ entra: {} }), async () => ({ getToken }));
    const first = await client.endpoint('/chat/completions', 'm');
    expect(first.headers['authorization']).toBe('Bearer t1');
    expect(await client.endpoint('/chat/completions', 'm')).toBe(first);
    expiresOnTimestamp = 0;
    const other = new AzureOpenAIClient(settings({ entra: {} }), async () => ({ getToken }));
    await other.endpoint('/chat/completions', 'm');
    const renewed = await other.endpoint('/chat/completions', 'm');
    expect(renewed.headers['authorization']).not.toBe(first.headers['authorization']);
  });
});
