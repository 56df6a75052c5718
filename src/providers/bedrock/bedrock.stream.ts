import type { ChatPart } from '../../contract/chat-response.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import type { EventStreamMessage } from '../../transport/event-stream.js';
import { badResponse, readStreamFailure } from './bedrock.error.js';
import { reasoningState } from './bedrock.messages.js';
import { readStopReason, readToolUseId } from './bedrock.response.js';
import { readUsage } from './bedrock.usage.js';
import type { AnswerKey } from './bedrock.wire.js';

/** What is remembered of a block while it is open. */
interface OpenBlock {
  /** Place among the tool calls; -1 = the stand-in tool, whose input is text; absent = no tool. */
  readonly toolIndex?: number;
  hasInput: boolean;
  signature: string;
}

/**
 * Turns the events of one ConverseStream answer into parts. The order on the wire is messageStart, blocks,
 * messageStop, metadata; `finish` or `error` ends the parts, whatever follows on the wire.
 */
export class ConverseStreamReader {
  private readonly blocks = new Map<unknown, OpenBlock>();
  private toolCalls = 0;
  private hasStopped = false;
  private isFinished = false;
  private lastUsage: MeasuredUsage | undefined;

  /** `secrets` must not reach a caller by the words of a failure. */
  constructor(
    private readonly key: AnswerKey,
    private readonly secrets: readonly string[] = [],
  ) {}

  /** The usage told so far; absent = none yet. */
  get usage(): MeasuredUsage | undefined {
    return this.lastUsage;
  }

  /** True when the last part was given. */
  get isDone(): boolean {
    return this.isFinished;
  }

  /** The parts one event stands for. */
  push(event: EventStreamMessage): ChatPart[] {
    if (this.isFinished) return [];
    const { headers, payload } = event;
    const kind = headers[':message-type'];
    if (kind === 'exception')
      return this.fail(readStreamFailure(String(headers[':exception-type']), payload, this.secrets));
    if (kind === 'error') {
      const message = JSON.stringify({ message: headers[':error-message'] });
      return this.fail(readStreamFailure(String(headers[':error-code']), Buffer.from(message), this.secrets));
    }
    const body = parse(payload);
    if (body === undefined) return this.fail(badResponse('an event is no JSON object'));
    return this.read(headers[':event-type'], body);
  }

  /** The parts the end of the bytes stands for; `isCut` = they ended inside a frame. */
  end(isCut: boolean): ChatPart[] {
    if (this.isFinished) return [];
    if (isCut || !this.hasStopped) return this.fail(new GatewayError('provider_stream_broken'));
    return this.finish();
  }

  /** Ends the parts with a failure. */
  fail(error: GatewayError): ChatPart[] {
    if (this.isFinished) return [];
    this.isFinished = true;
    return [{ type: 'error', error }];
  }

  private read(type: unknown, body: JsonObject): ChatPart[] {
    switch (type) {
      case 'contentBlockDelta':
        return this.delta(body);
      case 'messageStart':
        return [{ type: 'start' }];
      case 'contentBlockStart':
        return this.startBlock(body);
      case 'contentBlockStop':
        return this.stopBlock(body['contentBlockIndex']);
      case 'messageStop':
        return this.stopMessage(body['stopReason']);
      case 'metadata':
        this.lastUsage = readUsage(body['usage']) ?? this.lastUsage;
        return this.hasStopped ? this.finish() : [];
      default:
        return [];
    }
  }

  private delta({ contentBlockIndex, delta }: JsonObject): ChatPart[] {
    if (!isJsonObject(delta)) return [];
    const { text, toolUse, reasoningContent } = delta;
    if (typeof text === 'string') return text === '' ? [] : [{ type: 'text-delta', text }];
    if (isJsonObject(toolUse)) return this.toolDelta(contentBlockIndex, toolUse['input']);
    if (isJsonObject(reasoningContent)) return this.reasoningDelta(contentBlockIndex, reasoningContent);
    return [];
  }

  private startBlock({ contentBlockIndex, start }: JsonObject): ChatPart[] {
    const toolUse = isJsonObject(start) ? start['toolUse'] : undefined;
    if (!isJsonObject(toolUse)) return [];
    const name = typeof toolUse['name'] === 'string' ? toolUse['name'] : '';
    if (this.key.jsonTool !== undefined && name === this.key.jsonTool) {
      this.blocks.set(contentBlockIndex, { toolIndex: -1, hasInput: false, signature: '' });
      return [];
    }
    const index = this.toolCalls;
    this.toolCalls += 1;
    this.blocks.set(contentBlockIndex, { toolIndex: index, hasInput: false, signature: '' });
    const id = readToolUseId(toolUse['toolUseId']);
    return [{ type: 'tool-call-start', index, id, name: this.key.renamedTools.get(name) ?? name }];
  }

  private toolDelta(blockIndex: JsonValue | undefined, input: unknown): ChatPart[] {
    const block = this.blocks.get(blockIndex);
    if (block?.toolIndex === undefined || typeof input !== 'string' || input === '') return [];
    block.hasInput = true;
    return [inputPart(block.toolIndex, input)];
  }

  private reasoningDelta(blockIndex: JsonValue | undefined, delta: JsonObject): ChatPart[] {
    const { text, signature, redactedContent } = delta;
    if (typeof text === 'string') return text === '' ? [] : [{ type: 'reasoning-delta', text }];
    if (typeof signature === 'string') {
      const block = this.blocks.get(blockIndex) ?? { hasInput: false, signature: '' };
      block.signature += signature;
      this.blocks.set(blockIndex, block);
    }
    if (typeof redactedContent !== 'string') return [];
    return [{ type: 'reasoning-delta', text: '', state: reasoningState('redacted', redactedContent) }];
  }

  /** A tool called without arguments gets '{}', a signature is given when it is whole. */
  private stopBlock(blockIndex: unknown): ChatPart[] {
    const block = this.blocks.get(blockIndex);
    this.blocks.delete(blockIndex);
    if (block === undefined) return [];
    if (block.toolIndex !== undefined) return block.hasInput ? [] : [inputPart(block.toolIndex, '{}')];
    return [{ type: 'reasoning-delta', text: '', state: reasoningState('signature', block.signature) }];
  }

  private stopMessage(stopReason: unknown): ChatPart[] {
    if (this.hasStopped) return [];
    this.hasStopped = true;
    const left = [...this.blocks.keys()].flatMap((index) => this.stopBlock(index));
    return [...left, { type: 'choice-finish', reason: readStopReason(stopReason, this.toolCalls > 0) }];
  }

  private finish(): ChatPart[] {
    this.isFinished = true;
    return [{ type: 'finish', ...(this.lastUsage === undefined ? {} : { usage: this.lastUsage }) }];
  }
}

function inputPart(toolIndex: number, input: string): ChatPart {
  if (toolIndex < 0) return { type: 'text-delta', text: input };
  return { type: 'tool-call-delta', index: toolIndex, arguments: input };
}

function parse(payload: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
