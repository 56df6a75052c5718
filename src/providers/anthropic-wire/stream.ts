import type { ChatPart } from '../../contract/chat-response.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import { annotationOf } from './annotations.js';
import { errorOfEvent } from './error.js';
import { readStopReason, readToolUseId } from './response.js';
import { reasoningState } from './state.js';
import { UsageLedger } from './usage.js';
import type { AnswerKey } from './wire.js';

/** What is remembered of a block while it is open. */
type OpenBlock =
  | { readonly type: 'text'; readonly start: number; readonly citations: JsonValue[] }
  | { readonly type: 'thinking'; signature: string }
  /** `index`: place among the tool calls; -1 = the stand-in tool, whose input is text. */
  | { readonly type: 'tool'; readonly index: number; readonly input: JsonValue | undefined; hasDeltas: boolean }
  | { readonly type: 'other' };

/**
 * Turns the events of one stream into parts: message_start, blocks one after the other, message_delta, message_stop.
 * `finish` or `error` ends the parts, whatever follows on the wire.
 */
export class MessagesStreamReader {
  private readonly blocks = new Map<unknown, OpenBlock>();
  private readonly ledger = new UsageLedger();
  private toolCalls = 0;
  private textLength = 0;
  private hasStarted = false;
  private isFinished = false;
  private stopReason: unknown;

  /** `secrets` must not reach a caller by the words of a failure. */
  constructor(
    private readonly key: AnswerKey,
    private readonly secrets: readonly string[] = [],
  ) {}

  /** The usage told so far; absent = none yet. */
  get usage(): MeasuredUsage | undefined {
    return this.ledger.usage;
  }

  /** True when the last part was given. */
  get over(): boolean {
    return this.isFinished;
  }

  /** The parts one event's data stands for. A line that is no JSON object is passed over. */
  push(data: string): ChatPart[] {
    if (this.isFinished || data === '') return [];
    const event = parse(data);
    return event === undefined ? [] : this.read(event);
  }

  /** The parts the end of the bytes stands for: a failure unless the answer was whole. */
  end(): ChatPart[] {
    return this.fail(new GatewayError('provider_stream_broken'));
  }

  /** Ends the parts with a failure. */
  fail(error: GatewayError): ChatPart[] {
    if (this.isFinished) return [];
    this.isFinished = true;
    return [{ type: 'error', error }];
  }

  private read(event: JsonObject): ChatPart[] {
    switch (event['type']) {
      case 'content_block_delta':
        return isJsonObject(event['delta']) ? this.delta(event['index'], event['delta']) : [];
      case 'content_block_start':
        return isJsonObject(event['content_block']) ? this.startBlock(event['index'], event['content_block']) : [];
      case 'content_block_stop':
        return this.stopBlock(event['index']);
      case 'message_start':
        return this.startMessage(event['message']);
      case 'message_delta':
        this.ledger.take(event['usage']);
        if (isJsonObject(event['delta'])) this.stopReason = event['delta']['stop_reason'] ?? this.stopReason;
        return [];
      case 'message_stop':
        return this.finish();
      case 'error':
        return this.fail(errorOfEvent(event, this.secrets));
      default:
        return [];
    }
  }

  /** A second start changes nothing but the counts. */
  private startMessage(message: unknown): ChatPart[] {
    if (!isJsonObject(message)) return [];
    this.ledger.take(message['usage']);
    if (this.hasStarted) return [];
    this.hasStarted = true;
    const { id, model } = message;
    return [
      {
        type: 'start',
        ...(typeof id === 'string' ? { id } : {}),
        ...(typeof model === 'string' ? { model } : {}),
      },
    ];
  }

