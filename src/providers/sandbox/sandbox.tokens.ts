import type { ChatRequest, Message } from '../../contract/chat-request.js';
import type { MeasuredUsage } from '../../contract/usage.js';

const BYTES_PER_TOKEN = 4;
/** What a picture, sound or file counts. */
const MEDIA_TOKENS = 85;

/** The text in pieces of one token: at most 4 bytes each, no character divided. */
export function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  let bytes = 0;
  for (const character of text) {
    const size = Buffer.byteLength(character);
    if (bytes + size > BYTES_PER_TOKEN) {
      pieces.push(piece);
      piece = '';
      bytes = 0;
    }
    piece += character;
    bytes += size;
  }
  if (piece !== '') pieces.push(piece);
  return pieces;
}

/** Tokens of a text the model reads. */
export function textTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

/** Everything the model reads: messages and tool definitions. At least 1. */
export function promptTokens({ messages, tools = [] }: ChatRequest): number {
  const messageTokens = messages.reduce((sum, message) => sum + tokensOfMessage(message), 0);
  const toolTokens = tools.reduce((sum, tool) => sum + textTokens(JSON.stringify(tool)), 0);
  return Math.max(1, messageTokens + toolTokens);
}

function tokensOfMessage({ content }: Message): number {
  let tokens = 0;
  for (const part of content) {
    if (part.type === 'tool-call') tokens += textTokens(part.name) + textTokens(part.arguments);
    else tokens += 'text' in part ? textTokens(part.text) : MEDIA_TOKENS;
  }
  return tokens;
}

/** A usage of the sandbox, which caches nothing and does not reason. */
export function usageOf(prompt: number, completion: number, source: 'final' | 'partial'): MeasuredUsage {
  return {
    promptTokens: prompt,
    cachedPromptTokens: 0,
    cacheWriteTokens: 0,
    completionTokens: completion,
    reasoningTokens: 0,
    source,
  };
}
