import { replyDeltas, replyText, replyUsage, type Failure, type Reply } from './fake-upstream.ts';
import type { WireAnswer } from './fake-wire.ts';

const CREATED = 1_790_000_000;
const FINISH = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
} as const;

/** In what servers of OpenAI's wire differ. */
export interface WireHabits {
  /** Response headers beyond the content type. */
  readonly headers: Readonly<Record<string, string>>;
  /** Fields every choice has beyond OpenAI's. */
  readonly choice: object;
  /** Fields every whole answer has beyond OpenAI's. */
  readonly answer: object;
  /** An event before the first of the answer; absent = none. */
  readonly firstEvent?: unknown;
  readonly reasoningField: 'reasoning_content' | 'reasoning';
  /** When a stream tells its usage: when asked, or always, in the last event with a choice or under `x_groq` there. */
  readonly usage: 'asked' | 'last-content' | 'x_groq';
  /** Whether a stream ends with its mark. */
  readonly done: boolean;
  /** Whether tool calls have ids and a type. */
  readonly callIds: boolean;
}

/** As OpenAI does it. */
export const OPENAI_HABITS: WireHabits = {
  headers: {},
  choice: {},
  answer: { system_fingerprint: 'fp_fake' },
  reasoningField: 'reasoning_content',
  usage: 'asked',
  done: true,
  callIds: true,
};

/** What the fakes read of a request. */
export interface WireBody {
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly model?: string;
  readonly input?: string | readonly unknown[];
  readonly encoding_format?: string;
}

function headersOf({ headers }: WireHabits, type: string): Record<string, string> {
  return { 'content-type': type, ...headers };
}

export function failureAnswer(
  { status, code, message, retryAfter, headers, body }: Failure,
  habits: WireHabits,
): WireAnswer {
  const error = { code: code ?? String(status), message: message ?? `The fake answers ${status}.` };
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? { error }));
  const wait: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  return { status, headers: { ...headersOf(habits, 'application/json'), ...wait, ...headers }, pieces: [bytes] };
}

/** The answer to a chat call, whole or as a stream. */
export function chatAnswer(reply: Reply, body: WireBody, habits: WireHabits): WireAnswer {
  return body.stream === true ? streamAnswer(reply, body, habits) : wholeAnswer(reply, habits);
}

