import {
  FakeUpstream,
  replyDeltas,
  replyUsage,
  type FakeRecord,
  type Failure,
  type Reply,
  type Script,
} from './fake-upstream.ts';
import type { WireAnswer } from './fake-wire.ts';

/** The key the fake accepts unless told another. */
export const FAKE_GEMINI_KEY = 'fake-gemini-key';

const PATH = /^\/v1(?:beta|alpha)?\/((?:models|tunedModels)\/[^/:?]+):([A-Za-z]+)(\?.*)?$/;

const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

const FINISH_REASONS = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  'tool-calls': 'STOP',
  'content-filter': 'SAFETY',
} as const;

type Part = Readonly<Record<string, unknown>>;

/**
 * The Gemini API on loopback: generateContent, streamGenerateContent (SSE with CRLF), countTokens, embedContent and
 * batchEmbedContents. Keys are checked as the real API does it: a missing one is a 403, a wrong one a 400.
 */
export class FakeGemini extends FakeUpstream {
  private readonly apiKey: string;

  constructor(apiKey: string = FAKE_GEMINI_KEY) {
    super();
    this.apiKey = apiKey;
  }

  protected override modelOf(path: string): string | undefined {
    return PATH.exec(path)?.[1]?.replace(/^models\//, '');
  }

  protected override answer(record: FakeRecord, script: Script): WireAnswer {
    const refusal = this.refusal(record);
    if (refusal !== undefined) return refusal;
    if (script.failure !== undefined) return failureAnswer(script.failure);
    const reply = script.reply ?? {};
    const task = PATH.exec(record.path)?.[2];
    switch (task) {
      case 'generateContent':
        return whole(wholeAnswer(reply, record.model), replyUsage(reply)?.completionTokens ?? 0);
      case 'streamGenerateContent':
        return streamAnswer(reply, record);
      case 'countTokens':
        return whole({ totalTokens: replyUsage(reply)?.promptTokens ?? 0 });
      case 'embedContent':
        return whole({ embedding: { values: vectors(reply, 1)[0] } });
      case 'batchEmbedContents':
        return whole(batchAnswer(reply, record.json));
      default:
        return failureAnswer({ status: 404 });
    }
  }

  private refusal(record: FakeRecord): WireAnswer | undefined {
    if (record.headers.authorization !== undefined) return failureAnswer({ status: 401 });
    const key = record.headers['x-goog-api-key'];
    if (key === undefined) return failureAnswer({ status: 403, message: 'The request is missing a valid API key.' });
    if (key !== this.apiKey) return failureAnswer({ status: 400, body: INVALID_KEY });
    if (!PATH.test(record.path)) return failureAnswer({ status: 404 });
    return record.json === undefined ? failureAnswer({ status: 400, message: 'Invalid JSON payload.' }) : undefined;
  }
}

const INVALID_KEY = {
  error: {
    code: 400,
    message: 'API key not valid. Please pass a valid API key.',
    status: 'INVALID_ARGUMENT',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'API_KEY_INVALID',
        domain: 'googleapis.com',
      },
    ],
  },
};

/** The body of a refusal that names a delay, as the API limits requests. */
export function rateLimited(retryDelay: string): Failure {
  const details = [
    { '@type': 'type.googleapis.com/google.rpc.Help', links: [] },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
  ];
  const message = `You exceeded your current quota. Please retry in ${retryDelay}.`;
  return { status: 429, body: { error: { code: 429, message, status: 'RESOURCE_EXHAUSTED', details } } };
}

/** The answer to a prompt the filter refuses: 200, no candidate, and the tokens it read. */
export function blockedPrompt(reason: string): Readonly<Record<string, unknown>> {
  return {
    promptFeedback: { blockReason: reason },
    usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 },
    modelVersion: 'gemini-2.5-flash',
    responseId: 'blocked-1',
  };
}

/** Events as the API frames them. */
export function geminiEvents(events: readonly unknown[]): Buffer[] {
  return events.map((event) => Buffer.from(`data: ${JSON.stringify(event)}\r\n\r\n`));
}

function failureAnswer(failure: Failure): WireAnswer {
  const { status, retryAfter } = failure;
  const name = failure.code ?? STATUS_NAMES[status] ?? 'UNKNOWN';
  const body = failure.body ?? {
    error: { code: status, message: failure.message ?? `The request failed: ${name}.`, status: name },
  };
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=UTF-8',
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
      ...failure.headers,
    },
    pieces: [Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))],
  };
}

