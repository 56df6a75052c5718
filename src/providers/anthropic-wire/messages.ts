import type { AssistantPart, Message, ToolCallPart, ToolResultPart, UserPart } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import type { CacheHolder, CacheMarks } from './cache.js';
import { fileBlock, imageBlock } from './media.js';
import { toolUseId, type ToolNames } from './names.js';
import { readReasoningState } from './state.js';
import type { TextBlock, ToolResultBlock, ToolResultContent, WireBlock, WireMessage } from './wire.js';

export interface Turns {
  readonly system: TextBlock[];
  readonly messages: WireMessage[];
}

export interface TurnRules {
  readonly names: ToolNames;
  readonly marks: CacheMarks;
  /** Whether instructions may stand between the turns. */
  readonly laterSystem: boolean;
  readonly warn: (warning: LossWarning) => void;
}

/** The turns of a request in the API's form; throws GatewayError `invalid_value`. */
export function buildTurns(messages: readonly Message[], rules: TurnRules): Turns {
  return new TurnBuilder(rules).build(messages);
}

type ToolMessage = Extract<Message, { role: 'tool' }>;
type SystemMessage = Extract<Message, { role: 'system' }>;

/** Builds the turns of one request: neighbours of one role become one message, blank texts go. */
class TurnBuilder {
  private readonly system: TextBlock[] = [];
  private readonly turns: WireMessage[] = [];
  /** Instructions that wait for the end of the user's turn: the only place where they are taken. */
  private pending: { readonly block: TextBlock; readonly field: string; isPassed: boolean }[] = [];

  constructor(private readonly rules: TurnRules) {}

  build(messages: readonly Message[]): Turns {
    messages.forEach((message, index) => this.add(message, `messages[${index}]`));
    this.placeInstructions();
    this.trimPrefill();
    for (const turn of this.turns) if (turn.role === 'user') arrangeResults(turn.content);
    if (this.turns.length === 0) {
      this.turns.push({ role: 'user', content: [{ type: 'text', text: '.' }] });
      this.warn('messages', 'approximated', 'a user turn "." was added, as one is required');
    }
    return { system: this.system, messages: this.turns };
  }

  private add(message: Message, field: string): void {
    if ('name' in message && message.name !== undefined) {
      this.warn(`${field}.name`, 'dropped', 'the model knows no names of participants');
    }
    switch (message.role) {
      case 'system':
        return this.addSystem(message, field);
      case 'user':
        return this.append(
          'user',
          this.blocks(message.content, field, (part, at) => this.userBlock(part, at)),
        );
      case 'assistant': {
        const blocks = this.blocks(message.content, field, (part, at) => this.assistantBlock(part, at));
        if (blocks.length > 0) this.placeInstructions();
        return this.append('assistant', blocks);
      }
      case 'tool':
        return this.append('user', [this.toolResult(message, field)]);
    }
  }

  /** One block for each part that is not blank, with its breakpoint. */
  private blocks<Part extends UserPart | AssistantPart, Block extends WireBlock>(
    parts: readonly Part[],
    field: string,
    toBlock: (part: Part, field: string) => Block | undefined,
  ): Block[] {
    return parts.flatMap((part, index) => {
      const at = `${field}.content[${index}]`;
      const block = toBlock(part, at);
      const cache = 'cache' in part ? part.cache : undefined;
      if (block !== undefined) {
        this.rules.marks.mark(block as CacheHolder, cache, at);
        return [block];
      }
      if (cache !== undefined) this.warn(`${at}.cache`, 'dropped', 'an empty part cannot carry a breakpoint');
      return [];
    });
  }

  private addSystem(message: SystemMessage, field: string): void {
    const blocks = this.blocks(message.content, field, (part) => textBlock(part.text));
    if (this.turns.length === 0) this.system.push(...blocks);
    else this.pending.push(...blocks.map((block) => ({ block, field, isPassed: false })));
  }

  /**
   * Instructions after the first turn: a turn of their own behind the user's where the model takes them there, else a
   * user's text in their place.
   */
  private placeInstructions(): void {
    const waiting = this.pending;
    this.pending = [];
    for (const { block, field, isPassed } of waiting) {
      const isAfterUser = this.turns.at(-1)?.role !== 'assistant';
      if (this.rules.laterSystem && isAfterUser) {
        if (isPassed) this.warn(field, 'approximated', 'a system message was moved behind the user message after it');
        this.append('system', [block]);
      } else {
        this.warn(field, 'approximated', 'a system message after the first turn was sent as a user message');
        this.append('user', [block]);
      }
    }
  }

