import type { ChatRequest, Message, Tool } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';

/** A failure asked for. */
export interface FailInstruction {
  /** An HTTP status, or one of the words sandbox.error.ts knows. */
  readonly what: string;
  readonly retryAfterMs?: number;
  /** The provider or upstream model it is meant for; absent = any. */
  readonly on?: string;
}

/** What a message told the sandbox to do; sandbox.config.ts has the list. Absent = not told. */
export interface Instructions {
  readonly reply?: string;
  readonly tokens?: number;
  readonly tokensPerSecond?: number;
  readonly latencyMs?: number;
  readonly fail?: FailInstruction;
  /** Pieces delivered before the silence. */
  readonly stallAfter?: number;
  /** Pieces delivered before the break. */
  readonly breakAfter?: number;
}

const MAX_TOKENS = 100_000;
const MAX_LATENCY_MS = 600_000;

// Brackets cannot nest, and the bounded length keeps a hostile message from costing more than one pass.
const INSTRUCTION = /\[\[(reply|tokens|pace|latency|fail|stall|break)\b([^[\]]{0,10000})\]\]/g;
const FAIL_WHAT = /^(\d{3}|[a-z_]+)(?=\s|$)/;

/** Reads the instructions of a text; what cannot be understood is left alone. */
export function readInstructions(text: string): Instructions {
  let found: Instructions = {};
  if (!text.includes('[[')) return found;
  for (const [, name = '', rest = ''] of text.matchAll(INSTRUCTION)) found = { ...found, ...read(name, rest.trim()) };
  return found;
}

/** The text without its instructions. */
export function withoutInstructions(text: string): string {
  return text.includes('[[') ? text.replace(INSTRUCTION, '').trim() : text.trim();
}

function read(name: string, rest: string): Instructions {
  if (name === 'reply') return { reply: rest };
  if (name === 'fail') return readFail(rest);
  if (name === 'stall' || name === 'break') {
    const pieces = numberIn(rest.replace(/^after\s+/, ''), MAX_TOKENS) ?? 0;
    return name === 'stall' ? { stallAfter: pieces } : { breakAfter: pieces };
  }
  const value = numberIn(rest, name === 'latency' ? MAX_LATENCY_MS : MAX_TOKENS);
  if (value === undefined) return {};
  if (name === 'tokens') return { tokens: value };
  return name === 'pace' ? { tokensPerSecond: value } : { latencyMs: value };
}

function readFail(rest: string): Instructions {
  const what = FAIL_WHAT.exec(rest)?.[1];
  if (what === undefined) return {};
  const seconds = numberIn(/\bretry=(\d+)/.exec(rest)?.[1] ?? '', 86_400);
  const on = /\bon=(\S+)/.exec(rest)?.[1];
  return {
    fail: {
      what,
      ...(seconds === undefined ? {} : { retryAfterMs: seconds * 1_000 }),
      ...(on === undefined ? {} : { on }),
    },
  };
}

function numberIn(text: string, maximum: number): number | undefined {
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text), maximum) : undefined;
}

/** The text of the last user message; '' = there is none. */
export function lastUserText(messages: readonly Message[]): string {
  const message = messages.findLast(({ role }) => role === 'user');
  return message === undefined ? '' : textOf(message);
}

/** All text of a message. */
export function textOf({ content }: Message): string {
  return content.flatMap((part) => ('text' in part ? [part.text] : [])).join('\n');
}

/** The tools an answer has to call; none = it is to be text. */
export function toolsToCall(request: ChatRequest): readonly Tool[] {
  const { tools = [], toolChoice = { type: 'auto' }, messages } = request;
  if (toolChoice.type === 'none') return [];
  if (toolChoice.type === 'tool') return tools.filter(({ name }) => name === toolChoice.name);
  if (toolChoice.type === 'auto' && messages.at(-1)?.role === 'tool') return [];
  const text = withoutInstructions(lastUserText(messages));
  const mentioned = tools.filter(({ name }) => mentions(text, name));
  const called = mentioned.length === 0 && toolChoice.type === 'required' ? tools.slice(0, 1) : mentioned;
  return request.parallelToolCalls === false ? called.slice(0, 1) : called;
}

/** True when the name stands in the text as a word of its own. */
function mentions(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    if (!isWordCharacter(text[at - 1]) && !isWordCharacter(text[at + name.length])) return true;
  }
  return false;
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /[\w-]/.test(character);
}

const WITHOUT_EFFECT = [
  'temperature',
  'topP',
  'presencePenalty',
  'frequencyPenalty',
  'logprobs',
  'logitBias',
  'reasoningEffort',
  'serviceTier',
] as const satisfies readonly (keyof ChatRequest)[];

/** What of the request the sandbox pays no heed to. */
export function lossesOf(request: ChatRequest): LossWarning[] {
  const dropped = (field: string, detail: string): LossWarning => ({ field, kind: 'dropped', detail });
  const fields: string[] = WITHOUT_EFFECT.filter((field) => request[field] !== undefined);
  const extra = Object.keys(request.extra ?? {});
  const media = request.messages.flatMap(({ content }, message) =>
    content.flatMap((part, index) => ('source' in part ? [`messages[${message}].content[${index}]`] : [])),
  );
  return [
    ...[...fields, ...extra].map((field) => dropped(field, 'the sandbox runs no model')),
    ...media.map((field) => dropped(field, 'the sandbox reads text only')),
  ];
}
