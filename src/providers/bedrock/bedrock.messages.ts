import type {
  AssistantPart,
  ChatRequest,
  Message,
  ProviderState,
  ToolResultPart,
  UserPart,
} from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import { audioBlock, DocumentNames, fileBlock, imageBlock } from './bedrock.media.js';
import { toolUseId, type ToolNames } from './bedrock.names.js';
import {
  ISSUER,
  type ContentBlock,
  type SystemBlock,
  type ToolResultContentBlock,
  type WireMessage,
} from './bedrock.wire.js';

export interface Turns {
  readonly system: SystemBlock[];
  readonly messages: WireMessage[];
  /** True when a tool call or its result stands in the turns: Bedrock then wants tools declared. */
  readonly hasToolBlocks: boolean;
}

type Warn = (warning: LossWarning) => void;

/** The turns of a request in Converse's form; throws GatewayError `invalid_value`. */
export function buildTurns(request: ChatRequest, names: ToolNames, warn: Warn): Turns {
  return new TurnBuilder(names, warn).build(request.messages);
}

/** A message of ours that can still grow. */
interface OpenMessage {
  readonly role: 'user' | 'assistant';
  readonly content: ContentBlock[];
}

/** Builds the turns of one request: neighbours of one role become one message, blank texts go. */
class TurnBuilder {
  private readonly system: SystemBlock[] = [];
  private readonly turns: OpenMessage[] = [];
  private readonly documents = new DocumentNames();
  private hasToolBlocks = false;

  constructor(
    private readonly names: ToolNames,
    private readonly warn: Warn,
  ) {}

  build(messages: readonly Message[]): Turns {
    messages.forEach((message, index) => this.add(message, `messages[${index}]`));
    this.trimPrefill();
    for (const turn of this.turns) if (turn.role === 'user') arrangeUserTurn(turn);
    if (this.turns.length === 0) {
      this.turns.push({ role: 'user', content: [{ text: '.' }] });
      this.warn({ field: 'messages', kind: 'approximated', detail: 'a user turn "." was added, as one is required' });
    }
    return { system: this.system, messages: this.turns, hasToolBlocks: this.hasToolBlocks };
  }

  private add(message: Message, field: string): void {
    if ('name' in message && message.name !== undefined) {
      this.warn({ field: `${field}.name`, kind: 'dropped', detail: 'the model knows no names of participants' });
    }
    switch (message.role) {
      case 'system':
        return this.addSystem(
          message.content.map((part) => part.text),
          field,
        );
      case 'user':
        return this.append(
          'user',
          message.content.flatMap((part, at) => this.userBlocks(part, `${field}.content[${at}]`)),
        );
      case 'assistant':
        return this.append(
          'assistant',
          message.content.flatMap((part, at) => this.assistantBlocks(part, `${field}.content[${at}]`)),
        );
      case 'tool':
        return this.addToolResult(message, field);
    }
  }

  /** Converse has one system prompt, before all turns: a later one becomes a user's text in its place. */
  private addSystem(texts: readonly string[], field: string): void {
    const blocks = texts.filter((text) => !isBlank(text)).map((text) => ({ text }));
    if (this.turns.length === 0) {
      this.system.push(...blocks);
      return;
    }
    if (blocks.length === 0) return;
    this.warn({
      field,
      kind: 'approximated',
      detail: 'a system message after the first turn was sent as a user message',
    });
    this.append('user', blocks);
  }

  private append(role: OpenMessage['role'], blocks: readonly ContentBlock[]): void {
    if (blocks.length === 0) return;
    const last = this.turns.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else this.turns.push({ role, content: [...blocks] });
  }

  private userBlocks(part: UserPart, field: string): ContentBlock[] {
    switch (part.type) {
      case 'text':
        return isBlank(part.text) ? [] : [{ text: part.text }];
      case 'image':
        if (part.detail === 'low' || part.detail === 'high') {
          this.warn({ field: `${field}.detail`, kind: 'dropped', detail: 'the model chooses how closely it looks' });
        }
        return [imageBlock(part, field)];
      case 'audio':
        return [audioBlock(part, field)];
      case 'file':
        return [fileBlock(part, field, this.documents)];
    }
  }

