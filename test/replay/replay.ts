import { startGateway, type ConfigDocument } from '../support/gateway-process.ts';
import { ReplayCaller } from './caller.ts';
import { differences } from './compare.ts';
import { expectedOf, type Expected } from './expect.ts';
import type { RecordedFolder, Recording, ReplayProvider } from './recording.ts';
import type { PublicSchema } from './schema.ts';
import { ReplayUpstream, TOKEN_PATH } from './upstream.ts';

/** How a stream's bytes are cut; whole answers travel in one piece. */
const WRITE_SIZES = [1, 7, 11];

const API_KEY = 'replay-caller-key-of-thirty-two-characters';
const CREDENTIAL = 'replay-upstream-credential';

export interface ReplayFailure {
  readonly name: string;
  readonly problems: readonly string[];
}

/** What came of the recordings of one provider folder. */
export interface ProviderReport {
  replayed: number;
  ok: number;
  readonly failures: ReplayFailure[];
  readonly excluded: ReadonlyMap<string, number>;
}

export type ReplayReport = ReadonlyMap<string, ProviderReport>;

/** Replays every recording of a folder through a real gateway process; `schema` additionally judges each answer. */
export async function replay(folder: RecordedFolder, schema?: PublicSchema): Promise<ReplayReport> {
  const report = emptyReport(folder);
  const upstream = new ReplayUpstream();
  const origin = await upstream.listen();
  const gateway = await startGateway({ config: configFor(folder.recordings, origin) });
  try {
    const caller = new ReplayCaller(gateway.data, API_KEY);
    for (const [index, recording] of folder.recordings.entries()) {
      const problems = await replayOne(recording, { caller, upstream, model: modelName(index), schema });
      count(report, recording, problems);
    }
  } finally {
    await gateway.stop();
    await upstream.close();
  }
  return report;
}

interface Stage {
  readonly caller: ReplayCaller;
  readonly upstream: ReplayUpstream;
  readonly model: string;
  readonly schema: PublicSchema | undefined;
}

async function replayOne(recording: Recording, stage: Stage): Promise<string[]> {
  const expected = expectedOf(recording);
  const problems: string[] = [];
  for (const writeBytes of recording.events === undefined ? [undefined] : WRITE_SIZES) {
    stage.upstream.serve(recording, writeBytes);
    const label = writeBytes === undefined ? '' : `in writes of ${writeBytes}: `;
    try {
      const { answer, kind, values } = await stage.caller.ask(recording, stage.model);
      const found = differences(stage.upstream.requests === 0 ? withoutWords(expected) : expected, answer);
      const invalid = values
        .flatMap((value) => stage.schema?.problems(kind, value) ?? [])
        .filter((problem) => !isOwn(recording, problem));
      problems.push(...[...found, ...new Set(invalid)].map((problem) => label + problem));
    } catch (error) {
      problems.push(`${label}${String(error)}`);
    }
    // What the gateway refuses by itself need not reach the provider, who would refuse it too.
    const least = expected.type === 'error' && expected.shown !== undefined && expected.statuses.length > 0 ? 0 : 1;
    if (stage.upstream.requests < least || stage.upstream.requests > 1)
      problems.push(`${label}${stage.upstream.requests} requests reached the provider`);
  }
  return problems;
}

/** What the gateway refuses by itself it refuses in its own words. */
function withoutWords(expected: Expected): Expected {
  return expected.type === 'error' ? { type: 'error', statuses: expected.statuses } : expected;
}

/** Annotations of forms OpenAI does not have are a server's own, and pass as they are. */
function isOwn({ provider }: Recording, problem: string): boolean {
  return provider === 'compat' && problem.includes('/message/annotations/');
}

function emptyReport({ recordings, excluded }: RecordedFolder): Map<string, ProviderReport> {
  const providers = new Set([...recordings.map(({ folder }) => folder), ...excluded.keys()]);
  return new Map(
    [...providers]
      .sort()
      .map((provider) => [
        provider,
        { replayed: 0, ok: 0, failures: [], excluded: excluded.get(provider) ?? new Map<string, number>() },
      ]),
  );
}

function count(report: Map<string, ProviderReport>, { folder, name }: Recording, problems: readonly string[]): void {
  const line = report.get(folder);
  if (line === undefined) return;
  line.replayed += 1;
  if (problems.length === 0) line.ok += 1;
  else line.failures.push({ name, problems });
}

/** One model for each recording, so that no recorded failure cools down another's deployment. */
function modelName(index: number): string {
  return `recording-${index}`;
}

function configFor(recordings: readonly Recording[], origin: string): ConfigDocument {
  const models = recordings.map((recording, index) => [
    modelName(index),
    {
      operation: recording.call === 'embeddings' ? 'embeddings' : 'chat',
      maxAttempts: 1,
      deployments: [{ provider: `${recording.provider}-${index}`, model: recording.model }],
    },
  ]);
  const providers = recordings.map(({ provider, folder }, index) => [
    `${provider}-${index}`,
    SETTINGS[provider](origin, folder),
  ]);
  return {
    server: { host: '127.0.0.1' },
    keys: [{ id: 'replay', secret: API_KEY }],
    providers: Object.fromEntries(providers),
    models: Object.fromEntries(models),
  };
}

/** Servers the gateway knows by name. */
const PRESETS = new Set(['deepseek', 'groq', 'mistral', 'ollama', 'openrouter', 'vllm', 'xai']);

const SETTINGS = {
  anthropic: (origin) => ({ kind: 'anthropic', baseUrl: origin, apiKey: CREDENTIAL }),
  azure: (origin) => ({ kind: 'azure-openai', endpoint: origin, apiKey: CREDENTIAL }),
  bedrock: (origin) => ({
    kind: 'bedrock',
    region: 'us-east-1',
    endpoint: origin,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: CREDENTIAL },
  }),
  compat: (origin, folder) => ({
    kind: 'openai-compatible',
    baseUrl: `${origin}/v1`,
    apiKey: CREDENTIAL,
    ...(PRESETS.has(folder.slice('compat-'.length)) ? { preset: folder.slice('compat-'.length) } : {}),
  }),
  openai: (origin) => ({ kind: 'openai', baseUrl: `${origin}/v1`, apiKey: CREDENTIAL }),
  gemini: (origin) => ({ kind: 'gemini', baseUrl: origin, apiKey: CREDENTIAL }),
  vertex: (origin) => ({
    kind: 'vertex',
    project: 'replay-project',
    endpoint: origin,
    credentials: JSON.stringify({
      type: 'authorized_user',
      client_id: 'replay',
      client_secret: CREDENTIAL,
      refresh_token: CREDENTIAL,
      token_uri: `${origin}${TOKEN_PATH}`,
    }),
  }),
} as const satisfies Record<ReplayProvider, (origin: string, folder: string) => Readonly<Record<string, unknown>>>;
