import type { ChatPart } from '../../contract/chat-response.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import type { MeasuredUsage } from '../../contract/usage.js';
import type { EventStreamMessage } from '../../transport/event-stream.js';
import { annotationOf } from './bedrock.citation.js';
import { badResponse, readStreamFailure } from './bedrock.error.js';
import { readStopReason, readToolUseId } from './bedrock.response.js';
import { reasoningState } from './bedrock.state.js';
import { readUsage } from './bedrock.usage.js';
import type { AnswerKey } from './bedrock.wire.js';

/** What is remembered of a block while it is open. */
type OpenBlock =
  /** `index` is its place among the tool calls; -1 = the stand-in tool, whose input is text. */
  | { readonly type: 'tool'; readonly index: number; hasInput: boolean }
  | { readonly type: 'reasoning'; signature: string }
  /** `start` is where its text begins in that of the answer. */
  | { readonly type: 'cited'; readonly start: number; readonly citations: JsonValue[] };

/**
 * Turns the events of one ConverseStream answer into parts. The order on the wire is messageStart, blocks,
 * messageStop, metadata; `finish` or `error` ends the parts, whatever follows on the wire.
 */
export class ConverseStreamReader {
  private readonly blocks = new Map<JsonValue | undefined, OpenBlock>();
  private toolCalls = 0;
  /** UTF-16 units of text so far. */
  private textLength = 0;
  /** The block the last text belonged to, and where it begins in the text. */
  private textBlock: JsonValue | undefined;
  private textBlockStart = 0;
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
    const { text, toolUse, reasoningContent, citation } = delta;
    if (typeof text === 'string') return text === '' ? [] : [this.text(contentBlockIndex, text)];
    if (isJsonObject(toolUse)) return this.toolDelta(contentBlockIndex, toolUse['input']);
    if (isJsonObject(reasoningContent)) return this.reasoningDelta(contentBlockIndex, reasoningContent);
    if (citation !== undefined) this.cite(contentBlockIndex, citation);
    return [];
  }

  private text(blockIndex: JsonValue | undefined, text: string): ChatPart {
    if (blockIndex !== this.textBlock) {
      this.textBlock = blockIndex;
      this.textBlockStart = this.textLength;
    }
    this.textLength += text.length;
    return { type: 'text-delta', text };
  }

  /** A citation comes before the text it is about, or in its middle; it is told when the text is whole. */
  private cite(blockIndex: JsonValue | undefined, citation: JsonValue): void {
    const block = this.blocks.get(blockIndex);
    if (block?.type === 'cited') block.citations.push(citation);
    if (block !== undefined) return;
    const start = blockIndex === this.textBlock ? this.textBlockStart : this.textLength;
    this.blocks.set(blockIndex, { type: 'cited', start, citations: [citation] });
  }

  private startBlock({ contentBlockIndex, start }: JsonObject): ChatPart[] {
    const toolUse = isJsonObject(start) ? start['toolUse'] : undefined;
    if (!isJsonObject(toolUse)) return [];
    const name = typeof toolUse['name'] === 'string' ? toolUse['name'] : '';
    if (this.key.jsonTool !== undefined && name === this.key.jsonTool) {
      this.blocks.set(contentBlockIndex, { type: 'tool', index: -1, hasInput: false });
      return [];
    }
    const index = this.toolCalls;
    this.toolCalls += 1;
    this.blocks.set(contentBlockIndex, { type: 'tool', index, hasInput: false });
    const id = readToolUseId(toolUse['toolUseId']);
    return [{ type: 'tool-call-start', index, id, name: this.key.renamedTools.get(name) ?? name }];
  }

  private toolDelta(blockIndex: JsonValue | undefined, input: unknown): ChatPart[] {
    const block = this.blocks.get(blockIndex);
    if (block?.type !== 'tool' || typeof input !== 'string' || input === '') return [];
    block.hasInput = true;
    return [this.input(blockIndex, block.index, input)];
  }

  private input(blockIndex: JsonValue | undefined, toolIndex: number, input: string): ChatPart {
    if (toolIndex < 0) return this.text(blockIndex, input);
    return { type: 'tool-call-delta', index: toolIndex, arguments: input };
  }

  private reasoningDelta(blockIndex: JsonValue | undefined, delta: JsonObject): ChatPart[] {
    const { text, signature, redactedContent } = delta;
    if (typeof text === 'string') return text === '' ? [] : [{ type: 'reasoning-delta', text }];
    if (typeof signature === 'string') {
      const block = this.blocks.get(blockIndex);
      if (block?.type === 'reasoning') block.signature += signature;
      else this.blocks.set(blockIndex, { type: 'reasoning', signature });
    }
    return typeof redactedContent === 'string' ? [this.seal('redacted', redactedContent)] : [];
  }

  private seal(type: 'signature' | 'redacted', value: string): ChatPart {
    return { type: 'reasoning-delta', text: '', state: reasoningState(this.key.issuer, { type, value }) };
  }

  /** A tool called without arguments gets '{}'; a signature and citations are given when they are whole. */
  private stopBlock(blockIndex: JsonValue | undefined): ChatPart[] {
    const block = this.blocks.get(blockIndex);
    this.blocks.delete(blockIndex);
    switch (block?.type) {
      case 'tool':
        return block.hasInput ? [] : [this.input(blockIndex, block.index, '{}')];
      case 'reasoning':
        return [this.seal('signature', block.signature)];
      case 'cited': {
        const range = { start: block.start, end: this.textLength };
        return block.citations.map((one) => ({ type: 'annotation', annotation: annotationOf(one, range) }));
      }
      case undefined:
        return [];
    }
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

function parse(payload: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