  private assistantBlocks(part: AssistantPart, field: string): ContentBlock[] {
    switch (part.type) {
      case 'text':
      case 'refusal':
        return isBlank(part.text) ? [] : [{ text: part.text }];
      case 'reasoning':
        return this.reasoningBlocks(part.text, part.state, field);
      case 'tool-call':
        this.hasToolBlocks = true;
        return [
          {
            toolUse: {
              toolUseId: toolUseId(part.id),
              name: this.names.onWire(part.name),
              input: this.toolInput(part.arguments, field),
            },
          },
        ];
    }
  }

  /** Reasoning is given back only with the signature it came with: models refuse it without, and strangers' too. */
  private reasoningBlocks(text: string, state: ProviderState | undefined, field: string): ContentBlock[] {
    const replay = state?.issuer === ISSUER ? readReasoningState(state.value) : undefined;
    if (replay === undefined) {
      const detail = state === undefined ? 'reasoning without its signature' : 'reasoning of another provider';
      this.warn({ field, kind: 'dropped', detail: `${detail} cannot be given back` });
      return [];
    }
    if (replay.type === 'redacted') return [{ reasoningContent: { redactedContent: replay.value } }];
    return [{ reasoningContent: { reasoningText: { text, signature: replay.value } } }];
  }

  /** `input` must be an object: what is none travels inside one. */
  private toolInput(argumentsText: string, field: string): JsonObject {
    if (isBlank(argumentsText)) return {};
    const value = parseJson(argumentsText);
    if (isJsonObject(value)) return value;
    this.warn({
      field: `${field}.arguments`,
      kind: 'approximated',
      detail: 'not a JSON object; sent inside one as text',
    });
    return { rawInvalidInput: argumentsText };
  }

  private addToolResult(message: Extract<Message, { role: 'tool' }>, field: string): void {
    if (message.toolCallId.trim() === '') {
      throw new GatewayError('invalid_value', {
        param: `${field}.tool_call_id`,
        message: `${field} names no tool call.`,
      });
    }
    this.hasToolBlocks = true;
    const content = message.content.flatMap((part, at) => this.resultBlocks(part, `${field}.content[${at}]`));
    this.append('user', [
      {
        toolResult: {
          toolUseId: toolUseId(message.toolCallId),
          content: content.length === 0 ? [{ json: {} }] : content,
          ...(message.isError === true ? { status: 'error' as const } : {}),
        },
      },
    ]);
  }

  private resultBlocks(part: ToolResultPart, field: string): ToolResultContentBlock[] {
    if (part.type === 'text') return isBlank(part.text) ? [] : [{ text: part.text }];
    if (part.type === 'image') return [imageBlock(part, field)];
    const block = fileBlock(part, field, this.documents);
    if ('audio' in block) {
      throw new GatewayError('invalid_value', { param: field, message: `${field}: a tool result cannot hold audio.` });
    }
    return [block];
  }

  /** Models refuse a last assistant turn that ends in blanks. */
  private trimPrefill(): void {
    const last = this.turns.at(-1);
    const block = last?.content.at(-1);
    if (last?.role !== 'assistant' || block === undefined || !('text' in block) || block.text === undefined) return;
    last.content[last.content.length - 1] = { text: block.text.trimEnd() };
  }
}

/**
 * Results must come first in the turn that answers a call, and documents need a text beside them: "A text block must be
 * included when using documents".
 */
function arrangeUserTurn({ content }: OpenMessage): void {
  const isResult = (block: ContentBlock): boolean => 'toolResult' in block;
  const results = content.filter(isResult);
  if (results.length > 0) content.splice(0, content.length, ...results, ...content.filter((block) => !isResult(block)));
  const hasDocument = content.some((block) => 'document' in block);
  if (!hasDocument || content.some((block) => 'text' in block)) return;
  content.splice(results.length, 0, { text: 'See the document.' });
}

/** How a signature or a redacted block is kept in a ProviderState. */
export function reasoningState(type: 'signature' | 'redacted', value: string): ProviderState {
  return { issuer: ISSUER, value: `${type === 'signature' ? 's' : 'r'}:${value}` };
}

function readReasoningState(state: string): { type: 'signature' | 'redacted'; value: string } | undefined {
  const value = state.slice(2);
  if (state.startsWith('s:')) return { type: 'signature', value };
  return state.startsWith('r:') ? { type: 'redacted', value } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}
