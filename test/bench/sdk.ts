// Calls the bench's upstream through one cloud's official SDK and nothing else: what the SDK's own path costs.
import { serveCommands } from './child-process.ts';
import { SYSTEM_TEXT, USER_TEXT } from './payloads.ts';

type Call = () => Promise<unknown>;

async function bedrock(origin: string): Promise<Call> {
  const { BedrockRuntimeClient, ConverseCommand } = await import('@aws-sdk/client-bedrock-runtime');
  const { NodeHttpHandler } = await import('@smithy/node-http-handler');
  const { Agent } = await import('node:http');
  const client = new BedrockRuntimeClient({
    region: 'eu-central-1',
    endpoint: origin,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'bench' },
    maxAttempts: 1,
    // The default handler speaks HTTP/2, which a plain endpoint does not.
    requestHandler: new NodeHttpHandler({ httpAgent: new Agent({ keepAlive: true, maxSockets: 64 }) }),
  });
  return () =>
    client.send(
      new ConverseCommand({
        modelId: 'anthropic.claude-3-haiku-20240307-v1:0',
        system: [{ text: SYSTEM_TEXT }],
        messages: [{ role: 'user', content: [{ text: USER_TEXT }] }],
        inferenceConfig: { temperature: 0.2, maxTokens: 256 },
      }),
    );
}

async function gemini(origin: string): Promise<Call> {
  const { GoogleGenerativeAI } = await import('@google/generative-ai');
  const model = new GoogleGenerativeAI('bench').getGenerativeModel(
    { model: 'bench-gemini', systemInstruction: SYSTEM_TEXT },
    { baseUrl: origin },
  );
  return async () => {
    const { response } = await model.generateContent({
      contents: [{ role: 'user', parts: [{ text: USER_TEXT }] }],
      generationConfig: { temperature: 0.2, maxOutputTokens: 256 },
    });
    return response.text();
  };
}

async function anthropic(origin: string): Promise<Call> {
  const { default: Anthropic } = await import('@anthropic-ai/sdk');
  const client = new Anthropic({ baseURL: origin, apiKey: 'bench', maxRetries: 0 });
  return () =>
    client.messages.create({
      model: 'claude-3-5-haiku-20241022',
      system: SYSTEM_TEXT,
      messages: [{ role: 'user', content: USER_TEXT }],
      max_tokens: 256,
    });
}

async function azure(origin: string): Promise<Call> {
  const { AzureOpenAI } = await import('openai');
  const client = new AzureOpenAI({ endpoint: origin, apiKey: 'bench', apiVersion: '2024-10-21', maxRetries: 0 });
  return () =>
    client.chat.completions.create({
      model: 'bench',
      messages: [
        { role: 'system', content: SYSTEM_TEXT },
        { role: 'user', content: USER_TEXT },
      ],
      temperature: 0.2,
      max_tokens: 256,
    });
}

const SDKS: Readonly<Record<string, (origin: string) => Promise<Call>>> = { anthropic, azure, bedrock, gemini };

const [name = '', origin = ''] = process.argv.slice(2);
const create = SDKS[name];
if (create === undefined) throw new Error(`there is no SDK "${name}"`);
const call = await create(origin);

/** What the process is asked: so many calls, so many at a time. */
export interface SdkCommand {
  readonly count: number;
  readonly concurrency: number;
}

async function run({ count, concurrency }: SdkCommand): Promise<void> {
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started++ < count) await call();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

serveCommands(0, run);
