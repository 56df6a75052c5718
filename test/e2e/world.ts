import { randomBytes } from 'node:crypto';
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Redis } from 'ioredis';
import { generateApiKey } from '../../src/contract/api-key.ts';
import { FakeAzureOpenAI } from '../support/fake-azure-openai.ts';
import { startGateway, type ConfigDocument, type GatewayProcess } from '../support/gateway-process.ts';

/** A pepper for tests. */
export const PEPPER = 'a-pepper-for-tests-0123456789abcdef';

/** Parts of the configuration a suite may change. */
export interface WorldOptions {
  /** Merged over the sections below, section by section. */
  readonly config?: ConfigDocument;
  /** Limits of the key; absent = none. */
  readonly limits?: ConfigDocument;
  /** Settings of the models `chat` and `single`. */
  readonly chat?: ConfigDocument;
  readonly nodeArguments?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A ledger line as an object. */
export type LedgerLine = Readonly<Record<string, string>>;

/** A gateway in front of two fake Azure resources, with one key and a store of its own tenant. */
export interface World {
  readonly gateway: GatewayProcess;
  readonly azure: FakeAzureOpenAI;
  /** A second resource, the fallback of the model `chat`. */
  readonly second: FakeAzureOpenAI;
  readonly key: string;
  readonly organisation: string;
  readonly config: ConfigDocument;
  readonly redis: Redis;
  /** Ledger lines of the organisation, oldest first. */
  ledger(): Promise<LedgerLine[]>;
  /** Awaits the line of a request. */
  ledgerLine(requestId: string): Promise<LedgerLine>;
  stop(): Promise<void>;
}

/** How many copies of `chat` and `single` there are; a deployment that failed cools down, its copies do not. */
const COPIES = 40;
let copiesTaken = 0;

/** The name of a copy nobody has used, so that no earlier failure is held against it. */
export function freshModel(name: 'chat' | 'single'): string {
  copiesTaken += 1;
  return `${name}-${copiesTaken % COPIES}`;
}

function chatModels(settings: ConfigDocument = {}): Record<string, ConfigDocument> {
  const single = (suffix = '') => ({ deployments: [{ provider: 'first', model: `gpt-a${suffix}` }], ...settings });
  const chat = (suffix = '') => ({
    deployments: [
      { provider: 'first', model: `gpt-a${suffix}` },
      { provider: 'second', model: `gpt-b${suffix}`, priority: 1 },
    ],
    ...settings,
  });
  const models: Record<string, ConfigDocument> = {
    chat: { ...chat(), aliases: ['team/chat:latest'] },
    single: single(),
  };
  for (let copy = 0; copy < COPIES; copy += 1) {
    Object.assign(models, { [`chat-${copy}`]: chat(`-c${copy}`), [`single-${copy}`]: single(`-s${copy}`) });
  }
  return models;
}

function document(options: WorldOptions, parts: { azure: string; second: string; key: string; organisation: string }) {
  const { azure, second, key, organisation } = parts;
  const base: Record<string, ConfigDocument> = {
    redis: { url: process.env['REDIS_URL'] ?? '' },
    auth: { pepper: PEPPER },
    server: { host: '127.0.0.1', drainMs: 5_000 },
    organisations: { [organisation]: { teams: { research: {} } } },
    providers: {
      first: { kind: 'azure-openai', endpoint: azure, apiKey: 'azure-test-key' },
      second: { kind: 'azure-openai', endpoint: second, apiKey: 'azure-test-key' },
      sandbox: { kind: 'sandbox' },
    },
    models: {
      ...chatModels(options.chat),
      sandbox: { deployments: [{ provider: 'sandbox', model: 'sandbox' }] },
      embed: { operation: 'embeddings', deployments: [{ provider: 'first', model: 'emb-a' }] },
    },
  };
  for (const [section, value] of Object.entries(options.config ?? {})) {
    if (!Array.isArray(value)) base[section] = { ...base[section], ...(value as ConfigDocument) };
  }
  const keys = options.config?.['keys'];
  return {
    ...base,
    keys: Array.isArray(keys)
      ? keys
      : [{ id: 'tester', secret: key, organisation, team: 'research', limits: options.limits ?? {} }],
  };
}

/** Starts all of it. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const azure = new FakeAzureOpenAI();
  const second = new FakeAzureOpenAI();
  const key = generateApiKey();
  const organisation = `org-${randomBytes(6).toString('hex')}`;
  const parts = { azure: await azure.listen(), second: await second.listen(), key, organisation };
  const config = document(options, parts);
  const gateway = await startGateway({
    config,
    ...(options.nodeArguments === undefined ? {} : { nodeArguments: options.nodeArguments }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  const redis = new Redis(process.env['REDIS_URL'] ?? '');
  const ledger = async (): Promise<LedgerLine[]> => {
    const entries = await redis.xrange(`g1:{o:${organisation}}:us`, '-', '+');
    return entries.map(([, fields]) => {
      const pairs: [string, string][] = [];
      for (let index = 0; index + 1 < fields.length; index += 2) {
        pairs.push([fields[index] ?? '', fields[index + 1] ?? '']);
      }
      return Object.fromEntries(pairs);
    });
  };
  return {
    gateway,
    azure,
    second,
    key,
    organisation,
    config,
    redis,
    ledger,
    async ledgerLine(requestId) {
      for (;;) {
        const found = (await ledger()).find(({ rid }) => rid === requestId);
        if (found !== undefined) return found;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async stop() {
      await gateway.stop();
      await Promise.all([azure.close(), second.close()]);
      redis.disconnect();
    },
  };
}

/** A plain call; nothing is hidden by a client library. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly requestId: string;
  readonly text: string;
  /** The connection closed before the body's end. */
  readonly wasCut: boolean;
  json(): Record<string, unknown>;
}

export interface CallOptions {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The body as it stands, in place of `body`. */
  readonly bytes?: string | Buffer;
  /** Called with the first response bytes and the request, so that a test may hang up. */
  readonly onChunk?: (chunk: string, request: ClientRequest) => void;
  readonly onRequest?: (request: ClientRequest) => void;
}

/** The text of an event stream as its data fields, the terminal mark included. */
export function dataFields(text: string): string[] {
  return text
    .split('\n\n')
    .flatMap((event) => event.split('\n').filter((line) => line.startsWith('data: ')))
    .map((line) => line.slice(6));
}

/** POSTs a chat call (or what `options` say) with the world's key. */
export function call(world: Pick<World, 'gateway' | 'key'>, options: CallOptions = {}): Promise<Answer> {
  const body = options.bytes ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const { path = '/v1/chat/completions', method = body === undefined ? 'GET' : 'POST' } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${world.gateway.data}${path}`,
      {
        method,
        agent: false,
        headers: {
          authorization: `Bearer ${world.key}`,
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
          ...options.headers,
        },
      },
      (response) => {
        let text = '';
        const finish = (wasCut: boolean): void =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            requestId: String(response.headers['x-request-id']),
            text,
            wasCut,
            json: () => JSON.parse(text) as Record<string, unknown>,
          });
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          options.onChunk?.(chunk, request);
        });
        response.on('end', () => finish(false));
        response.on('error', () => finish(true));
      },
    );
    request.on('error', reject);
    options.onRequest?.(request);
    request.end(body);
  });
}

/** A chat body for a model; further fields override. */
export function chatBody(model = 'chat', fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { model, messages: [{ role: 'user', content: 'Say hello.' }], ...fields };
}
