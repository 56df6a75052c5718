import {
  FakeUpstream,
  replyDeltas,
  replyText,
  replyUsage,
  type FakeRecord,
  type Failure,
  type Reply,
  type Script,
} from './fake-upstream.ts';
import type { WireAnswer } from './fake-wire.ts';

const CREATED = 1_790_000_000;
const JSON_HEADERS = { 'content-type': 'application/json', 'x-ms-region': 'Sweden Central' };
const SSE_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'x-ms-region': 'Sweden Central' };
const FILTER = { hate: { filtered: false, severity: 'safe' }, violence: { filtered: false, severity: 'safe' } };
const FINISH = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
} as const;

/** The error a filtered prompt gets, innererror included. */
export const AZURE_CONTENT_FILTER: Failure = {
  status: 400,
  body: {
    error: {
      message: 'The response was filtered due to the prompt triggering the content management policy.',
      type: null,
      param: 'prompt',
      code: 'content_filter',
      status: 400,
      innererror: {
        code: 'ResponsibleAIPolicyViolation',
        content_filter_result: { hate: { filtered: true, severity: 'high' } },
      },
    },
  },
};

/** The error of a prompt longer than the model's window. */
export const AZURE_CONTEXT_LENGTH: Failure = {
  status: 400,
  code: 'context_length_exceeded',
  message: "This model's maximum context length is 8192 tokens. Please reduce the length of the messages.",
};

interface Body {
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly model?: string;
  readonly input?: string | readonly unknown[];
  readonly encoding_format?: string;
}

/**
 * An Azure OpenAI resource: classic paths with api-version and v1 paths, a key or a bearer token checked, chat and
 * embeddings, and Azure's own first event of a stream.
 */
export class FakeAzureOpenAI extends FakeUpstream {
  /** What `api-key` must be. */
  readonly apiKey: string;
  /** What a bearer token must be; the v1 API takes the key there too. */
  token: string;

  constructor(apiKey = 'azure-test-key', token = 'azure-test-token') {
    super();
    this.apiKey = apiKey;
    this.token = token;
  }

  protected modelOf(path: string, json: unknown): string | undefined {
    const deployment = /^\/openai\/deployments\/([^/]+)\//.exec(path)?.[1];
    if (deployment !== undefined) return decodeURIComponent(deployment);
    return (json as Body | undefined)?.model;
  }

  protected answer(record: FakeRecord, script: Script): WireAnswer {
    if (!this.isAuthentic(record)) {
      return failure({
        status: 401,
        body: { error: { code: '401', message: 'Access denied due to invalid subscription key.' } },
      });
    }
    const operation = operationOf(record.path);
    if (operation === undefined) return failure({ status: 404, code: '404', message: 'Resource not found' });
    if (script.failure !== undefined) return failure(script.failure);
    const body = (record.json ?? {}) as Body;
    const reply = script.reply ?? {};
    if (operation === 'embeddings') return embeddings(reply, body);
    return body.stream === true ? stream(reply, body) : whole(reply);
  }

  private isAuthentic({ headers }: FakeRecord): boolean {
    const { authorization } = headers;
    if (headers['api-key'] !== undefined) return headers['api-key'] === this.apiKey;
    return authorization === `Bearer ${this.token}` || authorization === `Bearer ${this.apiKey}`;
  }
}

function operationOf(path: string): 'chat' | 'embeddings' | undefined {
  const match =
    /^\/openai\/deployments\/[^/]+\/(chat\/completions|embeddings)\?api-version=\d{4}-\d{2}-\d{2}(-preview)?$/.exec(
      path,
    ) ?? /^\/openai\/v1\/(chat\/completions|embeddings)$/.exec(path);
  if (match === null) return undefined;
  return match[1] === 'embeddings' ? 'embeddings' : 'chat';
}

function failure({ status, code, message, retryAfter, headers, body }: Failure): WireAnswer {
  const error = { code: code ?? String(status), message: message ?? `The fake answers ${status}.` };
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? { error }));
  const wait: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  return { status, headers: { ...JSON_HEADERS, ...wait, ...headers }, pieces: [bytes] };
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

