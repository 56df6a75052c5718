import {
  FakeUpstream,
  replyDeltas,
  replyText,
  replyUsage,
  type Failure,
  type FakeRecord,
  type Reply,
  type Script,
} from './fake-upstream.ts';
import { eventFrame } from './fake-event-stream.ts';
import { verifySigV4, type SigningKeys } from './fake-sigv4.ts';
import type { WireAnswer } from './fake-wire.ts';

/** Who may call the fake. */
export interface FakeBedrockAccount {
  readonly region: string;
  readonly keys: SigningKeys;
  /** A Bedrock API key; absent = none is accepted. */
  readonly apiKey?: string;
  /** What AssumeRole gives out, and who may then sign; absent = STS refuses. */
  readonly roles?: readonly FakeRole[];
  /** Further keys that may sign, such as those a container endpoint gives out; absent = none. */
  readonly moreKeys?: readonly SigningKeys[];
}

/** A role of the account. */
export interface FakeRole {
  readonly roleArn: string;
  readonly externalId?: string;
  readonly keys: SigningKeys;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const STREAM_TYPE = { 'content-type': 'application/vnd.amazon.eventstream' };
const STOP_REASONS = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'content_filtered',
} as const;

const EXCEPTIONS = new Map<number, string>([
  [400, 'ValidationException'],
  [403, 'AccessDeniedException'],
  [404, 'ResourceNotFoundException'],
  [408, 'ModelTimeoutException'],
  [424, 'ModelErrorException'],
  [429, 'ThrottlingException'],
  [500, 'InternalServerException'],
  [503, 'ServiceUnavailableException'],
]);

/** Bedrock's runtime: Converse, ConverseStream and InvokeModel for embeddings, CountTokens; every signature is checked. STS beside. */
export class FakeBedrock extends FakeUpstream {
  /** How long the keys AssumeRole gives out are good, in seconds. */
  roleSeconds = 3_600;
  /** True = STS fails, with 500. */
  failRoles = false;
  private readonly account: FakeBedrockAccount;

  constructor(account: FakeBedrockAccount) {
    super();
    this.account = account;
  }

  protected override modelOf(path: string): string | undefined {
    const label = /^\/model\/([^/]+)\//.exec(path)?.[1];
    return label === undefined ? undefined : decodeURIComponent(label);
  }

  protected override answer(record: FakeRecord, script: Script): WireAnswer {
    const form = new URLSearchParams(record.path === '/' ? record.body.toString('utf8') : '');
    if (form.get('Action') === 'AssumeRole') return this.assumeRole(record, form);
    const refusal = this.refuse(record);
    if (refusal !== undefined)
      return failureAnswer({ status: 403, code: 'InvalidSignatureException', message: refusal });
    if (script.failure !== undefined) return failureAnswer(script.failure);
    const reply = script.reply ?? {};
    const action = record.path.slice(record.path.lastIndexOf('/') + 1);
    if (record.method !== 'POST') return failureAnswer({ status: 404, code: 'UnknownOperationException' });
    if (action === 'converse') return converseAnswer(reply);
    if (action === 'converse-stream') return converseStreamAnswer(reply);
    if (action === 'invoke') return invokeAnswer(record, reply);
    if (action === 'count-tokens') return countAnswer(record, reply);
    return failureAnswer({ status: 404, code: 'UnknownOperationException' });
  }

  /** What is wrong with the credential shown; undefined = nothing. */
  private refuse(record: FakeRecord): string | undefined {
    const { region, keys, apiKey, roles = [], moreKeys = [] } = this.account;
    const { authorization } = record.headers;
    if (authorization?.startsWith('Bearer ') === true) {
      return apiKey !== undefined && authorization === `Bearer ${apiKey}` ? undefined : 'the bearer key is unknown';
    }
    const known = [keys, ...moreKeys, ...roles.map((role) => role.keys)];
    return verifySigV4(record, { region, service: 'bedrock', keys: known });
  }

