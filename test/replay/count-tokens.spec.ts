import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toCanonicalChat } from '../../src/gateway/dialects/openai-chat/openai-chat.request.js';
import { anthropicSettings } from '../../src/providers/anthropic/anthropic.config.js';
import { AnthropicProviders } from '../../src/providers/anthropic/anthropic.module.js';
import { Transport } from '../../src/transport/transport.js';
import { callOf } from '../contract/provider-calls.ts';
import { FAKE_ANTHROPIC_KEY, FakeAnthropic } from '../support/fake-anthropic.ts';
import { isRecord, providerFolders, recordingsRoot, type Json, type JsonRecord, type Recording } from './recording.ts';
import { chatBody } from './request.ts';

interface Counting {
  readonly name: string;
  readonly request: JsonRecord;
  readonly response: Json;
}

/** Counting has no route of the gateway, so that the provider is asked itself; RECORDED adds a folder to our own. */
const FOLDERS = [join(__dirname, 'fixtures'), process.env['RECORDED']].filter((folder) => folder !== undefined);

function countings(folder: string): Counting[] {
  if (!providerFolders(folder).includes('anthropic')) return [];
  const directory = join(recordingsRoot(folder), 'anthropic');
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const { endpoint, request, response } = JSON.parse(readFileSync(join(directory, name), 'utf8')) as JsonRecord;
      const body = isRecord(request) ? request['body'] : undefined;
      if (endpoint !== 'count-tokens' || !isRecord(body) || !isRecord(response)) return [];
      return [{ name, request: body, response: response['body'] ?? null }];
    });
}

describe('counting tokens', () => {
  const fake = new FakeAnthropic();
  const transport = new Transport({ connectionsPerOrigin: 4, keepAliveMs: 1_000, maxResponseBytes: 1_048_576 });
  let origin = '';

  beforeAll(async () => {
    origin = await fake.listen();
  });
  afterAll(async () => {
    await transport.close();
    await fake.close();
  });

  it.each(FOLDERS.flatMap(countings))('gives what was recorded: $name', async ({ request, response }) => {
    const settings = anthropicSettings.parse({ apiKey: FAKE_ANTHROPIC_KEY, baseUrl: origin });
    const provider = new AnthropicProviders(transport).create('recorded', settings);
    const headers = { 'content-type': 'application/json' };
    fake.enqueue({ wire: { status: 200, headers, pieces: [Buffer.from(JSON.stringify(response))] } });
    const chat = { ...chatBody({ provider: 'anthropic', request } as Recording), model: 'any' };
    const call = callOf(String(request['model'] as string), toCanonicalChat(JSON.parse(JSON.stringify(chat))));
    const { input_tokens: promptTokens } = response as JsonRecord;
    expect(await provider.tokenCount?.count(call)).toEqual({ promptTokens });
    const sent = fake.records.at(-1);
    expect(sent?.path).toBe('/v1/messages/count_tokens');
    expect(sent?.json).toMatchObject({ model: request['model'], messages: [{ role: 'user' }] });
  });
});
