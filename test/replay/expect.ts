import { isRecord, type Json, type JsonRecord, type Recording } from './recording.ts';

export interface ExpectedCall {
  readonly name: string;
  readonly arguments: Json;
}

/** Counts as OpenAI's usage has them. */
export interface ExpectedUsage {
  readonly prompt: number;
  readonly completion: number;
  readonly total: number;
}

/** What a caller must be told, computed from the recorded JSON alone. */
export type Expected =
  | {
      readonly type: 'chat';
      readonly text: string;
      readonly calls: readonly ExpectedCall[];
      /** Absent = the recording tells none. */
      readonly usage?: ExpectedUsage;
    }
  | { readonly type: 'embeddings'; readonly vectors: readonly (readonly number[])[]; readonly promptTokens?: number }
  /** Statuses that make sense for the recorded one; none = the error comes inside a stream that began well. */
  | { readonly type: 'error'; readonly statuses: readonly number[] };

export function expectedOf(recording: Recording): Expected {
  const body = record(recording.body);
  const isRefusal = recording.status >= 400 || (recording.provider === 'azure' && isRecord(body['error']));
  if (recording.events?.some(({ payload }) => isRecord(payload['error']))) return { type: 'error', statuses: [] };
  if (isRefusal) return { type: 'error', statuses: statusesFor(recording) };
  if (recording.call === 'embeddings') return EMBEDDINGS[recording.provider](recording, body);
  return CHATS[recording.provider](recording, body);
}

/** 400 can be the caller's fault, or a deployment the provider does not know; the gateway's own credential is a 502. */
function statusesFor({ status }: Recording): readonly number[] {
  if (status === 400 || status === 413 || status === 422) return [status, 502];
  if (status === 429) return [429];
  if (status === 503 || status === 529) return [503];
  return status === 408 || status === 504 ? [504] : [502];
}

const CHATS = {
  anthropic: anthropicChat,
  azure: azureChat,
  bedrock: bedrockChat,
  compat: azureChat,
  gemini: geminiChat,
  openai: azureChat,
  vertex: vertexChat,
} as const;
const EMBEDDINGS = {
  anthropic: noEmbeddings,
  azure: azureEmbeddings,
  bedrock: bedrockEmbeddings,
  compat: azureEmbeddings,
  gemini: geminiEmbeddings,
  openai: azureEmbeddings,
  vertex: vertexEmbeddings,
} as const;

