import { randomUUID } from 'node:crypto';
import type { ChatResponse, ContentBlock, FinishReason } from '../../contract/chat-response.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import { annotationOf } from './annotations.js';
import { badResponse } from './error.js';
import { reasoningState } from './state.js';
import { readUsage } from './usage.js';
import type { AnswerKey } from './wire.js';

/** Reads a whole answer. Throws GatewayError `provider_bad_response`. */
export function readMessagesResponse(body: Buffer, key: AnswerKey): ChatResponse {
  const answer = parseAnswer(body);
  const { id, model, content: blocks, stop_reason: stopReason } = answer;
  if (!Array.isArray(blocks)) throw badResponse('the answer has no "content"');
  const content = readBlocks(blocks, key);
  const usage = readUsage(answer['usage']);
  return {
    ...(typeof id === 'string' ? { id } : {}),
    ...(typeof model === 'string' ? { model } : {}),
    choices: [{ content, finishReason: readStopReason(stopReason, content.some(isToolCall)) }],
    ...(usage === undefined ? {} : { usage }),
  };
}

/** The JSON object a body is; throws GatewayError `provider_bad_response`. */
export function parseAnswer(body: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (isJsonObject(value)) return value;
  } catch {
    // Told below, as an answer that is no object.
  }
  throw badResponse('the answer is no JSON object');
}

const STOP_REASONS = new Map<unknown, FinishReason>([
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['refusal', 'content-filter'],
]);

/** `end_turn`, `stop_sequence`, `tool_use`, `pause_turn` and what nobody knows are told by what the answer holds. */
export function readStopReason(stopReason: unknown, hasToolCalls: boolean): FinishReason {
  return STOP_REASONS.get(stopReason) ?? (hasToolCalls ? 'tool-calls' : 'stop');
}

/** The tool call's id, or one of ours where the model gave none. */
export function readToolUseId(id: unknown): string {
  return typeof id === 'string' && id !== '' ? id : `toolu_${randomUUID().replaceAll('-', '')}`;
}

function isToolCall(block: ContentBlock): boolean {
  return block.type === 'tool-call';
}

/** Blocks of tools the provider runs itself have no place in the contract; the text they led to has. */
function readBlocks(blocks: readonly JsonValue[], key: AnswerKey): ContentBlock[] {
  const content: ContentBlock[] = [];
  let length = 0;
  for (const block of blocks) {
    const read = isJsonObject(block) ? readBlock(block, key, length) : undefined;
    if (read === undefined) continue;
    if (read.type === 'text') length += read.text.length;
    content.push(read);
  }
  return content;
}

/** `offset`: characters of text before the block. */
function readBlock(block: JsonObject, key: AnswerKey, offset: number): ContentBlock | undefined {
  switch (block['type']) {
    case 'text':
      return readText(block, offset);
    case 'thinking':
      return readThinking(block);
    case 'redacted_thinking': {
      const { data } = block;
      if (typeof data !== 'string') return undefined;
      return { type: 'reasoning', text: '', state: reasoningState('redacted', data) };
    }
    case 'tool_use':
      return readToolUse(block, key);
    default:
      return undefined;
  }
}

function readText({ text, citations }: JsonObject, offset: number): ContentBlock | undefined {
  if (typeof text !== 'string') return undefined;
  const range = { start: offset, end: offset + text.length };
  const annotations = (Array.isArray(citations) ? citations : [])
    .map((citation) => annotationOf(citation, range))
    .filter((annotation) => annotation !== undefined);
  return { type: 'text', text, ...(annotations.length === 0 ? {} : { annotations }) };
}

function readThinking({ thinking, signature }: JsonObject): ContentBlock {
  const text = typeof thinking === 'string' ? thinking : '';
  if (typeof signature !== 'string' || signature === '') return { type: 'reasoning', text };
  return { type: 'reasoning', text, state: reasoningState('signature', signature) };
}

function readToolUse({ id, name, input }: JsonObject, key: AnswerKey): ContentBlock {
  const argumentsText = JSON.stringify(input ?? {});
  const wireName = typeof name === 'string' ? name : '';
  if (key.jsonTool !== undefined && wireName === key.jsonTool) return { type: 'text', text: argumentsText };
  return {
    type: 'tool-call',
    id: readToolUseId(id),
    name: key.renamedTools.get(wireName) ?? wireName,
    arguments: argumentsText,
  };
}
