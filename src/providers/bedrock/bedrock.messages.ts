import type {
  AssistantPart,
  ChatRequest,
  FilePart,
  Message,
  TextPart,
  ToolResultPart,
  UserPart,
} from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import { joinBreakpoints, type CachePoints } from './bedrock.cache.js';
import { audioBlock, DocumentNames, fileBlock, imageBlock } from './bedrock.media.js';
import type { ModelTraits } from './bedrock.model.js';
import { ToolUseIds, type ToolNames } from './bedrock.names.js';
import { issuerOf, readReasoningState } from './bedrock.state.js';
import { appendBlocks, arrangeUserTurn, trimPrefill, type OpenTurn } from './bedrock.turn.js';
import type { ContentBlock, SystemBlock, ToolResultContentBlock, WireMessage } from './bedrock.wire.js';

export interface Turns {
  readonly system: SystemBlock[];
  readonly messages: WireMessage[];
  /** True when a tool call or its result stands in the turns: Bedrock then wants tools declared. */
  readonly hasToolBlocks: boolean;
}

export interface TurnRules {
  readonly traits: ModelTraits;
  readonly names: ToolNames;
  readonly cachePoints: CachePoints;
  readonly warn: (warning: LossWarning) => void;
}

/** The turns of a request in Converse's form; throws GatewayError `invalid_value` or `unsupported_parameter`. */
export function buildTurns(request: ChatRequest, rules: TurnRules): Turns {
  return new TurnBuilder(rules).build(request.messages);
}

/** Calls carry no state here: what there is was given by another provider. */
const foreignCallState = (field: string): LossWarning => ({
  field,
  kind: 'dropped',
  detail: 'the state of another provider is not sent',
});

type ReasoningPart = Extract<AssistantPart, { type: 'reasoning' }>;

/** Builds the turns of one request: neighbours of one role become one message, blank texts go. */
class TurnBuilder {
  private readonly system: SystemBlock[] = [];
  private readonly turns: OpenTurn[] = [];
  private readonly documents = new DocumentNames();
  private readonly ids: ToolUseIds;
  private hasToolBlocks = false;

  constructor(private readonly rules: TurnRules) {
    this.ids = new ToolUseIds(rules.traits.family === 'mistral');
  }

  build(messages: readonly Message[]): Turns {
    messages.forEach((message, index) => this.add(message, `messages[${index}]`));
    trimPrefill(this.turns);
    for (const turn of this.turns) if (turn.role === 'user') arrangeUserTurn(turn);
    if (this.turns.length === 0) {
      this.turns.push({ role: 'user', content: [{ text: '.' }] });
      this.warn({ field: 'messages', kind: 'approximated', detail: 'a user turn "." was added, as one is required' });
    }
    return { system: this.system, messages: this.turns, hasToolBlocks: this.hasToolBlocks };
  }

  private warn(warning: LossWarning): void {
    this.rules.warn(warning);
  }

  private add(message: Message, field: string): void {
    if ('name' in message && message.name !== undefined) {
      this.warn({ field: `${field}.name`, kind: 'dropped', detail: 'the model knows no names of participants' });
    }
    switch (message.role) {
      case 'system':
        return this.addSystem(message.content, field);
      case 'user':
        return this.append(
          'user',
          message.content.flatMap((part, at) => this.userBlocks(part, `${field}.content[${at}]`)),
        );
      case 'assistant':
        return this.append('assistant', this.assistantContent(message.content, field));
      case 'tool':
        return this.addToolResult(message, field);
    }
  }

  /** Converse has one system prompt, before all turns: a later one becomes a user's text in its place. */
  private addSystem(parts: readonly TextPart[], field: string): void {
    const blocks = parts.flatMap((part, at) => this.textBlocks(part, `${field}.content[${at}]`));
    if (this.turns.length === 0) return this.rules.cachePoints.append(this.system, blocks);
    if (blocks.length === 0) return;
    this.warn({
      field,
      kind: 'approximated',
      detail: 'a system message after the first turn was sent as a user message',
    });
    this.append('user', blocks);
  }

  private append(role: OpenTurn['role'], blocks: readonly ContentBlock[]): void {
    appendBlocks(this.turns, { role, blocks, cachePoints: this.rules.cachePoints });
  }

