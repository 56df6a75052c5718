import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { bareAnswer, bareStream } from './bare.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonRecord = Record<string, Json | undefined>;

/** Whose answers can be replayed: by the name of the folder, and `compat` for every folder `compat-…`. */
export type ReplayProvider = 'anthropic' | 'azure' | 'bedrock' | 'compat' | 'gemini' | 'openai' | 'vertex';

/** What a recorded exchange was. */
export type ReplayCall = 'chat' | 'chat-stream' | 'embeddings';

/** One recorded exchange that the gateway can be asked for. */
export interface Recording {
  /** `<folder>/<file>` without ending. */
  readonly name: string;
  readonly folder: string;
  readonly provider: ReplayProvider;
  readonly call: ReplayCall;
  /** The name by which the provider knew the model. */
  readonly model: string;
  /** The recorded request's body. */
  readonly request: Json;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The answer's bytes. */
  readonly bytes: Buffer;
  /** The answer as JSON; absent for streams. */
  readonly body?: Json;
  /** Events of a stream, in order: frames of Bedrock, data of SSE. */
  readonly events?: readonly ReplayEvent[];
}

export interface ReplayEvent {
  /** The frame's event or exception name; '' for SSE. */
  readonly name: string;
  readonly payload: JsonRecord;
}

/** What a folder holds: exchanges to replay, and how many are left out for which reason. */
export interface RecordedFolder {
  readonly recordings: readonly Recording[];
  /** By provider folder, then by reason. */
  readonly excluded: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

interface Fixture {
  readonly endpoint: string;
  readonly request: { readonly url: string; readonly body: Json };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: Json;
    readonly stream_file?: string;
    readonly decoded_events?: readonly { readonly headers: Record<string, string>; readonly payload: JsonRecord }[];
  };
}

const IN_SCOPE: ReadonlySet<string> = new Set<ReplayProvider>([
  ...(['anthropic', 'azure', 'bedrock', 'gemini', 'openai', 'vertex'] as const),
]);

/** What a folder's recordings are; undefined = nothing that is in scope. */
function providerOf(folder: string): ReplayProvider | undefined {
  if (folder.startsWith('compat-')) return 'compat';
  return IN_SCOPE.has(folder) ? (folder as ReplayProvider) : undefined;
}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The folder of all providers' folders: the one given, or the one around it where it is a provider's itself. */
export function recordingsRoot(directory: string): string {
  return isProviderFolder(directory) ? dirname(resolve(directory)) : resolve(directory);
}

