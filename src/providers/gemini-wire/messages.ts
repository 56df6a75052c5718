import type { Message, UserPart } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { assistantParts } from './assistant.js';
import { toMediaPart } from './media.js';
import type { GeminiTarget } from './target.js';
import { toolResult, type ToolMessage, type ToolResult } from './tool-result.js';
import type { GeminiContent, GeminiPart, GeminiRequest } from './wire.js';

type AssistantMessage = Extract<Message, { role: 'assistant' }>;

/** Turns as `contents`, and the leading system messages as `systemInstruction`. */
export function toGeminiContents(
  messages: readonly Message[],
  target: GeminiTarget,
): Pick<GeminiRequest, 'contents' | 'systemInstruction'> {
  const fold = new ContentFold(target);
  messages.forEach((message, index) => fold.add(message, index));
  return fold.finish();
}

/** Collects turns: neighbours of one role are merged, results of one round of calls stand together. */
class ContentFold {
  private readonly contents: GeminiContent[] = [];
  private readonly system: GeminiPart[] = [];
  private readonly names = new Map<string, string>();
  private roundOfCalls: readonly string[] = [];
  private results: ToolResult[] = [];
  private lastIsResults = false;

  constructor(private readonly target: GeminiTarget) {}

  add(message: Message, index: number): void {
    const path = `messages[${index}]`;
    if (message.role !== 'tool') this.closeResults();
    switch (message.role) {
      case 'system':
        return this.addSystem(message.content, path);
      case 'user':
        return this.append(
          'user',
          message.content.flatMap((part, at) => this.userPart(part, `${path}.content[${at}]`)),
        );
      case 'assistant':
        return this.addAssistant(message, path);
      case 'tool':
        return this.addResult(message, path);
    }
  }

  finish(): Pick<GeminiRequest, 'contents' | 'systemInstruction'> {
    this.closeResults();
    const { contents, system } = this;
    if (contents.length === 0) {
      if (system.length === 0) {
        throw new GatewayError('invalid_value', { param: 'messages', message: 'The messages have no content.' });
      }
      this.target.warn({ field: 'messages', kind: 'approximated', detail: 'system text sent as the user turn' });
      return { contents: [{ role: 'user', parts: system }] };
    }
    if (system.length === 0) return { contents };
    return this.target.model.isGemma
      ? { contents: this.withSystemFirst() }
      : { contents, systemInstruction: { parts: system } };
  }

  private withSystemFirst(): GeminiContent[] {
    this.target.warn({
      field: 'messages[0]',
      kind: 'approximated',
      detail: 'system text put before the first user turn',
    });
    const text = `${this.system.map((part) => part.text).join('\n\n')}\n\n`;
    const [first, ...rest] = this.contents;
    if (first?.role !== 'user') return [{ role: 'user', parts: [{ text }] }, ...this.contents];
    const [opening, ...others] = first.parts;
    const parts = opening?.text === undefined ? [{ text }, ...first.parts] : [{ text: text + opening.text }, ...others];
    return [{ role: 'user', parts }, ...rest];
  }

  private addSystem(content: readonly { readonly text: string }[], path: string): void {
    const parts = content.filter(({ text }) => text !== '').map(({ text }): GeminiPart => ({ text }));
    if (parts.length === 0) return;
    if (this.contents.length === 0) {
      this.system.push(...parts);
      return;
    }
    // The API refuses the role system among the turns, and moving the text to the front would change its scope.
    this.target.warn({ field: path, kind: 'approximated', detail: 'a later system message is sent as a user turn' });
    this.append('user', parts);
  }

  private addAssistant(message: AssistantMessage, path: string): void {
    const calls = message.content.filter((part) => part.type === 'tool-call');
    for (const call of calls) this.names.set(call.id, call.name);
    this.roundOfCalls = calls.map((call) => call.id);
    this.append('model', assistantParts(message.content, { ...this.target, path }));
  }

  private addResult(message: ToolMessage, path: string): void {
    const name = this.names.get(message.toolCallId);
    if (name === undefined) {
      throw new GatewayError('invalid_value', {
        param: `${path}.tool_call_id`,
        message: 'The tool_call_id names no tool call of an earlier assistant message.',
      });
    }
    this.results.push(toolResult(message, name, { ...this.target, path }));
  }

  /** Results may come in any order; the API wants them in the order of the calls. */
  private closeResults(): void {
    if (this.results.length === 0) return;
    const rank = new Map(this.roundOfCalls.map((id, index) => [id, index]));
    const place = (result: ToolResult): number => rank.get(result.callId) ?? rank.size;
    const ordered = this.results.toSorted((left, right) => place(left) - place(right));
    this.results = [];
    const parts = [...ordered.map((result) => result.part), ...ordered.flatMap((result) => result.media)];
    this.contents.push({ role: 'user', parts });
    this.lastIsResults = true;
  }

  private userPart(part: UserPart, path: string): GeminiPart[] {
    if (part.type === 'text') return part.text === '' ? [] : [{ text: part.text }];
    return [toMediaPart(part, path)];
  }

  private append(role: GeminiContent['role'], parts: GeminiPart[]): void {
    if (parts.length === 0) return;
    const last = this.contents.at(-1);
    if (last?.role === role && !this.lastIsResults) last.parts.push(...parts);
    else this.contents.push({ role, parts });
    this.lastIsResults = false;
  }
}
