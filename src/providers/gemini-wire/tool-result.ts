import type { Message, ToolResultPart } from '../../contract/chat-request.js';
import { toMediaPart } from './media.js';
import { callId, type PartTarget } from './target.js';
import type { GeminiPart } from './wire.js';

/** A result as callers give it back. */
export type ToolMessage = Extract<Message, { role: 'tool' }>;

/** One result with the media that must follow it as parts of their own. */
export interface ToolResult {
  readonly callId: string;
  readonly part: GeminiPart;
  readonly media: readonly GeminiPart[];
}

/** A result under the name of the tool that was called. */
export function toolResult(message: ToolMessage, name: string, target: PartTarget): ToolResult {
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
