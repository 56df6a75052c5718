import { anthropicChat } from './expect-anthropic.ts';
import { expectedEmbeddings } from './expect-embeddings.ts';
import { expectedBreak, expectedRefusal } from './expect-error.ts';
import { finishOf } from './expect-finish.ts';
import { count, list, record, text } from './json.ts';
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
  /** Part of `prompt`. */
  readonly cached: number;
  /** Part of `completion`. */
  readonly reasoning: number;
}

export type ExpectedFinish = 'stop' | 'length' | 'tool_calls' | 'function_call' | 'content_filter';

export interface ExpectedChat {
  readonly type: 'chat';
  readonly text: string;
  /** Thinking the provider let be read; '' = none. */
  readonly reasoning: string;
  readonly calls: readonly ExpectedCall[];
  readonly finishReason: ExpectedFinish;
  /** Absent = the recording tells none. */
  readonly usage?: ExpectedUsage;
}

export interface ExpectedEmbeddings {
  readonly type: 'embeddings';
  readonly vectors: readonly (readonly number[])[];
  readonly promptTokens?: number;
}

export interface ExpectedError {
  readonly type: 'error';
  /** Statuses that make sense for the recorded one; none = the error comes inside a stream that began well. */
  readonly statuses: readonly number[];
  /** What the caller must be told, where the request was at fault; fields left out are not compared. */
  readonly shown?: {
    readonly message: string;
    readonly param?: string;
    readonly code?: string;
    readonly innererror?: JsonRecord;
  };
  /** What the provider told the gateway alone. */
  readonly hidden?: string;
  /** Whole seconds; absent = none told. */
  readonly retryAfterSeconds?: number;
}

/** What a caller must be told, computed from the recorded JSON alone. */
export type Expected = ExpectedChat | ExpectedEmbeddings | ExpectedError;

