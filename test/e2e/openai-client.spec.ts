import OpenAI, { AzureOpenAI } from 'openai';
import { AZURE_CONTENT_FILTER } from '../support/fake-azure-openai.ts';
import { freshModel, startWorld, type World } from './world.ts';

const TOOL = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
    strict: true,
  },
} as const;

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

describe.each(['OpenAI', 'AzureOpenAI'] as const)('the official client, class %s', (name) => {
  let world: World;
  let client: OpenAI;
  beforeAll(async () => {
    world = await startWorld();
    const options = { apiKey: world.key, maxRetries: 0 };
    client =
      name === 'OpenAI'
        ? new OpenAI({ ...options, baseURL: `${world.gateway.data}/v1` })
        : new AzureOpenAI({ ...options, endpoint: world.gateway.data, apiVersion: '2024-10-21' });
  });
  afterAll(() => world.stop());
  beforeEach(() => world.azure.reset());

  const messages = [{ role: 'user', content: 'Say hello.' }] as const;

  it('gets a text', async () => {
    const answer = await client.chat.completions.create({ model: 'chat', messages: [...messages] });
    expect(answer.choices[0]?.message.content).toBe('Hello from the model.');
    expect(answer.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 });
    expect(answer._request_id).toMatch(/^req_/);
    const received = world.azure.records[0];
    expect(received?.path).toBe('/openai/deployments/gpt-a/chat/completions?api-version=2024-10-21');
    expect(received?.headers['api-key']).toBe('azure-test-key');
    expect(JSON.stringify(received?.headers)).not.toContain(world.key);
  });

  it('gets a stream with its usage', async () => {
    const stream = await client.chat.completions.create({
      model: 'chat',
      messages: [...messages],
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage: unknown;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe('Hello from the model.');
    expect(usage).toMatchObject({ total_tokens: 18 });
  });

  it('gets parallel tool calls and gives their results back', async () => {
    world.azure.enqueue({
      reply: {
        toolCalls: [
          { id: 'call_1', name: 'weather', arguments: '{"city":"Bern"}' },
          { id: 'call_2', name: 'weather', arguments: '{"city":"Oslo"}' },
        ],
      },
    });
    const answer = await client.chat.completions.create({
      model: 'chat',
      messages: [...messages],
      tools: [TOOL],
      tool_choice: 'required',
      parallel_tool_calls: true,
    });
    const message = answer.choices[0]?.message;
    expect(answer.choices[0]?.finish_reason).toBe('tool_calls');
    expect(message?.tool_calls?.map((toolCall) => toolCall.type === 'function' && toolCall.function.arguments)).toEqual(
      ['{"city":"Bern"}', '{"city":"Oslo"}'],
    );
    if (message === undefined) throw new Error('no message');
    await client.chat.completions.create({
      model: 'chat',
      messages: [
        ...messages,
        message,
        { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
        { role: 'tool', tool_call_id: 'call_2', content: 'snow' },
      ],
      tools: [TOOL],
    });
    const [first, second] = world.azure.records.map(({ json }) => json as { messages: unknown[]; tools: unknown[] });
    expect(first?.tools).toEqual([TOOL]);
    expect(second?.messages).toHaveLength(4);
    expect(second?.messages[2]).toEqual({ role: 'tool', tool_call_id: 'call_1', content: 'rain' });
  });

  it('sends images and a JSON schema word for word', async () => {
    const format = {
      type: 'json_schema',
      json_schema: { name: 'answer', strict: true, schema: { type: 'object', properties: { a: { type: 'number' } } } },
    } as const;
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: PIXEL, detail: 'low' } },
    ] as const;
    world.azure.enqueue({ reply: { text: '{"a":1}' } });
    const answer = await client.chat.completions.create({
      model: 'chat',
      messages: [{ role: 'user', content: [...content] }],
      response_format: format,
    });
    expect(answer.choices[0]?.message.content).toBe('{"a":1}');
    const sent = world.azure.records[0]?.json as { messages: { content: unknown }[]; response_format: unknown };
    expect(sent.messages[0]?.content).toEqual(content);
    expect(sent.response_format).toEqual(format);
  });

  it('gets embeddings, in base64 as the client asks and as floats', async () => {
    world.azure.defaultScript = { reply: { vectors: [[0.5, -0.25, 1]] } };
    const answer = await client.embeddings.create({ model: 'embed', input: 'text' });
    expect(answer.data[0]?.embedding).toEqual([0.5, -0.25, 1]);
    const floats = await client.embeddings.create({ model: 'embed', input: ['text'], encoding_format: 'float' });
    expect(floats.data[0]?.embedding).toEqual([0.5, -0.25, 1]);
  });

  it('throws its own error classes', async () => {
    const ask = (model: string) => client.chat.completions.create({ model, messages: [...messages] });
    await expect(ask('unknown')).rejects.toMatchObject({ constructor: OpenAI.NotFoundError, code: 'model_not_found' });
    world.azure.enqueue({ failure: AZURE_CONTENT_FILTER });
    await expect(ask(freshModel('chat'))).rejects.toMatchObject({
      constructor: OpenAI.BadRequestError,
      code: 'content_filter',
    });
    world.azure.defaultScript = { failure: { status: 429, retryAfter: '3' } };
    await expect(ask(freshModel('single'))).rejects.toMatchObject({ constructor: OpenAI.RateLimitError, status: 429 });
  });

  it('throws when a stream breaks', async () => {
    const deltas = Array.from({ length: 20 }, (_, index) => `word${index} `);
    world.azure.enqueue({ reply: { deltas }, delivery: { resetAfterBytes: 2_000, gapMs: 2 } });
    const stream = await client.chat.completions.create({
      model: freshModel('chat'),
      messages: [...messages],
      stream: true,
    });
    const read = async (): Promise<string> => {
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      return text;
    };
    await expect(read()).rejects.toThrow(/broke off/);
  });
});

