import type { ExpectedEmbeddings } from './expect.ts';
import { count, list, record } from './json.ts';
import { isRecord, type JsonRecord, type Recording, type ReplayProvider } from './recording.ts';

/** The vectors a recorded answer holds. */
export function expectedEmbeddings(recording: Recording): ExpectedEmbeddings {
  return EMBEDDINGS[recording.provider](recording, record(recording.body));
}

const EMBEDDINGS = {
  anthropic: () => ({ type: 'embeddings', vectors: [] }),
  azure: openAIEmbeddings,
  bedrock: bedrockEmbeddings,
  compat: openAIEmbeddings,
  gemini: geminiEmbeddings,
  openai: openAIEmbeddings,
  vertex: vertexEmbeddings,
} as const satisfies Record<ReplayProvider, (recording: Recording, body: JsonRecord) => ExpectedEmbeddings>;

function openAIEmbeddings(_recording: Recording, body: JsonRecord): ExpectedEmbeddings {
  const vectors = list(body['data']).map(({ embedding }) =>
    typeof embedding === 'string' ? floats(embedding) : embedding,
  );
  return {
    type: 'embeddings',
    vectors: vectors as number[][],
    promptTokens: count(record(body['usage'])['prompt_tokens']),
  };
}

function floats(base64: string): number[] {
  const bytes = Buffer.from(base64, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}

function bedrockEmbeddings({ headers }: Recording, body: JsonRecord): ExpectedEmbeddings {
  const single = Array.isArray(body['embedding']) ? [body['embedding']] : undefined;
  const several = Array.isArray(body['embeddings']) ? body['embeddings'] : [];
  const vectors = single ?? several.map((entry) => (isRecord(entry) ? entry['embedding'] : entry));
  const counted = Number(headers['x-amzn-bedrock-input-token-count']);
  return {
    type: 'embeddings',
    vectors: vectors as number[][],
    ...(Number.isNaN(counted) ? {} : { promptTokens: counted }),
  };
}

function geminiEmbeddings(_recording: Recording, body: JsonRecord): ExpectedEmbeddings {
  const entries = isRecord(body['embedding']) ? [body['embedding']] : list(body['embeddings']);
  const prompt = record(body['usageMetadata'])['promptTokenCount'];
  return {
    type: 'embeddings',
    vectors: entries.map(({ values }) => values as number[]),
    ...(typeof prompt === 'number' ? { promptTokens: prompt } : {}),
  };
}

function vertexEmbeddings(_recording: Recording, body: JsonRecord): ExpectedEmbeddings {
  const entries = list(body['predictions']).map(({ embeddings }) => record(embeddings));
  const counts = entries.map(({ statistics }) => count(record(statistics)['token_count']));
  return {
    type: 'embeddings',
    vectors: entries.map(({ values }) => values as number[]),
    promptTokens: counts.reduce((sum, tokens) => sum + tokens, 0),
  };
}