  private textBlocks({ text, cache }: TextPart, field: string): (ContentBlock & SystemBlock)[] {
    const point = this.rules.cachePoints.after(cache, `${field}.cache`);
    return isBlank(text) ? point : [{ text }, ...point];
  }

  private userBlocks(part: UserPart, field: string): ContentBlock[] {
    switch (part.type) {
      case 'text':
        return this.textBlocks(part, field);
      case 'image':
        if (part.detail === 'low' || part.detail === 'high') {
          this.warn({ field: `${field}.detail`, kind: 'dropped', detail: 'the model chooses how closely it looks' });
        }
        return [imageBlock(part, field), ...this.rules.cachePoints.after(part.cache, `${field}.cache`)];
      case 'audio':
        return [audioBlock(part, field)];
      case 'file':
        return [this.fileBlock(part, field), ...this.rules.cachePoints.after(part.cache, `${field}.cache`)];
    }
  }

  private fileBlock(part: FilePart, field: string): ReturnType<typeof fileBlock> {
    const block = fileBlock(part, field, this.documents);
    if (part.citations !== true) return block;
    if ('document' in block && block.document !== undefined && this.rules.traits.citations) {
      return { document: { ...block.document, citations: { enabled: true } } };
    }
    this.warn({ field: `${field}.citations`, kind: 'dropped', detail: 'the model does not cite this' });
    return block;
  }

  /** Blank texts between reasoning that is given back stay: its signatures vouch for their places. */
  private assistantContent(parts: readonly AssistantPart[], field: string): ContentBlock[] {
    const blocks = parts.map((part, at) => this.assistantBlocks(part, `${field}.content[${at}]`));
    const isReasoning = (part: readonly ContentBlock[]): boolean => part.some((block) => 'reasoningContent' in block);
    const first = blocks.findIndex(isReasoning);
    const last = blocks.findLastIndex(isReasoning);
    return blocks.flatMap((made, at) => {
      const part = parts[at];
      const isKept = made.length === 0 && part?.type === 'text' && first >= 0 && first < at && at < last;
      return isKept ? [{ text: part.text }] : made;
    });
  }

  private assistantBlocks(part: AssistantPart, field: string): ContentBlock[] {
    switch (part.type) {
      case 'text':
        return this.textBlocks(part, field);
      case 'refusal':
        return isBlank(part.text) ? [] : [{ text: part.text }];
      case 'reasoning':
        return this.reasoningBlocks(part, field);
      case 'tool-call':
        this.hasToolBlocks = true;
        if (part.state !== undefined) this.warn(foreignCallState(field));
        return [
          {
            toolUse: {
              toolUseId: this.ids.onWire(part.id),
              name: this.rules.names.onWire(part.name),
              input: this.toolInput(part.arguments, field),
            },
          },
          ...this.rules.cachePoints.after(part.cache, `${field}.cache`),
        ];
    }
  }

  /** Reasoning is given back only with the signature it came with: models refuse it without, and strangers' too. */
  private reasoningBlocks({ text, state }: ReasoningPart, field: string): ContentBlock[] {
    const seal = readReasoningState(issuerOf(this.rules.traits), state);
    if (seal === undefined) {
      const detail = state === undefined ? 'reasoning without its signature' : 'reasoning of another provider';
      this.warn({ field, kind: 'dropped', detail: `${detail} cannot be given back` });
      return [];
    }
    if (seal.type === 'redacted') return [{ reasoningContent: { redactedContent: seal.value } }];
    return [{ reasoningContent: { reasoningText: { text, signature: seal.value } } }];
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
          toolUseId: this.ids.onWire(message.toolCallId),
          content: content.length === 0 ? [{ json: {} }] : content,
          ...(message.isError === true ? { status: 'error' as const } : {}),
        },
      },
      ...this.rules.cachePoints.after(
        joinBreakpoints([...message.content.map((part) => part.cache), message.cache]),
        `${field}.cache`,
      ),
    ]);
  }

  private resultBlocks(part: ToolResultPart, field: string): ToolResultContentBlock[] {
    if (part.type === 'text') return isBlank(part.text) ? [] : [{ text: part.text }];
    if (part.type === 'image') return [imageBlock(part, field)];
    const block = this.fileBlock(part, field);
    if ('audio' in block) {
      throw new GatewayError('invalid_value', { param: field, message: `${field}: a tool result cannot hold audio.` });
    }
    return [block];
  }
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