describe('Azure’s classic path', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.stop());

  it.each(['chat', 'sandbox'])('names the model alone, whatever answers: %s', async (deployment) => {
    const client = new AzureOpenAI({
      apiKey: world.key,
      endpoint: world.gateway.data,
      apiVersion: '2024-10-21',
      deployment,
      maxRetries: 0,
    });
    const answer = await client.chat.completions.create({ model: '', messages: [{ role: 'user', content: 'Hello.' }] });
    expect(answer.choices[0]?.message.content).toContain('Hello');
  });
});

describe('the official client and the models', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ config: { keys: [] } });
  });
  afterAll(() => world.stop());

  it('lists what the key may use, aliases included, chat first; names with "/" and ":" are found', async () => {
    const { key, config, gateway, organisation } = world;
    await gateway.writeConfig({
      ...config,
      keys: [{ id: 'some', secret: key, organisation, models: ['chat', 'embed'] }],
    });
    await gateway.logLine(
      ({ msg }) => typeof msg === 'string' && msg.includes('configuration') && !msg.includes('refused'),
    );
    const client = new OpenAI({ apiKey: key, baseURL: `${gateway.data}/v1`, maxRetries: 0 });
    const listed = await client.models.list();
    expect(listed.data.map(({ id }) => id)).toEqual(['chat', 'team/chat:latest', 'embed']);
    expect(await client.models.retrieve('team/chat:latest')).toMatchObject({ id: 'team/chat:latest', object: 'model' });
    await expect(client.models.retrieve('single')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    const answer = await client.chat.completions.create({
      model: 'team/chat:latest',
      messages: [{ role: 'user', content: 'Hello.' }],
    });
    expect(answer.choices[0]?.message.content).toBe('Hello from the model.');
    await expect(
      client.chat.completions.create({ model: 'single', messages: [{ role: 'user', content: 'Hello.' }] }),
    ).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  });
});