function whole(body: unknown, tokens = 0): WireAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    pieces: [Buffer.from(JSON.stringify(body))],
    tokens: [tokens],
  };
}

function describe(reply: Reply, model: string | undefined): Record<string, unknown> {
  return { modelVersion: reply.model ?? model ?? 'gemini-2.5-flash', responseId: reply.id ?? 'fake-response-1' };
}

function usageMetadata(reply: Reply): Record<string, unknown> {
  if (reply.rawUsage !== undefined) return { usageMetadata: reply.rawUsage };
  const usage = replyUsage(reply);
  if (usage === null) return {};
  const { promptTokens, completionTokens, cachedPromptTokens, reasoningTokens } = usage;
  return {
    usageMetadata: {
      promptTokenCount: promptTokens,
      candidatesTokenCount: completionTokens - reasoningTokens,
      totalTokenCount: promptTokens + completionTokens,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: promptTokens }],
      ...(cachedPromptTokens > 0 ? { cachedContentTokenCount: cachedPromptTokens } : {}),
      ...(reasoningTokens > 0 ? { thoughtsTokenCount: reasoningTokens } : {}),
    },
  };
}

/** Everything said before and after the text; a refusal is text to this API. */
function otherParts(reply: Reply): { readonly before: Part[]; readonly after: Part[] } {
  const refusal = reply.refusal === undefined ? [] : [{ text: reply.refusal }];
  return {
    before: reply.reasoning === undefined ? [] : [{ text: reply.reasoning, thought: true }],
    after: [
      ...refusal,
      ...(reply.toolCalls ?? []).map(({ id, name, arguments: text }) => ({
        functionCall: { ...(id === '' ? {} : { id }), name, args: JSON.parse(text) as unknown },
      })),
    ],
  };
}

function wholeAnswer(reply: Reply, model: string | undefined): Record<string, unknown> {
  const { before, after } = otherParts(reply);
  const text = replyDeltas(reply).join('');
  const parts = [...before, ...(text === '' ? [] : [{ text }]), ...after];
  const finishReason = FINISH_REASONS[reply.finishReason ?? 'stop'];
  const candidates = choices(reply).map((index) => ({ content: { parts, role: 'model' }, finishReason, index }));
  return { candidates, ...usageMetadata(reply), ...describe(reply, model) };
}

function choices(reply: Reply): number[] {
  return Array.from({ length: reply.choices ?? 1 }, (_, index) => index);
}

/** One event for each delta; usage comes with every event, as the API has it, and is whole in the last. */
function streamAnswer(reply: Reply, record: FakeRecord): WireAnswer {
  const { before, after } = otherParts(reply);
  const deltas = replyDeltas(reply).map((text): Part => ({ text }));
  const events = [...before, ...deltas, ...after].flatMap((part) =>
    choices(reply).map((index) => event(reply, record, { content: { parts: [part], role: 'model' }, index })),
  );
  const finishReason = FINISH_REASONS[reply.finishReason ?? 'stop'];
  for (const index of choices(reply)) {
    const candidate = { content: { parts: [{ text: '' }], role: 'model' }, finishReason, index };
    events.push({ ...event(reply, record, candidate), ...usageMetadata(reply) });
  }
  const total = replyUsage(reply)?.completionTokens ?? 0;
  const share = Math.floor(total / events.length);
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    pieces: geminiEvents(events),
    tokens: events.map((_, index) => (index === events.length - 1 ? total - share * index : share)),
    chunked: true,
  };
}

function event(reply: Reply, record: FakeRecord, candidate: Part): Record<string, unknown> {
  const prompt = replyUsage(reply)?.promptTokens;
  const early =
    prompt === undefined || reply.rawUsage !== undefined ? {} : { usageMetadata: { promptTokenCount: prompt } };
  return { candidates: [candidate], ...early, ...describe(reply, record.model) };
}

function batchAnswer(reply: Reply, json: unknown): Record<string, unknown> {
  const { requests = [] } = json as { requests?: unknown[] };
  const usage = replyUsage(reply);
  return {
    embeddings: vectors(reply, requests.length).map((values) => ({ values })),
    ...(usage === null ? {} : { usageMetadata: { promptTokenCount: usage.promptTokens } }),
  };
}

function vectors(reply: Reply, count: number): readonly (readonly number[])[] {
  return reply.vectors ?? Array.from({ length: count }, (_, index) => [index + 0.25, -0.5, 0.125]);
}