  private assumeRole(record: FakeRecord, form: URLSearchParams): WireAnswer {
    if (this.failRoles) return xml(500, '<ErrorResponse><Error><Code>InternalFailure</Code></Error></ErrorResponse>');
    const { region, keys, roles = [], moreKeys = [] } = this.account;
    const refusal = verifySigV4(record, { region, service: 'sts', keys: [keys, ...moreKeys] });
    const role = roles.find(
      ({ roleArn, externalId }) => form.get('RoleArn') === roleArn && form.get('ExternalId') === (externalId ?? null),
    );
    if (refusal !== undefined || role === undefined) {
      const code = refusal === undefined ? 'AccessDenied' : 'SignatureDoesNotMatch';
      return xml(
        403,
        `<ErrorResponse><Error><Code>${code}</Code><Message>${refusal ?? 'no'}</Message></Error></ErrorResponse>`,
      );
    }
    const expiration = new Date(Date.now() + this.roleSeconds * 1_000).toISOString();
    return xml(
      200,
      '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>' +
        `<AccessKeyId>${role.keys.accessKeyId}</AccessKeyId>` +
        `<SecretAccessKey>${role.keys.secretAccessKey}</SecretAccessKey>` +
        `<SessionToken>${role.keys.sessionToken ?? ''}</SessionToken>` +
        `<Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
    );
  }
}

function xml(status: number, body: string): WireAnswer {
  return { status, headers: { 'content-type': 'text/xml' }, pieces: [Buffer.from(body)] };
}

/** CountTokens: known to foundation models alone, not to inference profiles. */
function countAnswer(record: FakeRecord, reply: Reply): WireAnswer {
  if (/^(us|eu|apac|global)\./.test(record.model ?? '')) {
    return failureAnswer({ status: 400, message: "The provided model doesn't support counting tokens." });
  }
  const body = { inputTokens: replyUsage(reply)?.promptTokens };
  return { status: 200, headers: JSON_TYPE, pieces: [Buffer.from(JSON.stringify(body))] };
}

/** Bedrock's error: the exception's name in a header, the text in the body. */
function failureAnswer(failure: Failure): WireAnswer {
  const name = failure.code ?? EXCEPTIONS.get(failure.status) ?? 'UnknownException';
  const body = failure.body ?? { message: failure.message ?? `scripted ${name}` };
  const retryAfter: Record<string, string> =
    failure.retryAfter === undefined ? {} : { 'retry-after': failure.retryAfter };
  return {
    status: failure.status,
    headers: {
      ...JSON_TYPE,
      'x-amzn-errortype': `${name}:http://internal.amazon.com/coral/com.amazon.bedrock/`,
      ...retryAfter,
      ...failure.headers,
    },
    pieces: [Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))],
  };
}

/** Converse's usage: `inputTokens` leaves out what the cache read or took. */
function wireUsage(reply: Reply): unknown {
  if (reply.rawUsage !== undefined) return reply.rawUsage;
  const usage = replyUsage(reply);
  if (usage === null) return undefined;
  const { promptTokens, completionTokens, cachedPromptTokens, cacheWriteTokens } = usage;
  return {
    inputTokens: promptTokens - cachedPromptTokens - cacheWriteTokens,
    outputTokens: completionTokens,
    totalTokens: promptTokens + completionTokens,
    cacheReadInputTokens: cachedPromptTokens,
    cacheReadInputTokenCount: cachedPromptTokens,
    cacheWriteInputTokens: cacheWriteTokens,
    cacheWriteInputTokenCount: cacheWriteTokens,
    serverToolUsage: {},
  };
}

function stopReason(reply: Reply): string {
  return STOP_REASONS[reply.finishReason ?? (reply.toolCalls === undefined ? 'stop' : 'tool-calls')];
}

function converseAnswer(reply: Reply): WireAnswer {
  const text = replyText(reply) + (reply.refusal ?? '');
  const content = [
    ...(reply.reasoning === undefined
      ? []
      : [{ reasoningContent: { reasoningText: { text: reply.reasoning, signature: 'c2lnbmVk' } } }]),
    ...(text === '' ? [] : [{ text }]),
    ...(reply.toolCalls ?? []).map((call) => ({
      toolUse: { toolUseId: call.id, name: call.name, input: JSON.parse(call.arguments || '{}') as unknown },
    })),
  ];
  const body = {
    metrics: { latencyMs: 42 },
    output: { message: { role: 'assistant', content } },
    stopReason: stopReason(reply),
    usage: wireUsage(reply),
  };
  const tokens = [replyUsage(reply)?.completionTokens ?? 0];
  return {
    status: 200,
    headers: { ...JSON_TYPE, ...requestId(reply) },
    pieces: [Buffer.from(JSON.stringify(body))],
    tokens,
  };
}

function requestId(reply: Reply): Record<string, string> {
  return reply.id === undefined ? {} : { 'x-amzn-requestid': reply.id };
}