function wireUsage(reply: Reply): unknown {
  if ('rawUsage' in reply) return reply.rawUsage;
  const usage = replyUsage(reply);
  if (usage === null) return undefined;
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedPromptTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

function finishOf(reply: Reply): string {
  return FINISH[reply.finishReason ?? (reply.toolCalls === undefined ? 'stop' : 'tool-calls')];
}

function wholeAnswer(reply: Reply, habits: WireHabits): WireAnswer {
  const toolCalls = reply.toolCalls?.map(({ id, name, arguments: text }) => ({
    ...(habits.callIds ? { id, type: 'function' } : {}),
    function: { name, arguments: text },
  }));
  const text = replyText(reply);
  const message = {
    role: 'assistant',
    content: text === '' ? null : text,
    refusal: reply.refusal ?? null,
    ...(reply.reasoning === undefined ? {} : { [habits.reasoningField]: reply.reasoning }),
    ...(toolCalls === undefined ? {} : { tool_calls: toolCalls }),
  };
  const choices = Array.from({ length: reply.choices ?? 1 }, (_, index) => ({
    index,
    message,
    finish_reason: finishOf(reply),
    logprobs: null,
    ...habits.choice,
  }));
  const { id = 'chatcmpl-fake', model = 'gpt-4o-2024-11-20' } = reply;
  const usage = wireUsage(reply);
  const told = usage === undefined ? {} : { usage };
  const answer = { id, object: 'chat.completion', created: CREATED, model, choices, ...habits.answer, ...told };
  return {
    status: 200,
    headers: headersOf(habits, 'application/json'),
    pieces: [Buffer.from(JSON.stringify(answer))],
    tokens: [replyUsage(reply)?.completionTokens ?? 0],
  };
}

/** An event of a stream as bytes. */
export function sseEvent(value: unknown): Buffer {
  return Buffer.from(`data: ${JSON.stringify(value)}\n\n`);
}

interface Event {
  readonly value: unknown;
  readonly tokens: number;
}

function streamAnswer(reply: Reply, body: WireBody, habits: WireHabits): WireAnswer {
  const isAsked = body.stream_options?.include_usage === true;
  const usageNull = isAsked && habits.usage === 'asked' ? { usage: null } : {};
  const { id = 'chatcmpl-fake', model = 'gpt-4o-2024-11-20' } = reply;
  const head = { created: CREATED, id, model, object: 'chat.completion.chunk', system_fingerprint: 'fp_fake' };
  const chunk = (choices: unknown[], more: object = usageNull): unknown => ({ choices, ...head, ...more });
  const events: Event[] = habits.firstEvent === undefined ? [] : [{ value: habits.firstEvent, tokens: 0 }];
  const count = reply.choices ?? 1;
  for (const { delta, tokens } of deltas(reply, habits)) {
    for (let index = 0; index < count; index += 1) {
      const value = chunk([{ index, delta, finish_reason: null, logprobs: null, ...habits.choice }]);
      events.push({ value, tokens });
    }
  }
  const usage = wireUsage(reply);
  for (let index = 0; index < count; index += 1) {
    const choice = { index, delta: {}, finish_reason: finishOf(reply), logprobs: null };
    const isLast = index === count - 1 && usage !== undefined;
    events.push({ value: chunk([choice], isLast ? lastWithUsage(usage, habits, usageNull) : usageNull), tokens: 0 });
  }
  if (habits.usage === 'asked' && isAsked && usage !== undefined) {
    events.push({ value: chunk([], { usage }), tokens: 0 });
  }
  const pieces = events.map(({ value }) => sseEvent(value));
  if (habits.done) pieces.push(Buffer.from('data: [DONE]\n\n'));
  const headers = headersOf(habits, 'text/event-stream; charset=utf-8');
  return { status: 200, headers, pieces, tokens: events.map(({ tokens }) => tokens), chunked: true };
}

function lastWithUsage(usage: unknown, habits: WireHabits, otherwise: object): object {
  if (habits.usage === 'last-content') return { usage };
  return habits.usage === 'x_groq' ? { x_groq: { id: 'req_fake', usage } } : otherwise;
}

function deltas(reply: Reply, habits: WireHabits): { delta: unknown; tokens: number }[] {
  const all: { delta: unknown; tokens: number }[] = [
    { delta: { role: 'assistant', content: '', refusal: null }, tokens: 0 },
  ];
  const text = (field: string, value: string): void => void all.push({ delta: { [field]: value }, tokens: 1 });
  for (const word of reply.reasoning?.split(/(?<= )/) ?? []) text(habits.reasoningField, word);
  for (const word of replyDeltas(reply)) text('content', word);
  for (const word of reply.refusal?.split(/(?<= )/) ?? []) text('refusal', word);
  reply.toolCalls?.forEach(({ id, name }, index) => {
    const known = habits.callIds ? { id, type: 'function' } : {};
    all.push({ delta: { tool_calls: [{ index, ...known, function: { name, arguments: '' } }] }, tokens: 1 });
  });
  // The arguments of parallel calls come interleaved, so that only their index tells them apart.
  const halves = reply.toolCalls?.map(({ arguments: json }) => [
    json.slice(0, json.length >> 1),
    json.slice(json.length >> 1),
  ]);
  for (const half of [0, 1]) {
    halves?.forEach((parts, index) => {
      all.push({ delta: { tool_calls: [{ index, function: { arguments: parts[half] } }] }, tokens: 1 });
    });
  }
  return all;
}

/** The answer to an embeddings call. */
export function embeddingsAnswer(reply: Reply, body: WireBody, habits: WireHabits): WireAnswer {
  const inputs = typeof body.input === 'string' ? 1 : countInputs(body.input ?? []);
  const vectors = reply.vectors ?? Array.from({ length: inputs }, (_, index) => [index + 0.5, -0.25, 0.125]);
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: body.encoding_format === 'base64' ? base64(vector) : vector,
  }));
  const usage = replyUsage(reply);
  const told = usage === null ? {} : { usage: { prompt_tokens: usage.promptTokens, total_tokens: usage.promptTokens } };
  const answer = { object: 'list', data, model: reply.model ?? 'text-embedding-3-large', ...told };
  const pieces = [Buffer.from(JSON.stringify(answer))];
  return { status: 200, headers: headersOf(habits, 'application/json'), pieces };
}

/** One list of token ids is one input. */
function countInputs(input: readonly unknown[]): number {
  return typeof input[0] === 'number' ? 1 : input.length;
}

function base64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, index) => bytes.writeFloatLE(value, index * 4));
  return bytes.toString('base64');
}
