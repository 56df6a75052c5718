import type { ChatRequest } from '../../src/contract/chat-request.js';
import type { ChatPart, ChatResponse, FinishReason } from '../../src/contract/chat-response.js';
import { GatewayError } from '../../src/contract/errors.js';
import type { AbilityCall, ChatAbility, LossWarning, PartStream, Timeouts } from '../../src/contract/provider.js';
import { contextOf } from '../support/provider-context.ts';
import type { MeasuredUsage } from '../../src/contract/usage.js';
import type { ProviderUnderTest } from './provider-harness.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeouts?: Partial<Timeouts>;
}

/** A call as the gateway makes it, with what it reported on the way. */
export interface TestCall<Request> extends AbilityCall<Request> {
  readonly warnings: LossWarning[];
  /** How often `onDispatch` was called. */
  dispatched: number;
}

export function callOf<Request>(model: string, request: Request, options: CallOptions = {}): TestCall<Request> {
  const warnings: LossWarning[] = [];
  const call: TestCall<Request> = {
    model,
    request,
    context: contextOf({ ...options, onDispatch: () => void (call.dispatched += 1) }),
    warn: (warning) => warnings.push(warning),
    warnings,
    dispatched: 0,
  };
  return call;
}

/** A request of one user message. */
export function ask(text = 'Say hello.', more: Partial<ChatRequest> = {}): ChatRequest {
  return { messages: [{ role: 'user', content: [{ type: 'text', text }] }], ...more };
}

export function chatOf(subject: ProviderUnderTest): ChatAbility {
  const { chat } = subject.provider;
  if (chat === undefined) throw new Error('the provider has no chat ability');
  return chat;
}

export function complete(subject: ProviderUnderTest, request: ChatRequest): Promise<ChatResponse> {
  return chatOf(subject).complete(callOf(subject.chatModel, request));
}

/** Reads a stream to its last part. */
export function drain(stream: PartStream): Promise<ChatPart[]> {
  return new Promise((resolve) => {
    const all: ChatPart[] = [];
    stream.start((parts) => {
      all.push(...parts);
      const last = parts.at(-1);
      if (last?.type === 'finish' || last?.type === 'error') resolve(all);
      return true;
    });
  });
}

export async function streamed(
  subject: ProviderUnderTest,
  request: ChatRequest,
  options: CallOptions = {},
): Promise<ChatPart[]> {
  return drain(await chatOf(subject).stream(callOf(subject.chatModel, request, options)));
}

/** What an answer says, in one form for whole answers and streams. */
export interface Said {
  readonly text: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[];
  readonly finishReason: FinishReason | undefined;
  readonly usage: MeasuredUsage | undefined;
}

/** The first choice of a whole answer. */
export function saidBy(response: ChatResponse): Said {
  const [choice] = response.choices;
  const textOf = (type: string): string =>
    (choice?.content ?? []).map((block) => (block.type === type && 'text' in block ? block.text : '')).join('');
  return {
    text: textOf('text'),
    reasoning: textOf('reasoning'),
    refusal: textOf('refusal'),
    toolCalls: (choice?.content ?? []).flatMap((block) =>
      block.type === 'tool-call' ? [{ id: block.id, name: block.name, arguments: JSON.parse(block.arguments) }] : [],
    ),
    finishReason: choice?.finishReason,
    usage: response.usage,
  };
}

/** The first choice of a stream. */
export function saidIn(parts: readonly ChatPart[]): Said {
  const texts = { 'text-delta': '', 'reasoning-delta': '', 'refusal-delta': '' };
  const calls: { id: string; name: string; json: string }[] = [];
  let finishReason: FinishReason | undefined;
  let usage: MeasuredUsage | undefined;
  for (const part of parts) {
    if ('choice' in part && (part.choice ?? 0) > 0) continue;
    if (part.type === 'tool-call-start') calls[part.index] = { id: part.id, name: part.name, json: '' };
    else if (part.type === 'tool-call-delta') calls[part.index] = append(calls[part.index], part.arguments);
    else if (part.type === 'choice-finish') finishReason = part.reason;
    else if (part.type === 'finish') usage = part.usage;
    else if (part.type in texts && 'text' in part) texts[part.type] += part.text;
  }
  return {
    text: texts['text-delta'],
    reasoning: texts['reasoning-delta'],
    refusal: texts['refusal-delta'],
    toolCalls: calls.map(({ id, name, json }) => ({ id, name, arguments: JSON.parse(json === '' ? '{}' : json) })),
    finishReason,
    usage,
  };
}

function append(
  call: { id: string; name: string; json: string } | undefined,
  text: string,
): { id: string; name: string; json: string } {
  if (call === undefined) throw new Error('a tool call got arguments before it started');
  return { ...call, json: call.json + text };
}

/** What a promise rejects with; fails when it resolves or rejects with anything but a GatewayError. */
export async function failureOf(promise: Promise<unknown>): Promise<GatewayError> {
  const outcome = await promise.then(
    () => 'it resolved',
    (error: unknown) => error,
  );
  if (outcome instanceof GatewayError) return outcome;
  throw new Error(`expected a GatewayError, got ${String(outcome)}`);
}

/** The error a stream ended with; fails when it did not end with exactly one. */
export function errorIn(parts: readonly ChatPart[]): GatewayError {
  const last = parts.at(-1);
  const ends = parts.filter(({ type }) => type === 'finish' || type === 'error');
  if (last?.type !== 'error' || ends.length !== 1) {
    throw new Error(`expected one error at the end, got ${parts.map(({ type }) => type).join(' ')}`);
  }
  return last.error;
}