function converseStreamAnswer(reply: Reply): WireAnswer {
  const events = converseEvents(reply);
  return {
    status: 200,
    headers: { ...STREAM_TYPE, ...requestId(reply) },
    pieces: events.map(([type, payload], index) => eventFrame(type, { ...payload, p: padding(index) })),
    tokens: events.map(([type]) => (type === 'contentBlockDelta' ? 1 : 0)),
    chunked: true,
  };
}

type Event = readonly [type: string, payload: Record<string, unknown>];

/** The events of a reply, as Bedrock orders them: a start for tools only, metadata last. */
export function converseEvents(reply: Reply): Event[] {
  const events: Event[] = [['messageStart', { role: 'assistant' }]];
  let index = 0;
  const block = (deltas: readonly unknown[], start?: unknown): void => {
    if (start !== undefined) events.push(['contentBlockStart', { contentBlockIndex: index, start }]);
    for (const delta of deltas) events.push(['contentBlockDelta', { contentBlockIndex: index, delta }]);
    events.push(['contentBlockStop', { contentBlockIndex: index }]);
    index += 1;
  };
  if (reply.reasoning !== undefined) {
    block([{ reasoningContent: { text: reply.reasoning } }, { reasoningContent: { signature: 'c2lnbmVk' } }]);
  }
  const texts = [...replyDeltas(reply), ...(reply.refusal === undefined ? [] : [reply.refusal])];
  if (texts.length > 0) block(texts.map((text) => ({ text })));
  for (const call of reply.toolCalls ?? []) {
    const isEmpty = call.arguments === '' || call.arguments === '{}';
    const pieces = isEmpty ? [] : [call.arguments.slice(0, 3), call.arguments.slice(3)];
    const deltas = pieces.filter((input) => input !== '').map((input) => ({ toolUse: { input } }));
    block(deltas, { toolUse: { toolUseId: call.id, name: call.name } });
  }
  events.push(['messageStop', { stopReason: stopReason(reply) }]);
  events.push(['metadata', { metrics: { latencyMs: 42 }, usage: wireUsage(reply) }]);
  return events;
}

/** Bedrock hides the length of its events behind letters. */
function padding(index: number): string {
  return 'abcdefghijklmnopqrstuvwxyz'.slice(0, 1 + ((index * 7) % 26));
}

/** A vector that tells its text: equal texts have equal vectors, others differ. */
export function vectorOf(text: string, dimensions = 4): number[] {
  return Array.from(
    { length: dimensions },
    (_, at) => (text.charCodeAt(at % Math.max(1, text.length)) || 0) / 128 + at,
  );
}

function invokeAnswer(record: FakeRecord, reply: Reply): WireAnswer {
  const body = (record.json ?? {}) as Record<string, unknown>;
  const model = record.model ?? '';
  const count = replyUsage(reply)?.promptTokens;
  const told: Record<string, string> = count === undefined ? {} : { 'x-amzn-bedrock-input-token-count': String(count) };
  const answer = model.includes('cohere.') ? cohere(body, model, reply) : amazon(body, model, reply);
  return { status: 200, headers: { ...JSON_TYPE, ...told }, pieces: [Buffer.from(JSON.stringify(answer))] };
}

function cohere(body: Record<string, unknown>, model: string, reply: Reply): unknown {
  const texts = (body['texts'] ?? []) as string[];
  const dimensions = body['output_dimension'] as number | undefined;
  const vectors = reply.vectors ?? texts.map((text) => vectorOf(text, dimensions));
  const embeddings = model.includes('embed-v4') ? { float: vectors } : vectors;
  return { id: 'embedding', texts, response_type: 'embeddings_floats', embeddings };
}

function amazon(body: Record<string, unknown>, model: string, reply: Reply): unknown {
  if (model.includes('nova-2')) {
    const params = body['singleEmbeddingParams'] as { text: { value: string }; embeddingDimension?: number };
    const embedding = reply.vectors?.[0] ?? vectorOf(params.text.value, params.embeddingDimension);
    return { embeddings: [{ embedding, embeddingType: 'TEXT' }] };
  }
  const embedding = reply.vectors?.[0] ?? vectorOf(String(body['inputText']), body['dimensions'] as number | undefined);
  const count = replyUsage(reply)?.promptTokens;
  return { embedding, ...(count === undefined ? {} : { inputTextTokenCount: count }) };
}
