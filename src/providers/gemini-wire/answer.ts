import type { ProviderState } from '../../contract/chat-request.js';
import type { FinishReason } from '../../contract/chat-response.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import { remarkOf } from './annotations.js';

/** One thing a candidate says; what this gateway never asks for (code execution, server-side tools) is none. */
export type GeminiPiece =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string; readonly state?: ProviderState }
  | {
      readonly type: 'tool-call';
      /** Absent = the API gave none, as it mostly does. */
      readonly id?: string;
      readonly name: string;
      readonly arguments: JsonObject;
      readonly state?: ProviderState;
      /** Fragments of the arguments that came with the name; absent = none. */
      readonly fragments?: readonly JsonValue[];
      /** True = fragments of its arguments follow. */
      readonly isOpen?: boolean;
    }
  /** More of the call that is open; not `isOpen` = its last fragments. */
  | { readonly type: 'fragments'; readonly fragments: readonly JsonValue[]; readonly isOpen: boolean };

/** One candidate of a whole answer, or of one event of a stream. */
export interface GeminiCandidate {
  readonly index: number;
  readonly pieces: readonly GeminiPiece[];
  /** As the API spells it; absent = the candidate goes on. */
  readonly finishReason?: string;
  /** In OpenAI's form. */
  readonly logprobs?: JsonValue;
  /** What `toAnnotations` reads of its sources; absent = none are told. */
  readonly remark?: JsonObject;
}

/**
 * The candidates of an answer; none where it has none. Nothing in them is trusted to be well formed. Signatures become
 * state of `issuer`.
 */
export function readCandidates(answer: JsonObject, issuer: string): readonly GeminiCandidate[] {
  const { candidates } = answer;
  if (!Array.isArray(candidates)) return [];
  return candidates.flatMap((candidate, position) =>
    isJsonObject(candidate) ? [read(candidate, position, issuer)] : [],
  );
}

/** Why the prompt was refused; undefined = it was not. */
export function blockReason(answer: JsonObject): string | undefined {
  const feedback = answer['promptFeedback'];
  const reason = isJsonObject(feedback) ? feedback['blockReason'] : undefined;
  return typeof reason === 'string' ? reason : undefined;
}

const FINISH: Readonly<Record<string, FinishReason>> = {
  MAX_TOKENS: 'length',
  SAFETY: 'content-filter',
  BLOCKLIST: 'content-filter',
  PROHIBITED_CONTENT: 'content-filter',
  SPII: 'content-filter',
  RECITATION: 'content-filter',
  LANGUAGE: 'content-filter',
  MODEL_ARMOR: 'content-filter',
  IMAGE_SAFETY: 'content-filter',
  IMAGE_PROHIBITED_CONTENT: 'content-filter',
  IMAGE_RECITATION: 'content-filter',
};

/** A finish reason in the contract's words. STOP with calls is how this API ends a round of tool calls. */
export function toFinishReason(reason: string | undefined, hasToolCalls: boolean): FinishReason {
  return FINISH[reason ?? ''] ?? (hasToolCalls ? 'tool-calls' : 'stop');
}

function read(candidate: JsonObject, position: number, issuer: string): GeminiCandidate {
  const { index, content, finishReason, logprobsResult } = candidate;
  const parts = isJsonObject(content) && Array.isArray(content['parts']) ? content['parts'] : [];
  const remark = remarkOf(candidate);
  const logprobs = isJsonObject(logprobsResult) ? toLogprobs(logprobsResult) : undefined;
  return {
    index: typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 ? index : position,
    pieces: parts.flatMap((part) => (isJsonObject(part) ? readPart(part, issuer) : [])),
    ...(typeof finishReason === 'string' && finishReason !== 'FINISH_REASON_UNSPECIFIED' ? { finishReason } : {}),
    ...(logprobs === undefined ? {} : { logprobs }),
    ...(remark === undefined ? {} : { remark }),
  };
}

/** A signature without `thought` is no reasoning text: it becomes a piece of empty reasoning that holds the state. */
function readPart(part: JsonObject, issuer: string): GeminiPiece[] {
  const { text, thought, functionCall, thoughtSignature } = part;
  const state =
    typeof thoughtSignature === 'string' && thoughtSignature !== ''
      ? { state: { issuer, value: thoughtSignature } }
      : {};
  if (isJsonObject(functionCall)) return [readCall(functionCall, state)];
  if (typeof text !== 'string') return [];
  if (thought === true) return text === '' && state.state === undefined ? [] : [{ type: 'reasoning', text, ...state }];
  return [
    ...(text === '' ? [] : [{ type: 'text', text } as const]),
    ...(state.state === undefined ? [] : [{ type: 'reasoning', text: '', ...state } as const]),
  ];
}

/** A call is whole, or its name comes first and fragments of its arguments after it, which have no name. */
function readCall(call: JsonObject, state: { readonly state?: ProviderState }): GeminiPiece {
  const { id, name, args, partialArgs, willContinue } = call;
  const fragments = Array.isArray(partialArgs) ? partialArgs : [];
  if (typeof name !== 'string' || name === '') return { type: 'fragments', fragments, isOpen: willContinue === true };
  return {
    type: 'tool-call',
    ...(typeof id === 'string' && id !== '' ? { id } : {}),
    name,
    arguments: isJsonObject(args) ? args : {},
    ...state,
    ...(fragments.length === 0 ? {} : { fragments }),
    ...(willContinue === true ? { isOpen: true } : {}),
  };
}

function toLogprobs(result: JsonObject): JsonValue | undefined {
  const { chosenCandidates, topCandidates } = result;
  if (!Array.isArray(chosenCandidates)) return undefined;
  const tops = Array.isArray(topCandidates) ? topCandidates : [];
  const content = chosenCandidates.map((chosen, index): JsonObject => {
    const top = tops[index];
    const alternatives = isJsonObject(top) && Array.isArray(top['candidates']) ? top['candidates'] : [];
    return { ...toLogprob(chosen), top_logprobs: alternatives.map(toLogprob) };
  });
  return { content, refusal: null };
}

/** OpenAI's own floor for a probability of zero. */
const LEAST_LOGPROB = -9_999;

function toLogprob(candidate: JsonValue): JsonObject {
  const entry = isJsonObject(candidate) ? candidate : {};
  const token = typeof entry['token'] === 'string' ? entry['token'] : '';
  const logprob = typeof entry['logProbability'] === 'number' ? entry['logProbability'] : LEAST_LOGPROB;
  return { token, logprob, bytes: [...Buffer.from(token)] };
}
