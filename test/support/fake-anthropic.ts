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

/** What `x-api-key`, or a bearer token, must be. */
export const FAKE_ANTHROPIC_KEY = 'sk-ant-test-key';

const REQUEST_ID = 'req_011CFakeRequest';
const JSON_HEADERS = { 'content-type': 'application/json', 'request-id': REQUEST_ID };
const SSE_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': REQUEST_ID };
const STOP_REASONS = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
} as const;

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** The error of a prompt longer than the model's window. */
export const ANTHROPIC_CONTEXT_LENGTH: Failure = {
  status: 400,
  message: 'prompt is too long: 210000 tokens > 200000 maximum',
};

/** The Messages API on loopback: whole answers, streams and token counts; key and version are checked. */
export class FakeAnthropic extends FakeUpstream {
  protected modelOf(_path: string, json: unknown): string | undefined {
    return (json as { model?: string } | undefined)?.model;
  }

  protected answer({ path, headers, json }: FakeRecord, script: Script): WireAnswer {
    const key = headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '');
    if (key !== FAKE_ANTHROPIC_KEY) return failure({ status: 401, message: 'invalid x-api-key' });
    if (headers['anthropic-version'] === undefined) {
      return failure({ status: 400, message: 'anthropic-version: header is required' });
    }
    if (script.failure !== undefined) return failure(script.failure);
    const reply = script.reply ?? {};
    const [route] = path.split('?');
    if (route === '/v1/messages/count_tokens') return counted(reply);
    if (route !== '/v1/messages') return failure({ status: 404, message: 'Not found' });
    const body = (json ?? {}) as { stream?: boolean; max_tokens?: number };
    if (body.max_tokens === undefined) return failure({ status: 400, message: 'max_tokens: Field required' });
    return body.stream === true ? stream(reply) : whole(reply);
  }
}

function failure({ status, code, message, retryAfter, headers, body }: Failure): WireAnswer {
  const error = {
    type: code ?? ERROR_TYPES[status] ?? 'api_error',
    message: message ?? `The fake answers ${status}.`,
    details: null,
  };
  const told = body ?? { type: 'error', error, request_id: REQUEST_ID };
  const bytes = Buffer.from(typeof told === 'string' ? told : JSON.stringify(told));
  const wait: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
  return { status, headers: { ...JSON_HEADERS, ...wait, ...headers }, pieces: [bytes] };
}

function counted(reply: Reply): WireAnswer {
  const body = { input_tokens: replyUsage(reply)?.promptTokens ?? 0 };
  return { status: 200, headers: JSON_HEADERS, pieces: [Buffer.from(JSON.stringify(body))] };
}

/** Cache reads and writes are no part of `input_tokens`. */
function wireUsage(reply: Reply): unknown {
  if ('rawUsage' in reply) return reply.rawUsage;
  const usage = replyUsage(reply);
  if (usage === null) return undefined;
  const { promptTokens, cachedPromptTokens, cacheWriteTokens, completionTokens, reasoningTokens } = usage;
  return {
    input_tokens: promptTokens - cachedPromptTokens - cacheWriteTokens,
    cache_read_input_tokens: cachedPromptTokens,
    cache_creation_input_tokens: cacheWriteTokens,
    output_tokens: completionTokens,
    output_tokens_details: { thinking_tokens: reasoningTokens },
    service_tier: 'standard',
  };
}

function stopReasonOf(reply: Reply): string {
  return STOP_REASONS[reply.finishReason ?? (reply.toolCalls === undefined ? 'stop' : 'tool-calls')];
}

function message(reply: Reply, content: unknown[], usage: unknown): object {
  const { id = 'msg_fake', model = 'claude-sonnet-4-20250514' } = reply;
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: null,
    stop_sequence: null,
    ...(usage === undefined ? {} : { usage }),
  };
}

function whole(reply: Reply): WireAnswer {
  const text = replyText(reply);
  const content = [
    ...(reply.reasoning === undefined
      ? []
      : [{ type: 'thinking', thinking: reply.reasoning, signature: 'c2lnbmF0dXJl' }]),
    ...(text === '' ? [] : [{ type: 'text', text, citations: null }]),
    ...(reply.toolCalls ?? []).map(({ id, name, arguments: json }) => ({
      type: 'tool_use',
      id,
      name,
      input: JSON.parse(json) as unknown,
    })),
  ];
  const answer = { ...message(reply, content, wireUsage(reply)), stop_reason: stopReasonOf(reply) };
  const tokens = replyUsage(reply)?.completionTokens ?? 0;
  return { status: 200, headers: JSON_HEADERS, pieces: [Buffer.from(JSON.stringify(answer))], tokens: [tokens] };
}

/** An event of a stream as bytes. */
export function messagesEvent(event: { readonly type: string }): Buffer {
  return Buffer.from(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

interface Event {
  readonly event: { readonly type: string };
  readonly tokens: number;
}

function stream(reply: Reply): WireAnswer {
  const usage = wireUsage(reply);
  const isObject = typeof usage === 'object' && usage !== null;
  const begun = isObject ? { ...usage, output_tokens: 1 } : usage;
  const events: Event[] = [
    { event: start(message(reply, [], begun)), tokens: 0 },
    ...blocks(reply).flatMap(({ block, deltas }, index) => [
      { event: { type: 'content_block_start', index, content_block: block } as Event['event'], tokens: 0 },
      ...(index === 0 ? [{ event: { type: 'ping' }, tokens: 0 }] : []),
      ...deltas.map((delta) => ({
        event: { type: 'content_block_delta', index, delta } as Event['event'],
        tokens: 1,
      })),
      { event: { type: 'content_block_stop', index } as Event['event'], tokens: 0 },
    ]),
    {
      event: {
        type: 'message_delta',
        delta: { stop_reason: stopReasonOf(reply), stop_sequence: null },
        ...(usage === undefined ? {} : { usage }),
      } as Event['event'],
      tokens: 0,
    },
    { event: { type: 'message_stop' }, tokens: 0 },
  ];
  return {
    status: 200,
    headers: SSE_HEADERS,
    pieces: events.map(({ event }) => messagesEvent(event)),
    tokens: events.map(({ tokens }) => tokens),
    chunked: true,
  };
}

function start(begun: object): Event['event'] {
  return { type: 'message_start', message: begun } as Event['event'];
}

interface Block {
  readonly block: object;
  readonly deltas: readonly object[];
}

function blocks(reply: Reply): Block[] {
  const all: Block[] = [];
  if (reply.reasoning !== undefined) {
    const words = reply.reasoning.split(/(?<= )/).map((thinking) => ({ type: 'thinking_delta', thinking }));
    all.push({
      block: { type: 'thinking', thinking: '', signature: '' },
      deltas: [...words, { type: 'signature_delta', signature: 'c2lnbmF0dXJl' }],
    });
  }
  const deltas = replyDeltas(reply);
  if (deltas.length > 0) {
    all.push({ block: { type: 'text', text: '' }, deltas: deltas.map((text) => ({ type: 'text_delta', text })) });
  }
  for (const { id, name, arguments: json } of reply.toolCalls ?? []) {
    const half = json.length >> 1;
    const pieces = json === '{}' ? [''] : ['', json.slice(0, half), json.slice(half)];
    all.push({
      block: { type: 'tool_use', id, name, input: {} },
      deltas: pieces.map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
    });
  }
  return all;
}
