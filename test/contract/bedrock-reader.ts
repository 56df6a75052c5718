import type {
  AssistantPart,
  CacheBreakpoint,
  Message,
  TextPart,
  ToolResultPart,
  UserPart,
} from '../../src/contract/chat-request.js';

interface Source {
  readonly bytes: string;
}

/** A block of Converse's as it stands on the wire; exactly one field but `cachePoint` of its own block is set. */
export interface WireBlock {
  readonly text?: string;
  readonly image?: { readonly format: string; readonly source: Source };
  readonly video?: { readonly format: string; readonly source: Source };
  readonly document?: {
    readonly format: string;
    readonly name: string;
    readonly source: Source;
    readonly citations?: { readonly enabled: boolean };
  };
  readonly toolUse?: { readonly toolUseId: string; readonly name: string; readonly input: unknown };
  readonly toolResult?: {
    readonly toolUseId: string;
    readonly content: readonly (WireBlock & { readonly json?: unknown })[];
    readonly status?: string;
  };
  readonly reasoningContent?: {
    readonly reasoningText?: { readonly text: string; readonly signature?: string };
    readonly redactedContent?: string;
  };
  readonly cachePoint?: { readonly ttl?: '5m' | '1h' };
}

export interface WireConversation {
  readonly system?: readonly WireBlock[];
  readonly messages?: readonly { readonly role: string; readonly content: readonly WireBlock[] }[];
}

const IMAGES: Readonly<Record<string, string>> = { mov: 'quicktime' };
const DOCUMENTS: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  csv: 'text/csv',
  html: 'text/html',
  txt: 'text/plain',
  md: 'text/markdown',
};

/** Reads a request of Converse's back as the turns it was made of; `names` gives tools their own names back. */
export function readConversation(wire: WireConversation, names: ReadonlyMap<string, string>): Message[] {
  const read: Message[] = [];
  if (wire.system !== undefined) {
    read.push({ role: 'system', content: withBreakpoints(wire.system, (block) => userPart(block) as TextPart) });
  }
  for (const { role, content } of wire.messages ?? []) {
    if (role === 'assistant') {
      read.push({ role: 'assistant', content: withBreakpoints(content, (block) => assistantPart(block, names)) });
    } else read.push(...userTurns(content));
  }
  return read;
}

/** Each block read, with the breakpoint that follows it. */
function withBreakpoints<Part extends object>(
  blocks: readonly WireBlock[],
  readBlock: (block: WireBlock) => Part,
): Part[] {
  const parts: Part[] = [];
  for (const block of blocks) {
    const last = parts.at(-1);
    if (block.cachePoint === undefined) parts.push(readBlock(block));
    else if (last !== undefined) parts[parts.length - 1] = { ...last, cache: breakpointOf(block.cachePoint) };
    else throw new Error('a cache point has nothing before it');
  }
  return parts;
}

function breakpointOf({ ttl }: { readonly ttl?: '5m' | '1h' }): CacheBreakpoint {
  return ttl === undefined ? {} : { ttl };
}

/** Results are messages of their own; what else a user said follows them. */
function userTurns(content: readonly WireBlock[]): Message[] {
  const results = withBreakpoints(
    content.filter((_, at) => isOfResult(content, at)),
    toolMessage,
  );
  const others = withBreakpoints(
    content.filter((_, at) => !isOfResult(content, at)),
    userPart,
  );
  return others.length === 0 ? results : [...results, { role: 'user', content: others }];
}

function isOfResult(content: readonly WireBlock[], at: number): boolean {
  const block = content[at]?.cachePoint === undefined ? content[at] : content[at - 1];
  return block?.toolResult !== undefined;
}

function toolMessage({ toolResult }: WireBlock): Extract<Message, { role: 'tool' }> {
  if (toolResult === undefined) throw new Error('this is no tool result');
  const content = toolResult.content.flatMap((block) =>
    block.json === undefined ? [userPart(block) as ToolResultPart] : [],
  );
  return {
    role: 'tool',
    toolCallId: toolResult.toolUseId,
    content,
    ...(toolResult.status === 'error' ? { isError: true } : {}),
  };
}

function userPart(block: WireBlock): UserPart {
  const { text, image, video, document } = block;
  if (text !== undefined) return { type: 'text', text };
  if (image !== undefined) return { type: 'image', source: inline(`image/${image.format}`, image.source) };
  if (video !== undefined) {
    return { type: 'file', source: inline(`video/${IMAGES[video.format] ?? video.format}`, video.source) };
  }
  if (document === undefined) throw new Error(`a user cannot say ${JSON.stringify(block)}`);
  return {
    type: 'file',
    source: inline(DOCUMENTS[document.format] ?? '', document.source),
    filename: `${document.name}.${document.format}`,
    ...(document.citations?.enabled === true ? { citations: true } : {}),
  };
}

function inline(mediaType: string, { bytes }: Source): { type: 'base64'; mediaType: string; data: string } {
  return { type: 'base64', mediaType, data: bytes };
}

function assistantPart(block: WireBlock, names: ReadonlyMap<string, string>): AssistantPart {
  const { text, toolUse, reasoningContent } = block;
  if (text !== undefined) return { type: 'text', text };
  if (toolUse !== undefined) {
    const { toolUseId, name, input } = toolUse;
    return { type: 'tool-call', id: toolUseId, name: names.get(name) ?? name, arguments: JSON.stringify(input) };
  }
  const issuer = 'anthropic-signature';
  const { reasoningText, redactedContent } = reasoningContent ?? {};
  if (reasoningText !== undefined) {
    return {
      type: 'reasoning',
      text: reasoningText.text,
      state: { issuer, value: `s:${reasoningText.signature ?? ''}` },
    };
  }
  const value = `r:${Buffer.from(redactedContent ?? '', 'base64').toString('utf8')}`;
  return { type: 'reasoning', text: '', state: { issuer, value } };
}