/** The providers' folders by name. */
export function providerFolders(directory: string): readonly string[] {
  if (isProviderFolder(directory)) return [basename(resolve(directory))];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

function isProviderFolder(directory: string): boolean {
  if (providerOf(basename(resolve(directory))) === undefined) return false;
  const entries = readdirSync(directory, { withFileTypes: true });
  return entries.some((entry) => entry.isFile()) && !entries.some((entry) => entry.isDirectory());
}

/** Reads folders of the form `<provider>/<case>.json` with stream bytes beside, or one provider's alone. */
export function loadRecordings(directory: string): RecordedFolder {
  const root = recordingsRoot(directory);
  const recordings: Recording[] = [];
  const excluded = new Map<string, Map<string, number>>();
  const exclude = (provider: string, reason: string): void => {
    const reasons = excluded.get(provider) ?? new Map<string, number>();
    excluded.set(provider, reasons.set(reason, (reasons.get(reason) ?? 0) + 1));
  };
  for (const provider of providerFolders(directory)) {
    const folder = join(root, provider);
    for (const file of readdirSync(folder)
      .filter((name) => /\.(json|chunks\.txt)$/.test(name))
      .sort()) {
      const known = providerOf(provider);
      const place = { directory: folder, folder: provider, file };
      const loaded = known === undefined ? 'provider is not in scope' : load(place, known);
      if (typeof loaded === 'string') exclude(provider, loaded);
      else recordings.push(loaded);
    }
  }
  return { recordings, excluded };
}

interface Place {
  readonly directory: string;
  readonly folder: string;
  readonly file: string;
}

/** Whose answers speak OpenAI's wire, so that one kept without its exchange can be told by its form. */
const OPENAI_WIRE: ReadonlySet<string> = new Set<ReplayProvider>(['compat', 'openai']);

/** A recording, or the reason why it is left out. */
function load({ directory, folder, file }: Place, provider: ReplayProvider): Recording | string {
  const named = { name: `${folder}/${file.replace(/\.json$/, '')}`, folder, provider };
  if (file.endsWith('.chunks.txt')) {
    const bare = OPENAI_WIRE.has(provider) ? bareStream(directory, file) : undefined;
    return bare === undefined ? 'no request' : { ...named, ...bare };
  }
  const parsed = JSON.parse(readFileSync(join(directory, file), 'utf8')) as JsonRecord;
  if (!isRecord(parsed['request']) || !isRecord(parsed['response'])) {
    const bare = OPENAI_WIRE.has(provider) ? bareAnswer(parsed) : undefined;
    return bare === undefined ? 'no request' : { ...named, ...bare };
  }
  const fixture = parsed as unknown as Fixture;
  const target = TARGETS[provider](fixture);
  if (typeof target === 'string') return target;
  const { response } = fixture;
  const common = {
    ...named,
    ...target,
    request: fixture.request.body,
    headers: response.headers,
  };
  if (response.stream_file === undefined) {
    const body = response.body ?? null;
    return { ...common, status: statusOf(response), body, bytes: Buffer.from(JSON.stringify(body)) };
  }
  const bytes = readFileSync(join(directory, response.stream_file));
  const events = response.decoded_events?.map(({ headers, payload }) => ({
    name: headers[':event-type'] ?? headers[':exception-type'] ?? '',
    payload,
  }));
  return { ...common, status: response.status, bytes, events: events ?? sseEvents(bytes) };
}

/** Some recorders kept the error's body but not its status; the body's own status is then the one that was sent. */
function statusOf(response: Fixture['response']): number {
  const error = isRecord(response.body) ? response.body['error'] : undefined;
  const own = isRecord(error) ? error['status'] : undefined;
  return response.status < 400 && typeof own === 'number' && own >= 400 ? own : response.status;
}

function sseEvents(bytes: Buffer): ReplayEvent[] {
  return bytes
    .toString('utf8')
    .split(/\r\n|\n|\r/)
    .filter((line) => line.startsWith('data:') && !line.includes('[DONE]'))
    .map((line) => ({ name: '', payload: JSON.parse(line.slice('data:'.length)) as JsonRecord }));
}

type Target = Pick<Recording, 'call' | 'model'> & { readonly provider?: ReplayProvider };

/** Which call of the gateway asks for a fixture of each provider; a text is the reason why none does. */
const TARGETS = {
  anthropic: ({ endpoint, request }) => {
    const body = isRecord(request.body) ? request.body : {};
    if (endpoint !== 'messages') return `${endpoint} has no route`;
    return { call: body['stream'] === true ? 'chat-stream' : 'chat', model: body['model'] as string };
  },
  azure: ({ endpoint, request }) => {
    const model = /\/deployments\/([^/]+)\//.exec(request.url)?.[1] ?? 'deployment';
    if (endpoint === 'embeddings') return { call: 'embeddings', model };
    if (endpoint !== 'chat.completions') return `${endpoint} is not in scope`;
    const isStream = isRecord(request.body) && request.body['stream'] === true;
    return { call: isStream ? 'chat-stream' : 'chat', model };
  },
  bedrock: ({ endpoint, request }) => {
    const model = decodeURIComponent(/\/model\/(.+)\/[a-z-]+$/.exec(request.url)?.[1] ?? '');
    if (endpoint === 'converse') return { call: 'chat', model };
    if (endpoint === 'converse-stream') return { call: 'chat-stream', model };
    if (!endpoint.startsWith('invoke')) return `${endpoint} is not in scope`;
    return model.includes('embed') ? { call: 'embeddings', model } : 'text InvokeModel is not in scope';
  },
  gemini: (fixture) => {
    const { request } = fixture;
    const [, model = '', task = ''] = /\/models\/([^/:]+):([A-Za-z]+)/.exec(request.url) ?? [];
    if (task === 'generateContent') return { call: 'chat', model };
    if (task === 'streamGenerateContent') return { call: 'chat-stream', model };
    if (task === 'embedContent' || task === 'batchEmbedContents') return { call: 'embeddings', model };
    return task === 'countTokens' ? 'countTokens is not in scope' : openAITarget(fixture, 'compat');
  },
  compat: (fixture) => openAITarget(fixture),
  openai: (fixture) => openAITarget(fixture),
  vertex: ({ request }) => {
    const [, model = '', task = ''] = /\/models\/([^/:]+):([A-Za-z]+)/.exec(request.url) ?? [];
    const call = VERTEX_TASKS[task];
    return call === undefined || model === 'count-tokens' ? `${task} has no route` : { call, model };
  },
} as const satisfies Record<ReplayProvider, (fixture: Fixture) => Target | string>;

const VERTEX_TASKS: Readonly<Record<string, ReplayCall>> = {
  generateContent: 'chat',
  streamGenerateContent: 'chat-stream',
  rawPredict: 'chat',
  streamRawPredict: 'chat-stream',
  predict: 'embeddings',
};

/** A call of OpenAI's wire, played by another provider than the folder's where one is given. */
function openAITarget({ endpoint, request }: Fixture, provider?: ReplayProvider): Target | string {
  const body = isRecord(request.body) ? request.body : {};
  const model = typeof body['model'] === 'string' ? body['model'] : 'model';
  const target = { model, ...(provider === undefined ? {} : { provider }) };
  if (endpoint === 'embeddings') return { ...target, call: 'embeddings' };
  if (endpoint !== 'chat.completions') return `${endpoint} is not in scope`;
  return { ...target, call: body['stream'] === true ? 'chat-stream' : 'chat' };
}
