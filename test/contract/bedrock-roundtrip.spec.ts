import fc from 'fast-check';
import type { FilePart, ImagePart, Message, TextPart } from '../../src/contract/chat-request.js';
import type { LossWarning } from '../../src/contract/provider.js';
import { buildConverseRequest } from '../../src/providers/bedrock/bedrock.request.js';
import { conversations } from './bedrock-conversations.ts';
import { readConversation, type WireConversation } from './bedrock-reader.ts';

const MODEL = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const PLACEHOLDERS: ReadonlySet<string> = new Set(['.', 'See the document.']);

type Part = Message['content'][number];

/** One turn as it reaches the model. Results come before what else a user says, so each has its own list. */
interface Turn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly results: unknown[];
  readonly said: unknown[];
}

/** What of a conversation the model can be told; ids by the order they first occur in, so that they may be others. */
class Normal {
  readonly turns: Turn[] = [];
  private readonly ids = new Map<string, number>();

  constructor(messages: readonly Message[]) {
    for (const message of messages) if (message.role === 'assistant') this.count(message.content);
    for (const message of messages) this.add(message);
    const last = this.turns.at(-1);
    const text = last?.said.at(-1);
    if (last?.role === 'assistant' && isText(text))
      last.said[last.said.length - 1] = { ...text, text: text.text.trimEnd() };
  }

  private count(content: readonly Part[]): void {
    for (const part of content) if (part.type === 'tool-call') this.id(part.id);
  }

  private id(id: string): number {
    const known = this.ids.get(id) ?? this.ids.size;
    this.ids.set(id, known);
    return known;
  }

  private add(message: Message): void {
    if (message.role === 'tool') {
      const caches = [...message.content.map(({ cache }) => cache), message.cache].filter((one) => one !== undefined);
      const ttl = caches.findLast((one) => one.ttl !== undefined)?.ttl;
      const result = {
        id: this.id(message.toolCallId),
        content: message.content.map((part) => media(part, false)).filter((one) => one !== undefined),
        isError: message.isError === true,
        ...(caches.length === 0 ? {} : { cache: ttl ?? 'default' }),
      };
      this.open('user').results.push(result);
      return;
    }
    const isLeading = message.role === 'system' && !this.turns.some(({ role }) => role !== 'system');
    const role = message.role === 'assistant' ? 'assistant' : isLeading ? 'system' : 'user';
    const said =
      message.role === 'assistant' ? this.assistant(message.content) : message.content.map((part) => media(part, true));
    const kept = said.filter((one) => one !== undefined);
    if (kept.length > 0) this.open(role).said.push(...kept);
  }

  private open(role: Turn['role']): Turn {
    const last = this.turns.at(-1);
    if (last?.role === role) return last;
    const turn: Turn = { role, results: [], said: [] };
    this.turns.push(turn);
    return turn;
  }

  private assistant(content: readonly Part[]): unknown[] {
    const isSealed = (part: Part): boolean => part.type === 'reasoning' && part.state?.issuer === 'anthropic-signature';
    const first = content.findIndex(isSealed);
    const last = content.findLastIndex(isSealed);
    return content.map((part, at) => {
      if (part.type === 'reasoning') {
        if (!isSealed(part)) return undefined;
        const isRedacted = part.state?.value.startsWith('r:') === true;
        return { reasoning: isRedacted ? '' : part.text, seal: part.state?.value };
      }
      if (part.type === 'tool-call') {
        return { call: this.id(part.id), name: part.name, input: input(part.arguments), ...cacheOf(part) };
      }
      if (part.type === 'text' && first >= 0 && first < at && at < last) return { text: part.text, ...cacheOf(part) };
      return media(part, true);
    });
  }
}

function isText(value: unknown): value is { text: string } {
  return typeof value === 'object' && value !== null && 'text' in value;
}

function cacheOf(part: Part): object {
  const cache = 'cache' in part ? part.cache : undefined;
  return cache === undefined ? {} : { cache: cache.ttl ?? 'default' };
}

/** Undefined = nothing to tell. */
function media(part: Part, hasCache: boolean): unknown {
  const cache = hasCache ? cacheOf(part) : {};
  if (part.type === 'text') return part.text.trim() === '' ? undefined : { text: part.text, ...cache };
  const { source } = part as ImagePart | FilePart;
  const isDocument = part.type === 'file' && !String(source.mediaType).startsWith('video/');
  return { source, ...(isDocument && part.citations === true ? { citations: true } : {}), ...cache };
}

/** Objects as they are, anything else inside one. */
function input(text: string): string {
  if (text.trim() === '') return '{}';
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return JSON.stringify(value);
  } catch {
    // It travels as text.
  }
  return JSON.stringify({ rawInvalidInput: text });
}

function build(messages: readonly Message[]) {
  const warnings: LossWarning[] = [];
  const warn = (warning: LossWarning): number => warnings.push(warning);
  const { body, answerKey } = buildConverseRequest({ messages }, { model: MODEL, isStream: false, warn });
  return { wire: JSON.parse(JSON.stringify(body)) as WireConversation, names: answerKey.renamedTools, warnings };
}

/** Texts that were added because Bedrock wants some, taken out where nobody said them. */
function withoutPlaceholders(turns: readonly Turn[], original: readonly Message[]): Turn[] {
  const spoken = JSON.stringify(original);
  return turns
    .map((turn) => ({
      ...turn,
      said: turn.said.filter((one) => !isText(one) || !PLACEHOLDERS.has(one.text) || spoken.includes(`"${one.text}"`)),
    }))
    .filter(({ said, results }) => said.length + results.length > 0);
}

describe('a conversation through Converse', () => {
  it('loses nothing that Claude can be told', () => {
    fc.assert(
      fc.property(conversations(4), (messages) => {
        const { wire, names } = build(messages);
        const back = new Normal(readConversation(wire, names)).turns;
        expect(withoutPlaceholders(back, messages)).toEqual(new Normal(messages).turns);
      }),
      { numRuns: 500 },
    );
  });

  it('is the same the second time around', () => {
    fc.assert(
      fc.property(conversations(4), (messages) => {
        const first = build(messages);
        const second = build(readConversation(first.wire, first.names));
        expect(second.wire).toEqual(first.wire);
        expect(second.warnings).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('reports every part that cannot be told', () => {
    fc.assert(
      fc.property(conversations(0), (messages) => {
        const { warnings } = build(messages);
        const told = new Set(warnings.map(({ field }) => field));
        messages.forEach(({ role, content }, index) => {
          content.forEach((part: Part | TextPart, at) => {
            const isForeign = part.type === 'reasoning' && part.state?.issuer !== 'anthropic-signature';
            if (role === 'assistant' && part.type === 'reasoning') {
              expect(told.has(`messages[${index}].content[${at}]`)).toBe(isForeign);
            }
          });
        });
      }),
      { numRuns: 200 },
    );
  });
});
