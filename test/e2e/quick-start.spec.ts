import { existsSync } from 'node:fs';
import { once } from 'node:events';
import OpenAI from 'openai';
import { API_KEY_PATTERN } from '../../src/contract/api-key.js';
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts';
import { call, chatBody, dataFields } from './world.ts';

const keyOn = (output: string): string => /tg_\w+/.exec(output)?.[0] ?? '';

describe('without any configuration', () => {
  let gateway: GatewayProcess;
  let key: string;
  let client: OpenAI;
  beforeAll(async () => {
    gateway = await startGateway();
    key = keyOn(gateway.output());
    client = new OpenAI({ apiKey: key, baseURL: `${gateway.data}/v1`, maxRetries: 0 });
  });
  afterAll(() => gateway.stop());

  const messages = [{ role: 'user', content: 'Hello.' }] as const;

  it('the gateway is ready in under two seconds and prints a key', async () => {
    const line = await gateway.logLine(({ msg }) => msg === 'ready');
    expect(line).toMatchObject({ config: 'quick-start' });
    // Processor time, so that a busy machine cannot fail it; on an idle one the clock shows the same.
    expect(Number(line['ready_cpu_ms'])).toBeLessThan(2_000);
    expect(key).toMatch(API_KEY_PATTERN);
    expect(gateway.logLines().some((entry) => JSON.stringify(entry).includes(key))).toBe(false);
  });

  it('says that its store is not durable', () => {
    expect(gateway.logLines()).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: expect.stringContaining('embedded store') }),
    );
  });

  it('answers as text, as a stream, with a tool call, with JSON by a schema, and with embeddings', async () => {
    const text = await client.chat.completions.create({ model: 'sandbox', messages: [...messages] });
    expect(text.choices[0]?.message.content).toContain('Hello.');
    expect(text.usage?.total_tokens).toBeGreaterThan(0);

    const stream = await client.chat.completions.create({ model: 'sandbox', messages: [...messages], stream: true });
    let streamed = '';
    for await (const chunk of stream) streamed += chunk.choices[0]?.delta.content ?? '';
    expect(streamed).toBe(text.choices[0]?.message.content);

    const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    const tool = { type: 'function', function: { name: 'weather', parameters } } as const;
    const called = await client.chat.completions.create({
      model: 'sandbox',
      messages: [...messages],
      tools: [tool],
      tool_choice: 'required',
    });
    const toolCall = called.choices[0]?.message.tool_calls?.[0];
    expect(toolCall?.type === 'function' && JSON.parse(toolCall.function.arguments)).toEqual({
      city: expect.any(String),
    });

    const json = await client.chat.completions.create({
      model: 'sandbox',
      messages: [...messages],
      response_format: { type: 'json_schema', json_schema: { name: 'weather', schema: parameters } },
    });
    expect(JSON.parse(json.choices[0]?.message.content ?? '')).toEqual({ city: expect.any(String) });

    const vectors = await client.embeddings.create({ model: 'sandbox-embeddings', input: ['a', 'b'], dimensions: 8 });
    expect(vectors.data.map(({ embedding }) => embedding.length)).toEqual([8, 8]);
  });

  it('streams fail as they do with a cloud: before commit with a status, after it in the stream', async () => {
    const world = { gateway, key };
    const body = (content: string) => chatBody('sandbox', { stream: true, messages: [{ role: 'user', content }] });
    const refused = await call(world, { body: body('[[fail 429 retry=2]]') });
    expect(refused.status).toBe(429);
    expect(refused.headers['retry-after']).toBe('2');
    const broken = await call(world, { body: body('[[break after 3]] a longer message than three pieces') });
    expect(broken.status).toBe(200);
    expect(JSON.parse(dataFields(broken.text).at(-1) ?? '{}')).toMatchObject({ error: { type: 'api_error' } });
    expect(broken.text).not.toContain('[DONE]');
  });

  it('names the field at fault in the caller’s notation', async () => {
    const world = { gateway, key };
    const wrong = chatBody('sandbox', { messages: [{ role: 'user', content: [{ type: 'text', text: 7 }] }] });
    const answer = await call(world, { body: wrong });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ error: { code: 'invalid_value', param: 'messages[0].content[0].text' } });
  });

  it('describes itself at /openapi.json and /docs, on the data listener alone', async () => {
    const description = (await (await fetch(`${gateway.data}/openapi.json`)).json()) as {
      paths: Record<string, unknown>;
      components: { schemas: Record<string, { properties?: object }> };
    };
    expect(Object.keys(description.paths)).toEqual(
      expect.arrayContaining(['/v1/chat/completions', '/v1/embeddings', '/v1/models']),
    );
    expect(Object.keys(description.paths)).not.toContain('/metrics');
    expect(description.components.schemas['ChatCompletionRequest']?.properties).toHaveProperty('messages');
    expect((await fetch(`${gateway.data}/docs`)).status).toBe(200);
    expect((await fetch(`${gateway.admin}/docs`)).status).toBe(404);
    expect((await fetch(`${gateway.metrics}/openapi.json`)).status).toBe(404);
  });

  it('serves each route on its own listener only', async () => {
    expect((await fetch(`${gateway.metrics}/metrics`)).status).toBe(200);
    expect((await fetch(`${gateway.data}/metrics`)).status).toBe(404);
    expect((await fetch(`${gateway.data}/livez`)).status).toBe(404);
    const models = (origin: string) => fetch(`${origin}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    expect((await models(gateway.data)).status).toBe(200);
    expect((await models(gateway.admin)).status).toBe(404);
    expect((await models(gateway.metrics)).status).toBe(404);
  });
});

describe('the embedded store', () => {
  it('dies with a gateway that is killed', async () => {
    const gateway = await startGateway();
    const children = `/proc/${gateway.process.pid}/task/${gateway.process.pid}/children`;
    if (!existsSync(children)) return gateway.stop().then(() => undefined);
    const { readFileSync } = await import('node:fs');
    const pids = readFileSync(children, 'utf8').trim().split(' ').filter(Boolean);
    expect(pids.length).toBeGreaterThan(0);
    const exited = once(gateway.process, 'exit');
    gateway.process.kill('SIGKILL');
    await exited;
    const isAlive = (pid: string): boolean => existsSync(`/proc/${pid}/exe`);
    for (let tries = 0; tries < 200 && pids.some(isAlive); tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(pids.filter(isAlive)).toEqual([]);
    await gateway.stop();
  });

  it('takes the gateway with it when it dies', async () => {
    const gateway = await startGateway();
    const { readFileSync } = await import('node:fs');
    const children = readFileSync(`/proc/${gateway.process.pid}/task/${gateway.process.pid}/children`, 'utf8');
    const [pid] = children.trim().split(' ');
    const exited = once(gateway.process, 'exit') as Promise<[number | null]>;
    process.kill(Number(pid), 'SIGKILL');
    expect((await exited)[0]).not.toBe(0);
    expect(gateway.output()).toMatch(/embedded store/);
    await gateway.stop();
  });
});

describe('a configuration file', () => {
  it('turns the sandbox off unless it is configured', async () => {
    const gateway = await startGateway({ config: { keys: [] } });
    expect(keyOn(gateway.output())).toBe('');
    expect(await gateway.stop()).toBe(0);
  });

  it('that cannot be used stops the start, with every problem and its place', async () => {
    const start = startGateway({
      config: { server: { prot: 1 }, keys: [{ id: 'a', secret: '${MISSING_SECRET}', team: 'nobody' }] },
    });
    await expect(start).rejects.toThrow(/server\.prot[\s\S]*|exited with 1/);
    const text = await start.catch((error: Error) => error.message);
    expect(text).toContain('port');
    expect(text).toContain('MISSING_SECRET');
  });

  it('with redis.url demands a pepper', async () => {
    const start = startGateway({ config: { redis: { url: 'redis://127.0.0.1:1' } } });
    await expect(start).rejects.toThrow(/pepper/);
  });
});