  /** What waits is overtaken by a user's turn where it may come behind it, else it is placed before. */
  private passInstructions(): void {
    if (!this.rules.laterSystem) this.placeInstructions();
    for (const instruction of this.pending) instruction.isPassed = true;
  }

  private append(role: WireMessage['role'], blocks: readonly WireBlock[]): void {
    if (blocks.length === 0) return;
    if (role === 'user') this.passInstructions();
    const last = this.turns.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else this.turns.push({ role, content: [...blocks] });
  }

  private userBlock(part: UserPart, field: string): WireBlock | undefined {
    switch (part.type) {
      case 'text':
        return textBlock(part.text);
      case 'image':
        if (part.detail === 'low' || part.detail === 'high') {
          this.warn(`${field}.detail`, 'dropped', 'the model chooses how closely it looks');
        }
        return imageBlock(part, field);
      case 'audio':
        throw new GatewayError('invalid_value', { param: field, message: `${field}: this model takes no audio.` });
      case 'file':
        return fileBlock(part, field);
    }
  }

  private assistantBlock(part: AssistantPart, field: string): WireBlock | undefined {
    switch (part.type) {
      case 'text':
      case 'refusal':
        return textBlock(part.text);
      case 'tool-call':
        return this.toolUse(part, field);
      case 'reasoning': {
        // Models refuse reasoning without its signature, and strangers' too.
        const proof = readReasoningState(part.state);
        if (proof?.type === 'redacted') return { type: 'redacted_thinking', data: proof.value };
        if (proof !== undefined) return { type: 'thinking', thinking: part.text, signature: proof.value };
        const detail = part.state === undefined ? 'reasoning without its signature' : 'reasoning of another provider';
        this.warn(field, 'dropped', `${detail} cannot be given back`);
        return undefined;
      }
    }
  }

  private toolUse(part: ToolCallPart, field: string): WireBlock {
    if (part.state !== undefined) {
      this.warn(field, 'dropped', 'state of another provider cannot be given back; the call itself was sent');
    }
    const { names } = this.rules;
    return { type: 'tool_use', id: toolUseId(part.id), name: names.onWire(part.name), input: this.input(part, field) };
  }

  /** `input` must be an object: what is none travels inside one. */
  private input({ arguments: text }: ToolCallPart, field: string): Record<string, unknown> {
    if (isBlank(text)) return {};
    const value = parseJson(text);
    if (isJsonObject(value)) return value;
    this.warn(`${field}.arguments`, 'approximated', 'not a JSON object; sent inside one as text');
    return { rawInvalidInput: text };
  }

  private toolResult(message: ToolMessage, field: string): ToolResultBlock {
    if (message.toolCallId.trim() === '') {
      const param = `${field}.tool_call_id`;
      throw new GatewayError('invalid_value', { param, message: `${field} names no tool call.` });
    }
    const content = message.content.flatMap((part, at) => resultBlocks(part, `${field}.content[${at}]`));
    const isError = message.isError === true;
    // An error must say something.
    if (isError && content.length === 0) content.push({ type: 'text', text: 'The tool failed.' });
    const block: ToolResultBlock = {
      type: 'tool_result',
      tool_use_id: toolUseId(message.toolCallId),
      ...(content.length === 0 ? {} : { content }),
      ...(isError ? { is_error: true } : {}),
    };
    const cached = message.content.findLast((part) => part.cache !== undefined);
    this.rules.marks.mark(block, message.cache ?? cached?.cache, field);
    return block;
  }

  /** Models refuse a last assistant turn that ends in blanks. */
  private trimPrefill(): void {
    const last = this.turns.at(-1);
    const block = last?.content.at(-1);
    if (last?.role === 'assistant' && block?.type === 'text') block.text = block.text.trimEnd();
  }

  private warn(field: string, kind: LossWarning['kind'], detail: string): void {
    this.rules.warn({ field, kind, detail });
  }
}

function resultBlocks(part: ToolResultPart, field: string): ToolResultContent[] {
  if (part.type === 'image') return [imageBlock(part, field)];
  if (part.type === 'file') return [fileBlock(part, field)];
  const block = textBlock(part.text);
  return block === undefined ? [] : [block];
}

/** Results must come first in the turn that answers a call. */
function arrangeResults(content: WireBlock[]): void {
  const isResult = (block: WireBlock): boolean => block.type === 'tool_result';
  const results = content.filter(isResult);
  if (results.length > 0) content.splice(0, content.length, ...results, ...content.filter((block) => !isResult(block)));
}

/** The API refuses blank texts. */
function textBlock(text: string): TextBlock | undefined {
  return isBlank(text) ? undefined : { type: 'text', text };
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