function whole(reply: Reply): WireAnswer {
  const toolCalls = reply.toolCalls?.map(({ id, name, arguments: text }) => ({
    id,
    type: 'function',
    function: { name, arguments: text },
  }));
  const text = replyText(reply);
  const message = {
    role: 'assistant',
    content: text === '' ? null : text,
    refusal: reply.refusal ?? null,
    ...(reply.reasoning === undefined ? {} : { reasoning_content: reply.reasoning }),
    ...(toolCalls === undefined ? {} : { tool_calls: toolCalls }),
  };
  const choices = Array.from({ length: reply.choices ?? 1 }, (_, index) => ({
    index,
    message,
    finish_reason: finishOf(reply),
    logprobs: null,
    content_filter_results: FILTER,
  }));
  const { id = 'chatcmpl-fake', model = 'gpt-4o-2024-11-20' } = reply;
  const usage = wireUsage(reply);
  const answer = {
    id,
    object: 'chat.completion',
    created: CREATED,
    model,
    choices,
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: FILTER }],
    system_fingerprint: 'fp_fake',
    ...(usage === undefined ? {} : { usage }),
  };
  const tokens = replyUsage(reply)?.completionTokens ?? 0;
  return { status: 200, headers: JSON_HEADERS, pieces: [Buffer.from(JSON.stringify(answer))], tokens: [tokens] };
}

/** An event of a stream as bytes. */
export function sseEvent(value: unknown): Buffer {
  return Buffer.from(`data: ${JSON.stringify(value)}\n\n`);
}

interface Event {
  readonly value: unknown;
  readonly tokens: number;
}

function stream(reply: Reply, body: Body): WireAnswer {
  const withUsage = body.stream_options?.include_usage === true;
  const usageNull = withUsage ? { usage: null } : {};
  const first = {
    choices: [],
    created: 0,
    id: '',
    model: '',
    object: '',
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: FILTER }],
  };
  const { id = 'chatcmpl-fake', model = 'gpt-4o-2024-11-20' } = reply;
  const chunk = (choices: unknown[], usage: object = usageNull): unknown => ({
    choices,
    created: CREATED,
    id,
    model,
    object: 'chat.completion.chunk',
    system_fingerprint: 'fp_fake',
    ...usage,
  });
  const events: Event[] = [{ value: first, tokens: 0 }];
  for (const { delta, tokens } of deltas(reply)) {
    for (let index = 0; index < (reply.choices ?? 1); index += 1) {
      events.push({
        value: chunk([{ index, delta, finish_reason: null, logprobs: null, content_filter_results: {} }]),
        tokens,
      });
    }
  }
  for (let index = 0; index < (reply.choices ?? 1); index += 1) {
    events.push({ value: chunk([{ index, delta: {}, finish_reason: finishOf(reply), logprobs: null }]), tokens: 0 });
  }
  const usage = wireUsage(reply);
  if (withUsage && usage !== undefined) events.push({ value: chunk([], { usage }), tokens: 0 });
  const pieces = [...events.map(({ value }) => sseEvent(value)), Buffer.from('data: [DONE]\n\n')];
  return { status: 200, headers: SSE_HEADERS, pieces, tokens: events.map(({ tokens }) => tokens), chunked: true };
}

function deltas(reply: Reply): { delta: unknown; tokens: number }[] {
  const all: { delta: unknown; tokens: number }[] = [
    { delta: { role: 'assistant', content: '', refusal: null }, tokens: 0 },
  ];
  const text = (field: string, value: string): void => void all.push({ delta: { [field]: value }, tokens: 1 });
  for (const word of reply.reasoning?.split(/(?<= )/) ?? []) text('reasoning_content', word);
  for (const word of replyDeltas(reply)) text('content', word);
  for (const word of reply.refusal?.split(/(?<= )/) ?? []) text('refusal', word);
  reply.toolCalls?.forEach(({ id, name }, index) => {
    const start = { index, id, type: 'function', function: { name, arguments: '' } };
    all.push({ delta: { tool_calls: [start] }, tokens: 1 });
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

function embeddings(reply: Reply, body: Body): WireAnswer {
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
  return { status: 200, headers: JSON_HEADERS, pieces: [Buffer.from(JSON.stringify(answer))] };
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