  private startBlock(index: JsonValue | undefined, block: JsonObject): ChatPart[] {
    const left = this.stopBlock(index);
    switch (block['type']) {
      case 'text':
        this.blocks.set(index, { type: 'text', start: this.textLength, citations: citationsOf(block) });
        return [...left, ...this.text(block['text'])];
      case 'thinking': {
        const { thinking, signature } = block;
        this.blocks.set(index, { type: 'thinking', signature: typeof signature === 'string' ? signature : '' });
        return [...left, ...reasoning(thinking)];
      }
      case 'redacted_thinking': {
        const { data } = block;
        if (typeof data !== 'string') return left;
        return [...left, { type: 'reasoning-delta', text: '', state: reasoningState('redacted', data) }];
      }
      case 'tool_use':
        return [...left, ...this.startTool(index, block)];
      default:
        this.blocks.set(index, { type: 'other' });
        return left;
    }
  }

  private startTool(blockIndex: JsonValue | undefined, { id, name, input }: JsonObject): ChatPart[] {
    const wireName = typeof name === 'string' ? name : '';
    const isStandIn = this.key.jsonTool !== undefined && wireName === this.key.jsonTool;
    const index = isStandIn ? -1 : this.toolCalls++;
    this.blocks.set(blockIndex, { type: 'tool', index, input, hasDeltas: false });
    if (isStandIn) return [];
    const callersName = this.key.renamedTools.get(wireName) ?? wireName;
    return [{ type: 'tool-call-start', index, id: readToolUseId(id), name: callersName }];
  }

  private delta(blockIndex: JsonValue | undefined, delta: JsonObject): ChatPart[] {
    const block = this.blocks.get(blockIndex);
    switch (delta['type']) {
      case 'text_delta':
        return this.text(delta['text']);
      case 'input_json_delta':
        return block?.type === 'tool' ? this.input(block, delta['partial_json']) : [];
      case 'thinking_delta':
        return reasoning(delta['thinking']);
      case 'signature_delta':
        if (block?.type === 'thinking' && typeof delta['signature'] === 'string') block.signature += delta['signature'];
        return [];
      case 'citations_delta':
        if (block?.type === 'text' && delta['citation'] !== undefined) block.citations.push(delta['citation']);
        return [];
      default:
        return [];
    }
  }

  private text(text: unknown): ChatPart[] {
    if (typeof text !== 'string' || text === '') return [];
    this.textLength += text.length;
    return [{ type: 'text-delta', text }];
  }

  private input(block: Extract<OpenBlock, { type: 'tool' }>, json: unknown): ChatPart[] {
    if (typeof json !== 'string' || json === '') return [];
    block.hasDeltas = true;
    return block.index < 0 ? this.text(json) : [{ type: 'tool-call-delta', index: block.index, arguments: json }];
  }

  private stopBlock(blockIndex: JsonValue | undefined): ChatPart[] {
    const block = this.blocks.get(blockIndex);
    this.blocks.delete(blockIndex);
    switch (block?.type) {
      case 'thinking':
        if (block.signature === '') return [];
        return [{ type: 'reasoning-delta', text: '', state: reasoningState('signature', block.signature) }];
      case 'tool':
        return block.hasDeltas ? [] : this.input(block, JSON.stringify(block.input ?? {}));
      case 'text': {
        const range = { start: block.start, end: this.textLength };
        return block.citations.flatMap((citation): ChatPart[] => {
          const annotation = annotationOf(citation, range);
          return annotation === undefined ? [] : [{ type: 'annotation', annotation }];
        });
      }
      default:
        return [];
    }
  }

  private finish(): ChatPart[] {
    this.isFinished = true;
    const left = [...this.blocks.keys()].flatMap((index) => this.stopBlock(index as JsonValue | undefined));
    const { usage } = this;
    return [
      ...left,
      { type: 'choice-finish', reason: readStopReason(this.stopReason, this.toolCalls > 0) },
      { type: 'finish', ...(usage === undefined ? {} : { usage }) },
    ];
  }
}

function reasoning(text: unknown): ChatPart[] {
  return typeof text === 'string' && text !== '' ? [{ type: 'reasoning-delta', text }] : [];
}

function citationsOf({ citations }: JsonObject): JsonValue[] {
  return Array.isArray(citations) ? [...citations] : [];
}

function parse(data: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
