import { isDeepStrictEqual } from 'node:util';
import type { Expected, ExpectedChat, ExpectedError, ExpectedUsage } from './expect.ts';
import { record, text } from './json.ts';
import type { JsonRecord } from './recording.ts';

/** What the official client made of the gateway's answer. */
export type Answer =
  | {
      readonly type: 'chat';
      readonly text: string;
      readonly reasoning: string;
      readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
      readonly finishReason: string | null | undefined;
      readonly usage?: ExpectedUsage;
    }
  | { readonly type: 'embeddings'; readonly vectors: readonly (readonly number[])[]; readonly promptTokens: number }
  | {
      readonly type: 'error';
      readonly status: number | undefined;
      readonly error: unknown;
      /** The header as it came; null = none. */
      readonly retryAfter: string | null;
    };

/** Everything in which an answer differs from what the recording says; empty = none. */
export function differences(expected: Expected, answer: Answer): string[] {
  if (answer.type === 'error')
    return expected.type === 'error' ? errorDifferences(expected, answer) : [refused(answer)];
  if (expected.type === 'error') return ['a recorded error came out as an answer'];
  if (expected.type === 'embeddings') {
    return answer.type === 'embeddings' ? embeddingsDifferences(expected, answer) : ['no embeddings came'];
  }
  return answer.type === 'chat' ? chatDifferences(expected, answer) : ['no chat answer came'];
}

function refused(answer: Extract<Answer, { type: 'error' }>): string {
  return `refused with ${answer.status}: ${JSON.stringify(answer.error)}`;
}

function errorDifferences(expected: ExpectedError, answer: Extract<Answer, { type: 'error' }>): string[] {
  const found: string[] = [];
  const isExpected =
    answer.status === undefined ? expected.statuses.length === 0 : expected.statuses.includes(answer.status);
  if (!isExpected) {
    found.push(`status ${answer.status}, expected one of ${expected.statuses.join(', ')}`);
  }
  const { error } = answer;
  const isEnvelope =
    typeof error === 'object' &&
    error !== null &&
    'message' in error &&
    typeof error.message === 'string' &&
    error.message !== '' &&
    'type' in error &&
    typeof error.type === 'string' &&
    'param' in error &&
    'code' in error;
  if (!isEnvelope) found.push(`no OpenAI error envelope: ${JSON.stringify(error)}`);
  const wait = expected.retryAfterSeconds;
  if (wait !== undefined && Number(answer.retryAfter ?? Number.NaN) !== wait) {
    found.push(`retry-after ${answer.retryAfter}, recorded ${wait} s`);
  }
  return isEnvelope ? [...found, ...toldDifferences(expected, record(error))] : found;
}

/** What a refusal says: all of the recorded where the request was at fault, none of it else. */
function toldDifferences({ shown, hidden }: ExpectedError, error: JsonRecord): string[] {
  const found: string[] = [];
  if (hidden !== undefined && hidden !== '' && text(error['message']).includes(hidden)) {
    found.push(`shows what the gateway alone was told: ${quote(hidden)}`);
  }
  for (const [field, value] of Object.entries(shown ?? {})) {
    if (value === '' || isDeepStrictEqual(error[field], value)) continue;
    found.push(`error ${field} ${quote(JSON.stringify(error[field]))}, recorded ${quote(JSON.stringify(value))}`);
  }
  return found;
}

function embeddingsDifferences(
  expected: Extract<Expected, { type: 'embeddings' }>,
  answer: Extract<Answer, { type: 'embeddings' }>,
): string[] {
  const found: string[] = [];
  const single = (vectors: readonly (readonly number[])[]): number[][] =>
    vectors.map((vector) => vector.map(Math.fround));
  if (!isDeepStrictEqual(single(expected.vectors), single(answer.vectors))) found.push('vectors differ');
  if (expected.promptTokens !== undefined && expected.promptTokens !== answer.promptTokens) {
    found.push(`prompt tokens ${answer.promptTokens}, recorded ${expected.promptTokens}`);
  }
  return found;
}

function chatDifferences(expected: ExpectedChat, answer: Extract<Answer, { type: 'chat' }>): string[] {
  const found: string[] = [];
  if (expected.text !== answer.text) found.push(`text ${quote(answer.text)}, recorded ${quote(expected.text)}`);
  if (expected.reasoning !== answer.reasoning) {
    found.push(`reasoning ${quote(answer.reasoning)}, recorded ${quote(expected.reasoning)}`);
  }
  const calls = answer.calls.map((call) => ({ name: call.name, arguments: parse(call.arguments) }));
  if (!isDeepStrictEqual(calls, expected.calls)) {
    found.push(`tool calls ${quote(JSON.stringify(calls))}, recorded ${quote(JSON.stringify(expected.calls))}`);
  }
  const ids = new Set(answer.calls.map(({ id }) => id));
  if (ids.has('') || ids.size < answer.calls.length) found.push('tool call ids are missing or repeated');
  if (answer.finishReason !== expected.finishReason) {
    found.push(`finish reason ${String(answer.finishReason)}, recorded ${expected.finishReason}`);
  }
  if (expected.usage !== undefined && !isDeepStrictEqual(answer.usage, expected.usage)) {
    found.push(`usage ${JSON.stringify(answer.usage)}, recorded ${JSON.stringify(expected.usage)}`);
  }
  return found;
}

function parse(told: string): unknown {
  try {
    return JSON.parse(told);
  } catch {
    return `no JSON: ${told}`;
  }
}

function quote(told = 'none'): string {
  return JSON.stringify(told.length > 120 ? `${told.slice(0, 120)}…` : told);
}
