import type { ChatPart } from '../../contract/chat-response.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import { blockReason, readCandidates, toFinishReason, type GeminiCandidate, type GeminiPiece } from './answer.js';
import { errorObject, fromStreamError } from './error.js';
import { describeAnswer, newCallId } from './response.js';
import type { GeminiService } from './service.js';
import { toUsage } from './usage.js';

interface ChoiceState {
  toolCalls: number;
  finishReason: string | undefined;
}

/**
 * Reads the events of one streamGenerateContent answer. Finish reasons are held back to the end: old models repeat
 * them on every event, and calls may come in an earlier event than the reason they end by.
 */
export class GeminiStreamReader {
  private readonly choices = new Map<number, ChoiceState>();
  private lastUsage: MeasuredUsage | undefined;
  private isBlocked = false;
  private hasStarted = false;
  private hasFailed = false;

  constructor(
    private readonly service: GeminiService,
    private readonly createId: () => string = newCallId,
  ) {}

  /** The last usage told; every event may tell one, and later ones replace earlier ones. */
  get usage(): MeasuredUsage | undefined {
    return this.lastUsage;
  }

  /** True when an `error` part was given out: nothing may follow. */
  get failed(): boolean {
    return this.hasFailed;
  }

  /** `data` is the data field of one SSE event; '' (a comment) gives nothing. */
  push(data: string): ChatPart[] {
    if (data === '' || this.hasFailed) return [];
    let event: unknown;
    try {
      event = JSON.parse(data);
    } catch (cause) {
      return this.fail(new GatewayError('provider_bad_response', { cause }));
    }
    const error = errorObject(event);
    if (error !== undefined) return this.fail(fromStreamError(error, this.service.secrets));
    if (!isJsonObject(event)) return this.fail(new GatewayError('provider_bad_response'));
    return this.read(event);
  }

  /** The end of the bytes: `finish` when every choice has ended, else `error`. */
  end(): ChatPart[] {
    if (this.hasFailed) return [];
    const choices = [...this.choices].sort(([left], [right]) => left - right);
    if (choices.length === 0 && this.isBlocked) choices.push([0, { toolCalls: 0, finishReason: 'SAFETY' }]);
    if (choices.length === 0 || choices.some(([, choice]) => choice.finishReason === undefined)) {
      return this.fail(new GatewayError('provider_stream_broken'));
    }
    const usage = this.lastUsage;
    return [
      ...choices.map(([index, { finishReason, toolCalls }]): ChatPart => ({
        type: 'choice-finish',
        reason: toFinishReason(finishReason, toolCalls > 0),
        ...at(index),
      })),
      { type: 'finish', ...(usage === undefined ? {} : { usage }) },
    ];
  }

  /** The bytes ended inside an event. */
  cut(): ChatPart[] {
    return this.hasFailed ? [] : this.fail(new GatewayError('provider_stream_broken'));
  }

  private read(event: JsonObject): ChatPart[] {
    const parts: ChatPart[] = [];
    if (!this.hasStarted) {
      this.hasStarted = true;
      parts.push({ type: 'start', ...describeAnswer(event) });
    }
    this.lastUsage = toUsage(event['usageMetadata']) ?? this.lastUsage;
    this.isBlocked ||= blockReason(event) !== undefined;
    for (const candidate of readCandidates(event, this.service.issuer)) this.readCandidate(candidate, parts);
    return parts;
  }

  private readCandidate(candidate: GeminiCandidate, parts: ChatPart[]): void {
    const { index } = candidate;
    let choice = this.choices.get(index);
    if (choice === undefined) {
      choice = { toolCalls: 0, finishReason: undefined };
      this.choices.set(index, choice);
    }
    choice.finishReason = candidate.finishReason ?? choice.finishReason;
    let { logprobs } = candidate;
    for (const piece of candidate.pieces) {
      if (piece.type === 'text') {
        parts.push(textDelta(piece.text, index, logprobs));
        logprobs = undefined;
      } else if (piece.type === 'reasoning') {
        const state = piece.state === undefined ? {} : { state: piece.state };
        parts.push({ type: 'reasoning-delta', text: piece.text, ...state, ...at(index) });
      } else {
        this.readCall(piece, choice, { index, parts });
      }
    }
  }

  private readCall(
    piece: Extract<GeminiPiece, { type: 'tool-call' }>,
    choice: ChoiceState,
    target: { readonly index: number; readonly parts: ChatPart[] },
  ): void {
    const index = choice.toolCalls;
    choice.toolCalls += 1;
    const state = piece.state === undefined ? {} : { state: piece.state };
    const id = piece.id ?? this.createId();
    target.parts.push(
      { type: 'tool-call-start', index, id, name: piece.name, ...state, ...at(target.index) },
      { type: 'tool-call-delta', index, arguments: JSON.stringify(piece.arguments), ...at(target.index) },
    );
  }

  private fail(error: GatewayError): ChatPart[] {
    this.hasFailed = true;
    return [{ type: 'error', error }];
  }
}

function textDelta(text: string, index: number, logprobs: JsonValue | undefined): ChatPart {
  return { type: 'text-delta', text, ...(logprobs === undefined ? {} : { logprobs }), ...at(index) };
}

/** The choice of a part; 0 is the contract's default. */
function at(choice: number): { choice?: number } {
  return choice === 0 ? {} : { choice };
}