function record(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

function list(value: unknown): JsonRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function azureChat({ events }: Recording, body: JsonRecord): Expected {
  return events === undefined ? azureWhole(body) : azureStream(events.map(({ payload }) => payload));
}

function azureWhole(body: JsonRecord): Expected {
  const message = record(list(body['choices'])[0]?.['message']);
  const calls = list(message['tool_calls']).map((call) => azureCall(record(call['function'])));
  return { type: 'chat', text: text(message['content']), calls, ...azureUsage(body['usage']) };
}

function azureStream(chunks: readonly JsonRecord[]): Expected {
  const calls: { name: string; arguments: string }[] = [];
  let content = '';
  for (const delta of chunks.flatMap((chunk) => list(chunk['choices']).map((choice) => record(choice['delta'])))) {
    content += text(delta['content']);
    for (const call of list(delta['tool_calls'])) {
      const open = (calls[count(call['index'])] ??= { name: '', arguments: '' });
      open.name += text(record(call['function'])['name']);
      open.arguments += text(record(call['function'])['arguments']);
    }
  }
  const usage = chunks.findLast((chunk) => isRecord(chunk['usage']))?.['usage'];
  return { type: 'chat', text: content, calls: calls.map(azureCall), ...azureUsage(usage) };
}

function azureCall(call: { readonly name?: Json | undefined; readonly arguments?: Json | undefined }): ExpectedCall {
  return { name: text(call.name), arguments: JSON.parse(text(call.arguments) || '{}') as Json };
}

function azureUsage(value: unknown): { usage?: ExpectedUsage } {
  if (!isRecord(value)) return {};
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = value;
  return { usage: { prompt: count(prompt), completion: count(completion), total: count(total) } };
}

function azureEmbeddings(_recording: Recording, body: JsonRecord): Expected {
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

function bedrockChat({ events }: Recording, body: JsonRecord): Expected {
  if (events !== undefined) return bedrockStream(events);
  const blocks = list(record(record(body['output'])['message'])['content']);
  const calls = blocks.flatMap(({ toolUse }) =>
    isRecord(toolUse) ? [{ name: text(toolUse['name']), arguments: toolUse['input'] ?? {} }] : [],
  );
  const content = blocks.map((block) => text(block['text']) + citedText(block['citationsContent'])).join('');
  return { type: 'chat', text: content, calls, ...bedrockUsage(body['usage']) };
}

function citedText(citations: unknown): string {
  return list(record(citations)['content'])
    .map((entry) => text(entry['text']))
    .join('');
}

function bedrockStream(events: NonNullable<Recording['events']>): Expected {
  const open = new Map<number, { name: string; input: string }>();
  let content = '';
  let usage: unknown;
  for (const { name, payload } of events) {
    const index = count(payload['contentBlockIndex']);
    if (name === 'contentBlockStart') {
      const started = record(payload['start'])['toolUse'];
      if (isRecord(started)) open.set(index, { name: text(started['name']), input: '' });
    } else if (name === 'contentBlockDelta') {
      const delta = record(payload['delta']);
      content += text(delta['text']);
      const call = open.get(index);
      if (call !== undefined) call.input += text(record(delta['toolUse'])['input']);
    } else if (name === 'metadata') {
      usage = payload['usage'];
    }
  }
  const calls = [...open.values()].map(({ name, input }) => ({ name, arguments: JSON.parse(input || '{}') as Json }));
  return { type: 'chat', text: content, calls, ...bedrockUsage(usage) };
}

function bedrockUsage(value: unknown): { usage?: ExpectedUsage } {
  if (!isRecord(value)) return {};
  const prompt =
    count(value['inputTokens']) + count(value['cacheReadInputTokens']) + count(value['cacheWriteInputTokens']);
  return { usage: { prompt, completion: count(value['outputTokens']), total: count(value['totalTokens']) } };
}

function bedrockEmbeddings({ headers }: Recording, body: JsonRecord): Expected {
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

function geminiChat({ events }: Recording, body: JsonRecord): Expected {
  const answers = events === undefined ? [body] : events.map(({ payload }) => payload);
  const parts = answers.flatMap((answer) => list(record(list(answer['candidates'])[0]?.['content'])['parts']));
  const content = parts.filter((part) => part['thought'] !== true).map((part) => text(part['text']));
  const calls = parts.flatMap(({ functionCall }) =>
    isRecord(functionCall) ? [{ name: text(functionCall['name']), arguments: functionCall['args'] ?? {} }] : [],
  );
  const usage = answers.findLast((answer) => record(answer['usageMetadata'])['totalTokenCount'] !== undefined);
  return { type: 'chat', text: content.join(''), calls, ...geminiUsage(usage?.['usageMetadata']) };
}

/** The publisher's own wire. */
function vertexChat(recording: Recording, body: JsonRecord): Expected {
  return recording.model.startsWith('claude') ? anthropicChat(recording, body) : geminiChat(recording, body);
}

function vertexEmbeddings(_recording: Recording, body: JsonRecord): Expected {
  const entries = list(body['predictions']).map(({ embeddings }) => record(embeddings));
  const counts = entries.map(({ statistics }) => count(record(statistics)['token_count']));
  return {
    type: 'embeddings',
    vectors: entries.map(({ values }) => values as number[]),
    promptTokens: counts.reduce((sum, tokens) => sum + tokens, 0),
  };
}

function geminiUsage(value: unknown): { usage?: ExpectedUsage } {
  if (!isRecord(value)) return {};
  return {
    usage: {
      prompt: count(value['promptTokenCount']) + count(value['toolUsePromptTokenCount']),
      completion: count(value['candidatesTokenCount']) + count(value['thoughtsTokenCount']),
      total: count(value['totalTokenCount']),
    },
  };
}

function geminiEmbeddings(_recording: Recording, body: JsonRecord): Expected {
  const entries = isRecord(body['embedding']) ? [body['embedding']] : list(body['embeddings']);
  const prompt = record(body['usageMetadata'])['promptTokenCount'];
  return {
    type: 'embeddings',
    vectors: entries.map(({ values }) => values as number[]),
    ...(typeof prompt === 'number' ? { promptTokens: prompt } : {}),
  };
}

function anthropicChat({ events }: Recording, body: JsonRecord): Expected {
  if (events !== undefined) return anthropicStream(events.map(({ payload }) => payload));
  const blocks = list(body['content']);
  const calls = blocks
    .filter(({ type }) => type === 'tool_use')
    .map(({ name, input }) => ({ name: text(name), arguments: input ?? {} }));
  const content = blocks.filter(({ type }) => type === 'text').map((block) => text(block['text']));
  return { type: 'chat', text: content.join(''), calls, ...anthropicUsage(record(body['usage'])) };
}

function anthropicStream(events: readonly JsonRecord[]): Expected {
  const open = new Map<number, { name: string; input: string }>();
  let content = '';
  let usage: JsonRecord = {};
  for (const event of events) {
    const delta = record(event['delta']);
    const block = record(event['content_block']);
    const call = open.get(count(event['index']));
    if (block['type'] === 'tool_use') open.set(count(event['index']), { name: text(block['name']), input: '' });
    if (delta['type'] === 'text_delta') content += text(delta['text']);
    if (delta['type'] === 'input_json_delta' && call !== undefined) call.input += text(delta['partial_json']);
    usage = { ...usage, ...record(record(event['message'])['usage']), ...record(event['usage']) };
  }
  const calls = [...open.values()].map(({ name, input }) => ({ name, arguments: JSON.parse(input || '{}') as Json }));
  return { type: 'chat', text: content, calls, ...anthropicUsage(usage) };
}

function anthropicUsage(usage: JsonRecord): { usage?: ExpectedUsage } {
  const { input_tokens: input, output_tokens: output } = usage;
  const prompt = count(input) + count(usage['cache_read_input_tokens']) + count(usage['cache_creation_input_tokens']);
  return { usage: { prompt, completion: count(output), total: prompt + count(output) } };
}

function noEmbeddings(): Expected {
  return { type: 'embeddings', vectors: [] };
}
