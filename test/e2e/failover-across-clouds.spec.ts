import OpenAI from 'openai';
import { FakeBedrock } from '../support/fake-bedrock.ts';
import { FakeGemini } from '../support/fake-gemini.ts';
import { startWorld, type World } from './world.ts';

const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'a-secret-for-tests' };
const REGION = 'eu-central-1';

/** A tool in OpenAI's shape. */
const TOOL = {
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
} as const;

describe('one model over several clouds', () => {
  let world: World;
  let client: OpenAI;
  const bedrock = new FakeBedrock({ region: REGION, keys: KEYS });
  const gemini = new FakeGemini();
  let taken = 0;

  /** A model nobody has asked yet, so that no cool-down of another test is felt. */
  const fresh = (): string => `everywhere-${(taken += 1)}`;

  beforeAll(async () => {
    const origins = { bedrock: await bedrock.listen(), gemini: await gemini.listen() };
    const model = (suffix: number) => ({
      deployments: [
        { provider: 'first', model: `gpt-${suffix}` },
        { provider: 'aws', model: `anthropic.claude-3-haiku-20240307-v1:${suffix}`, priority: 1 },
        { provider: 'google', model: `gemini-2.5-flash-${suffix}`, priority: 2 },
      ],
    });
    world = await startWorld({
      config: {
        providers: {
          aws: { kind: 'bedrock', region: REGION, endpoint: origins.bedrock, credentials: KEYS },
          google: { kind: 'gemini', apiKey: 'fake-gemini-key', baseUrl: origins.gemini },
        },
        models: Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`everywhere-${index}`, model(index)])),
      },
    });
    client = new OpenAI({ apiKey: world.key, baseURL: `${world.gateway.data}/v1`, maxRetries: 0 });
  });
  afterAll(async () => {
    await world.stop();
    await Promise.all([bedrock.close(), gemini.close()]);
  });
  beforeEach(() => {
    world.azure.reset();
    bedrock.reset();
    gemini.reset();
  });

  const messages = [{ role: 'user', content: 'Say hello.' }] as const;
  const usage = { promptTokens: 21, completionTokens: 9 };

  async function billedOnce(requestId: string | null | undefined, provider: string): Promise<void> {
    const line = await world.ledgerLine(String(requestId));
    expect(line).toMatchObject({ k: 'settle', provider, in: '21', out: '9', src: 'final' });
    expect((await world.ledger()).filter(({ rid }) => rid === requestId)).toHaveLength(1);
  }

  it('a request that fails on Azure is answered by Bedrock, in one dialect, billed once', async () => {
    world.azure.defaultScript = { failure: { status: 503 } };
    bedrock.defaultScript = { reply: { text: 'Hello from Bedrock.', usage } };
    const answer = await client.chat.completions.create({ model: fresh(), messages: [...messages], temperature: 0.5 });
    expect(answer).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: 'Hello from Bedrock.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 21, completion_tokens: 9, total_tokens: 30 },
    });
    await billedOnce(answer._request_id, 'aws');
    expect(world.azure.records).toHaveLength(1);
  });

  it('and one that fails on both by Gemini', async () => {
    world.azure.defaultScript = { failure: { status: 429, retryAfter: '20' } };
    bedrock.defaultScript = { failure: { status: 503 } };
    gemini.defaultScript = { reply: { text: 'Hello from Gemini.', usage } };
    const answer = await client.chat.completions.create({ model: fresh(), messages: [...messages] });
    expect(answer.choices[0]?.message.content).toBe('Hello from Gemini.');
    await billedOnce(answer._request_id, 'google');
  });

  it.each(['before the headers', 'before the content'])(
    'a stream that breaks %s is streamed by Bedrock',
    async (when) => {
      world.azure.defaultScript = { delivery: { resetAfterBytes: when === 'before the headers' ? -1 : 100 } };
      bedrock.defaultScript = { reply: { text: 'Hello from Bedrock, in pieces.', usage } };
      const { data, response } = await client.chat.completions
        .create({ model: fresh(), messages: [...messages], stream: true, stream_options: { include_usage: true } })
        .withResponse();
      let text = '';
      let told: unknown;
      const ids = new Set<string>();
      for await (const chunk of data) {
        text += chunk.choices[0]?.delta.content ?? '';
        told = chunk.usage ?? told;
        ids.add(chunk.id);
      }
      expect(text).toBe('Hello from Bedrock, in pieces.');
      expect(told).toMatchObject({ prompt_tokens: 21, completion_tokens: 9 });
      expect(ids.size).toBe(1);
      await billedOnce(response.headers.get('x-request-id'), 'aws');
    },
  );

  it('tool calls of one cloud are continued on another', async () => {
    const model = fresh();
    const reply = { toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Bern"}' }], usage };
    world.azure.enqueue({ reply });
    const first = await client.chat.completions.create({ model, messages: [...messages], tools: [TOOL] });
    const message = first.choices[0]?.message;
    if (message === undefined) throw new Error('no message');
    world.azure.defaultScript = { failure: { status: 500 } };
    bedrock.defaultScript = { reply: { text: 'It rains in Bern.', usage } };
    const second = await client.chat.completions.create({
      model,
      messages: [...messages, message, { role: 'tool', tool_call_id: 'call_1', content: 'rain' }],
      tools: [TOOL],
    });
    expect(second.choices[0]?.message.content).toBe('It rains in Bern.');
    expect(bedrock.records[0]?.json).toMatchObject({
      messages: [
        { role: 'user' },
        {
          role: 'assistant',
          content: [{ toolUse: { toolUseId: 'call_1', name: 'weather', input: { city: 'Bern' } } }],
        },
        { role: 'user', content: [{ toolResult: { toolUseId: 'call_1', content: [{ text: 'rain' }] } }] },
      ],
      toolConfig: { tools: [{ toolSpec: { name: 'weather' } }] },
    });
  });

  it('what the second cloud cannot express is named in a header', async () => {
    world.azure.defaultScript = { failure: { status: 500 } };
    const { response } = await client.chat.completions
      .create({ model: fresh(), messages: [...messages], seed: 7, logit_bias: { '50256': -100 } })
      .withResponse();
    expect(response.headers.get('x-tollgate-warnings')).toContain('seed=dropped');
    expect(response.headers.get('x-tollgate-warnings')).toContain('logit_bias=dropped');
  });

  it('what one cloud cannot express is asked of the next, and never hides a more telling failure', async () => {
    const twice = { messages: [...messages], n: 2 };
    world.azure.defaultScript = { failure: { status: 503 } };
    gemini.defaultScript = { reply: { text: 'Hello from Gemini.', choices: 2, usage } };
    const answer = await client.chat.completions.create({ model: fresh(), ...twice });
    expect(answer.choices).toHaveLength(2);
    expect(bedrock.records).toHaveLength(0);
    expect(await world.gateway.accessLine(String(answer._request_id))).toMatchObject({
      attempts: [{ error: 'provider_overloaded' }, { error: 'unsupported_parameter' }, {}],
    });

    world.azure.defaultScript = { failure: { status: 429, retryAfter: '7' } };
    gemini.defaultScript = { failure: { status: 503 } };
    await expect(client.chat.completions.create({ model: fresh(), ...twice })).rejects.toMatchObject({ status: 429 });
  });

  it('a fault of the caller goes to no other cloud', async () => {
    world.azure.defaultScript = { failure: { status: 400, message: 'Unknown parameter: foo.' } };
    await expect(client.chat.completions.create({ model: fresh(), messages: [...messages] })).rejects.toMatchObject({
      status: 400,
    });
    expect(bedrock.records).toHaveLength(0);
  });

  it('a client that leaves Bedrock is billed in full: the answer is read to its end', async () => {
    world.azure.defaultScript = { failure: { status: 500 } };
    bedrock.defaultScript = {
      reply: { deltas: Array.from({ length: 20 }, (_, index) => `word${index} `), usage },
      delivery: { gapMs: 10 },
    };
    const abort = new AbortController();
    const { data, response } = await client.chat.completions
      .create({ model: fresh(), messages: [...messages], stream: true }, { signal: abort.signal })
      .withResponse();
    const requestId = response.headers.get('x-request-id');
    for await (const chunk of data) {
      if (chunk.choices[0]?.delta.content) break;
    }
    abort.abort();
    const upstream = await bedrock.records[0]?.closed;
    expect(upstream?.completed).toBe(true);
    await billedOnce(requestId, 'aws');
    expect(await world.gateway.accessLine(String(requestId))).toMatchObject({ outcome: 'client-abort' });
  });
});