export function expectedOf(recording: Recording): Expected {
  const body = record(recording.body);
  const broken = expectedBreak(recording.events ?? []);
  if (broken !== undefined) return broken;
  const isRefusal = recording.status >= 400 || (recording.provider === 'azure' && isRecord(body['error']));
  if (isRefusal) return expectedRefusal(recording);
  return recording.call === 'embeddings' ? expectedEmbeddings(recording) : CHATS[recording.provider](recording, body);
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

function azureChat({ events }: Recording, body: JsonRecord): ExpectedChat {
  return events === undefined ? azureWhole(body) : azureStream(events.map(({ payload }) => payload));
}

function azureWhole(body: JsonRecord): ExpectedChat {
  const choice = record(list(body['choices'])[0]);
  const message = record(choice['message']);
  const calls = list(message['tool_calls']).map((call) => azureCall(record(call['function'])));
  return {
    type: 'chat',
    ...azureSaid(message),
    calls,
    finishReason: finishOf(choice['finish_reason'], calls),
    ...azureUsage(body['usage']),
  };
}

function azureStream(chunks: readonly JsonRecord[]): ExpectedChat {
  const calls: { name: string; arguments: string }[] = [];
  const choices = chunks.flatMap((chunk) => list(chunk['choices']));
  const said = choices.map(({ delta }) => azureSaid(record(delta)));
  for (const delta of choices.map((choice) => record(choice['delta']))) {
    for (const call of list(delta['tool_calls'])) {
      const open = (calls[count(call['index'])] ??= { name: '', arguments: '' });
      open.name += text(record(call['function'])['name']);
      open.arguments += text(record(call['function'])['arguments']);
    }
  }
  const usage = chunks.findLast((chunk) => isRecord(chunk['usage']))?.['usage'];
  const reason = choices.findLast((choice) => text(choice['finish_reason']) !== '')?.['finish_reason'];
  return {
    type: 'chat',
    text: said.map((piece) => piece.text).join(''),
    reasoning: said.map(({ reasoning }) => reasoning).join(''),
    calls: calls.map(azureCall),
    finishReason: finishOf(reason, calls),
    ...azureUsage(usage),
  };
}

/** What a message or a delta says; Mistral says it in parts, and thinking among them. */
function azureSaid(holder: JsonRecord): { text: string; reasoning: string } {
  const parts = list(holder['content']);
  const thoughts = parts.flatMap(({ thinking }) => list(thinking));
  const joined = (entries: readonly JsonRecord[]): string => entries.map((entry) => text(entry['text'])).join('');
  return {
    text: text(holder['content']) + joined(parts),
    reasoning: text(holder['reasoning_content'] ?? holder['reasoning']) + joined(thoughts),
  };
}

function azureCall(call: { readonly name?: Json | undefined; readonly arguments?: Json | undefined }): ExpectedCall {
  return { name: text(call.name), arguments: JSON.parse(text(call.arguments) || '{}') as Json };
}

function azureUsage(value: unknown): { usage?: ExpectedUsage } {
  if (!isRecord(value)) return {};
  return {
    usage: {
      prompt: count(value['prompt_tokens']),
      completion: count(value['completion_tokens']),
      total: count(value['total_tokens']),
      cached: count(record(value['prompt_tokens_details'])['cached_tokens']),
      reasoning: count(record(value['completion_tokens_details'])['reasoning_tokens']),
    },
  };
}

function bedrockChat({ events }: Recording, body: JsonRecord): ExpectedChat {
  if (events !== undefined) return bedrockStream(events);
  const blocks = list(record(record(body['output'])['message'])['content']);
  const calls = blocks.flatMap(({ toolUse }) =>
    isRecord(toolUse) ? [{ name: text(toolUse['name']), arguments: toolUse['input'] ?? {} }] : [],
  );
  const content = blocks.map((block) => text(block['text']) + citedText(block['citationsContent'])).join('');
  const thoughts = blocks.map(({ reasoningContent }) => record(record(reasoningContent)['reasoningText']));
  return {
    type: 'chat',
    text: content,
    reasoning: thoughts.map((thought) => text(thought['text'])).join(''),
    calls,
    finishReason: finishOf(body['stopReason'], calls),
    ...bedrockUsage(body['usage']),
  };
}

function citedText(citations: unknown): string {
  return list(record(citations)['content'])
    .map((entry) => text(entry['text']))
    .join('');
}

function bedrockStream(events: NonNullable<Recording['events']>): ExpectedChat {
  const open = new Map<number, { name: string; input: string }>();
  let content = '';
  let reasoning = '';
  let usage: unknown;
  let reason: unknown;
  for (const { name, payload } of events) {
    const index = count(payload['contentBlockIndex']);
    if (name === 'contentBlockStart') {
      const started = record(payload['start'])['toolUse'];
      if (isRecord(started)) open.set(index, { name: text(started['name']), input: '' });
    } else if (name === 'contentBlockDelta') {
      const delta = record(payload['delta']);
      content += text(delta['text']);
      reasoning += text(record(delta['reasoningContent'])['text']);
      const call = open.get(index);
      if (call !== undefined) call.input += text(record(delta['toolUse'])['input']);
    } else if (name === 'metadata') {
      usage = payload['usage'];
    } else if (name === 'messageStop') {
      reason = payload['stopReason'];
    }
  }
  const calls = [...open.values()].map(({ name, input }) => ({ name, arguments: JSON.parse(input || '{}') as Json }));
  const finishReason = finishOf(reason, calls);
  return { type: 'chat', text: content, reasoning, calls, finishReason, ...bedrockUsage(usage) };
}

function bedrockUsage(value: unknown): { usage?: ExpectedUsage } {
  if (!isRecord(value)) return {};
  const cached = count(value['cacheReadInputTokens']);
  const prompt = count(value['inputTokens']) + cached + count(value['cacheWriteInputTokens']);
  const completion = count(value['outputTokens']);
  return { usage: { prompt, completion, total: count(value['totalTokens']), cached, reasoning: 0 } };
}

function geminiChat({ events }: Recording, body: JsonRecord): ExpectedChat {
  const answers = events === undefined ? [body] : events.map(({ payload }) => payload);
  const candidates = answers.map((answer) => record(list(answer['candidates'])[0]));
  const parts = candidates.flatMap(({ content }) => list(record(content)['parts']));
  const said = (isThought: boolean): string =>
    parts
      .filter(({ thought }) => (thought === true) === isThought)
      .map((part) => text(part['text']))
      .join('');
  const calls = parts.flatMap(({ functionCall }) =>
    isRecord(functionCall) ? [{ name: text(functionCall['name']), arguments: functionCall['args'] ?? {} }] : [],
  );
  const usage = answers.findLast((answer) => record(answer['usageMetadata'])['totalTokenCount'] !== undefined);
  const isBlocked = answers.some(({ promptFeedback }) => text(record(promptFeedback)['blockReason']) !== '');
  const reason = candidates.findLast(({ finishReason }) => finishReason !== undefined)?.['finishReason'];
  return {
    type: 'chat',
    text: said(false),
    reasoning: said(true),
    calls,
    finishReason: finishOf(reason ?? (isBlocked ? 'SAFETY' : undefined), calls),
    ...geminiUsage(usage?.['usageMetadata']),
  };
}

/** The publisher's own wire. */
function vertexChat(recording: Recording, body: JsonRecord): ExpectedChat {
  return recording.model.startsWith('claude') ? anthropicChat(recording, body) : geminiChat(recording, body);
}

function geminiUsage(value: unknown): { usage?: ExpectedUsage } {
  if (!isRecord(value)) return {};
  return {
    usage: {
      prompt: count(value['promptTokenCount']) + count(value['toolUsePromptTokenCount']),
      completion: count(value['candidatesTokenCount']) + count(value['thoughtsTokenCount']),
      total: count(value['totalTokenCount']),
      cached: count(value['cachedContentTokenCount']),
      reasoning: count(value['thoughtsTokenCount']),
    },
  };
}
