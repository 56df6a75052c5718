import type { ChatPart } from '../../contract/chat-response.js';
import { GatewayError, toGatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import { toAnnotations } from './annotations.js';
import { blockReason, readCandidates, toFinishReason, type GeminiCandidate, type GeminiPiece } from './answer.js';
import { errorObject, fromStreamError } from './error.js';
import { PartialArguments } from './partial-arguments.js';
import { describeAnswer, newCallId } from './response.js';
import type { GeminiService } from './service.js';
import { toUsage } from './usage.js';

interface ChoiceState {
  readonly index: number;
  toolCalls: number;
  finishReason: string | undefined;
  /** All text so far: passages are told by their place in it. */
  text: string;
  /** What was told of sources so far. */
  readonly remarks: JsonObject[];
  /** The call whose arguments still come. */
  open: { readonly index: number; readonly args: PartialArguments } | undefined;
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
    try {
      return this.read(event);
    } catch (thrown) {
      return this.fail(toGatewayError(thrown));
    }
  }

  /** The end of the bytes: `finish` when every choice has ended, else `error`. */
  end(): ChatPart[] {
    if (this.hasFailed) return [];
    const choices = [...this.choices].sort(([left], [right]) => left - right);
    if (choices.length === 0 && this.isBlocked) choices.push([0, { ...newChoice(0), finishReason: 'SAFETY' }]);
    if (choices.length === 0 || choices.some(([, choice]) => choice.finishReason === undefined)) {
      return this.fail(new GatewayError('provider_stream_broken'));
    }
    const usage = this.lastUsage;
    return [
      ...choices.flatMap(([, choice]) => endOf(choice)),
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
      choice = newChoice(index);
      this.choices.set(index, choice);
    }
    choice.finishReason = candidate.finishReason ?? choice.finishReason;
    if (candidate.remark !== undefined) choice.remarks.push(candidate.remark);
    let { logprobs } = candidate;
    for (const piece of candidate.pieces) {
      if (piece.type === 'text') {
        choice.text += piece.text;
        parts.push(textDelta(piece.text, index, logprobs));
        logprobs = undefined;
      } else if (piece.type === 'reasoning') {
        const state = piece.state === undefined ? {} : { state: piece.state };
        parts.push({ type: 'reasoning-delta', text: piece.text, ...state, ...at(index) });
      } else if (piece.type === 'tool-call') {
        parts.push(...closeCall(choice), ...this.openCall(piece, choice));
      } else if (choice.open !== undefined) {
        choice.open.args.add(piece.fragments);
        if (!piece.isOpen) parts.push(...closeCall(choice));
      }
    }
  }

  private openCall(piece: Extract<GeminiPiece, { type: 'tool-call' }>, choice: ChoiceState): ChatPart[] {
    const index = choice.toolCalls;
    choice.toolCalls += 1;
    const state = piece.state === undefined ? {} : { state: piece.state };
    const id = piece.id ?? this.createId();
    const start: ChatPart = { type: 'tool-call-start', index, id, name: piece.name, ...state, ...at(choice.index) };
    if (piece.isOpen !== true && piece.fragments === undefined) {
      const text = JSON.stringify(piece.arguments);
      return [start, { type: 'tool-call-delta', index, arguments: text, ...at(choice.index) }];
    }
    choice.open = { index, args: new PartialArguments(piece.arguments) };
    choice.open.args.add(piece.fragments ?? []);
    return piece.isOpen === true ? [start] : [start, ...closeCall(choice)];
  }

  private fail(error: GatewayError): ChatPart[] {
    this.hasFailed = true;
    return [{ type: 'error', error }];
  }
}

function newChoice(index: number): ChoiceState {
  return { index, toolCalls: 0, finishReason: undefined, text: '', remarks: [], open: undefined };
}

/** The arguments of the call that is open, whole; nothing where none is. */
function closeCall(choice: ChoiceState): ChatPart[] {
  const { open, index } = choice;
  choice.open = undefined;
  return open === undefined
    ? []
    : [{ type: 'tool-call-delta', index: open.index, arguments: open.args.toJson(), ...at(index) }];
}

function endOf(choice: ChoiceState): ChatPart[] {
  const { finishReason, toolCalls, remarks, text, index } = choice;
  const annotations = toAnnotations(remarks, text);
  return [
    ...closeCall(choice),
    ...annotations.map((annotation): ChatPart => ({ type: 'annotation', annotation, ...at(index) })),
    { type: 'choice-finish', reason: toFinishReason(finishReason, toolCalls > 0), ...at(index) },
  ];
}

function textDelta(text: string, index: number, logprobs: JsonValue | undefined): ChatPart {
  return { type: 'text-delta', text, ...(logprobs === undefined ? {} : { logprobs }), ...at(index) };
}

/** The choice of a part; 0 is the contract's default. */
function at(choice: number): { choice?: number } {
  return choice === 0 ? {} : { choice };
}
