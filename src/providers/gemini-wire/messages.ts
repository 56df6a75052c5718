import type {
  AssistantPart,
  Message,
  ProviderState,
  ToolCallPart,
  ToolResultPart,
  UserPart,
} from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import { toMediaPart } from './media.js';
import type { GeminiModel } from './model.js';
import type { GeminiService } from './service.js';
import type { GeminiContent, GeminiPart, GeminiRequest } from './wire.js';

/** Accepted by generation 3 in place of a signature, for calls the model did not make itself. */
const UNSIGNED_CALL = 'skip_thought_signature_validator';

type AssistantMessage = Extract<Message, { role: 'assistant' }>;
type ToolMessage = Extract<Message, { role: 'tool' }>;

/** Whom a request is for, and who hears what it loses. */
export interface GeminiTarget {
  readonly model: GeminiModel;
  readonly service: GeminiService;
  readonly warn: (warning: LossWarning) => void;
}

/** One result with the media that must follow it as parts of their own. */
interface ToolResult {
  readonly callId: string;
  readonly part: GeminiPart;
  readonly media: readonly GeminiPart[];
}

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
    if ('name' in message && message.name !== undefined) {
      this.target.warn({ field: `${path}.name`, kind: 'dropped', detail: 'turns have no author names' });
    }
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
    if (part.type === 'file' && part.filename !== undefined) {
      this.target.warn({ field: `${path}.filename`, kind: 'dropped', detail: 'files have no names' });
    }
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

interface PartTarget extends GeminiTarget {
  readonly path: string;
}

function assistantParts(content: readonly AssistantPart[], target: PartTarget): GeminiPart[] {
  const parts: GeminiPart[] = [];
  let loose: string | undefined;
  content.forEach((part, index) => {
    const path = `${target.path}.content[${index}]`;
    if (part.type === 'text') {
      if (part.text !== '') parts.push({ text: part.text });
    } else if (part.type === 'refusal') {
      target.warn({ field: path, kind: 'dropped', detail: 'a refusal has no place in a turn' });
    } else if (part.type === 'tool-call') {
      parts.push(functionCall(part, { ...target, path }));
    } else {
      const signature = signatureOf(part.state, { ...target, path });
      if (part.text === '') loose = signature ?? loose;
      else if (part.state === undefined || part.state.issuer === target.service.issuer) {
        parts.push({ text: part.text, thought: true, ...signed(signature) });
      }
    }
  });
  if (loose !== undefined) signText(parts, loose);
  if (target.model.generation >= 3 && !target.model.isGemma) signFirstCall(parts);
  return parts;
}

/** A signature that came with text, or after it: it belongs to the last text of the turn. */
function signText(parts: GeminiPart[], signature: string): void {
  const text = parts.findLast((part) => part.text !== undefined && part.thought !== true);
  if (text === undefined) parts.push({ text: '', thoughtSignature: signature });
  else text.thoughtSignature = signature;
}

/** Generation 3 refuses a round of calls whose first call is unsigned. */
function signFirstCall(parts: readonly GeminiPart[]): void {
  const first = parts.find((part) => part.functionCall !== undefined);
  if (first !== undefined) first.thoughtSignature ??= UNSIGNED_CALL;
}

function signed(signature: string | undefined): Pick<GeminiPart, 'thoughtSignature'> {
  return signature === undefined ? {} : { thoughtSignature: signature };
}

function signatureOf(state: ProviderState | undefined, target: PartTarget): string | undefined {
  if (state === undefined) return undefined;
  if (state.issuer !== target.service.issuer) {
    target.warn({ field: target.path, kind: 'dropped', detail: 'reasoning state of another provider' });
    return undefined;
  }
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(state.value)) return state.value;
  throw new GatewayError('invalid_value', {
    param: target.path,
    message: 'The thought signature is not valid base64; send it back as it came.',
  });
}

function functionCall(part: ToolCallPart, target: PartTarget): GeminiPart {
  const call = { ...callId(part.id, target), name: part.name, args: callArguments(part, target.path) };
  return { functionCall: call, ...signed(signatureOf(part.state, target)) };
}

/** Recorded traffic shows that a service that knows ids takes those of any origin. */
function callId(id: string, target: GeminiTarget): { readonly id?: string } {
  return id === '' || !target.service.hasCallIds ? {} : { id };
}

function callArguments(part: ToolCallPart, path: string): JsonObject {
  if (part.arguments.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(part.arguments);
    if (isJsonObject(value)) return value;
  } catch {
    // Reported below, like JSON that is no object.
  }
  throw new GatewayError('invalid_value', { param: path, message: 'Function arguments must be a valid JSON object.' });
}

function toolResult(message: ToolMessage, name: string, target: PartTarget): ToolResult {
  const text = message.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
  const media = mediaOf(message.content, target.path);
  const isNested = media.length > 0 && target.model.generation >= 3;
  if (media.length > 0 && !isNested) {
    target.warn({
      field: target.path,
      kind: 'approximated',
      detail: 'media of a tool result follow it as user content',
    });
  }
  const functionResponse = {
    ...callId(message.toolCallId, target),
    name,
    response: message.isError === true ? { error: text } : { output: text },
    ...(isNested ? { parts: media } : {}),
  };
  return { callId: message.toolCallId, part: { functionResponse }, media: isNested ? [] : media };
}

function mediaOf(content: readonly ToolResultPart[], path: string): GeminiPart[] {
  return content.flatMap((part, at) => (part.type === 'text' ? [] : [toMediaPart(part, `${path}.content[${at}]`)]));
}
