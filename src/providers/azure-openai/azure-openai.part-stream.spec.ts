import { FakeAzureOpenAI } from '../../../test/support/fake-azure-openai.ts';
import { sseEvent } from '../../../test/support/fake-openai-wire.ts';
import { contextOf } from '../../../test/support/provider-context.ts';
import type { ChatPart } from '../../contract/chat-response.js';
import type { PartStream } from '../../contract/provider.js';
import { Transport } from '../../transport/transport.js';
import { azureOpenAISettings } from './azure-openai.config.js';
import { AzureOpenAIProviders } from './azure-openai.module.js';

const TEXT = sseEvent({ id: 'c', choices: [{ index: 0, delta: { content: 'Hi' } }] });
const USAGE = sseEvent({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } });

describe('a translated stream', () => {
  let fake: FakeAzureOpenAI;
  let transport: Transport;
  let endpoint: string;

  beforeEach(async () => {
    fake = new FakeAzureOpenAI('key-1');
    endpoint = await fake.listen();
    transport = new Transport({ connectionsPerOrigin: 4, keepAliveMs: 4_000, maxResponseBytes: 1_000_000 }, 100_000);
  });

  afterEach(async () => {
    await transport.close();
    await fake.close();
  });

  /** Opens a stream of these bytes, after which the provider stays silent. */
  async function open(...pieces: Buffer[]): Promise<PartStream> {
    const wire = { status: 200, headers: { 'content-type': 'text/event-stream' }, pieces: [...pieces, TEXT] };
    fake.enqueue({ wire, delivery: { stallAfterPieces: pieces.length } });
    const settings = azureOpenAISettings.parse({ endpoint, apiKey: 'key-1' });
    const { chat } = new AzureOpenAIProviders(transport).create('azure', settings);
    if (chat === undefined) throw new Error('the provider has no chat ability');
    const request = { messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hi' }] }] };
    return chat.stream({ request, model: 'm', context: contextOf(), warn: () => undefined });
  }

  function read(stream: PartStream): Promise<ChatPart[]> {
    return new Promise((resolve) => {
      const all: ChatPart[] = [];
      stream.start((parts) => {
        all.push(...parts);
        if (['error', 'finish'].includes(parts.at(-1)?.type ?? '')) resolve(all);
        return true;
      });
    });
  }

  it.each([
    ['a malformed line', Buffer.from('data: {"choices":[\n\n'), 'provider_bad_response'],
    ['an event longer than allowed', Buffer.from(`data: "${'x'.repeat(100_000)}"\n\n`), 'provider_stream_broken'],
    ['an endless line', Buffer.alloc(200_000, 'x'), 'provider_stream_broken'],
    ['an error of the provider', sseEvent({ error: { code: 'server_error', message: 'm' } }), 'provider_error'],
  ])('ends at %s with one error after what was whole, and closes the upstream', async (_name, bytes, code) => {
    const parts = await read(await open(TEXT, bytes));
    expect(parts.slice(1)).toEqual([
      { type: 'text-delta', text: 'Hi' },
      { type: 'error', error: expect.objectContaining({ code }) },
    ]);
    expect((await fake.records[0]?.closed)?.completed).toBe(false);
  });

  it('is finished at the mark, though the connection stays open', async () => {
    const parts = await read(await open(TEXT, USAGE, Buffer.from('data: [DONE]\n\n')));
    expect(parts.at(-1)).toMatchObject({ type: 'finish', usage: { completionTokens: 2, source: 'final' } });
  });

  it('tells the usage so far as partial until it is finished', async () => {
    const stream = await open(Buffer.concat([TEXT, USAGE]));
    expect(stream.usageSoFar()).toBeUndefined();
    await new Promise<void>((resolve) => {
      stream.start(() => {
        resolve();
        return true;
      });
    });
    expect(stream.usageSoFar()).toMatchObject({ completionTokens: 2, source: 'partial' });
    stream.destroy();
    await fake.records[0]?.closed;
  });
});
