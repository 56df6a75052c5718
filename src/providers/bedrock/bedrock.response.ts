import { randomUUID } from 'node:crypto';
import type { ChatResponse, ContentBlock, FinishReason } from '../../contract/chat-response.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import { annotationOf } from './bedrock.citation.js';
import { badResponse } from './bedrock.error.js';
import { reasoningState } from './bedrock.state.js';
import { readUsage } from './bedrock.usage.js';
import type { AnswerKey } from './bedrock.wire.js';

/** Reads a whole answer of Converse. Throws GatewayError `provider_bad_response`. */
export function readConverseResponse(body: Buffer, key: AnswerKey): ChatResponse {
  const answer = parse(body);
  const output = answer['output'];
  if (!isJsonObject(output)) throw badResponse('the answer has no "output"');
  const message = output['message'];
  const blocks = isJsonObject(message) ? message['content'] : undefined;
  const content = readContent(Array.isArray(blocks) ? blocks : [], key);
  const usage = readUsage(answer['usage']);
  return {
    choices: [{ content, finishReason: readStopReason(answer['stopReason'], content.some(isToolCall)) }],
    ...(usage === undefined ? {} : { usage }),
  };
}

const STOP_REASONS = new Map<unknown, FinishReason>([
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['content_filtered', 'content-filter'],
  ['guardrail_intervened', 'content-filter'],
]);

/** A reason nobody knows, or none at all, is told by what the answer holds. */
export function readStopReason(stopReason: unknown, hasToolCalls: boolean): FinishReason {
  return STOP_REASONS.get(stopReason) ?? (hasToolCalls ? 'tool-calls' : 'stop');
}

/** The tool call's id, or one of ours where the model gave none. */
export function readToolUseId(id: unknown): string {
  return typeof id === 'string' && id !== '' ? id : `tooluse_${randomUUID().replaceAll('-', '')}`;
}

function isToolCall(block: ContentBlock): boolean {
  return block.type === 'tool-call';
}

function readContent(blocks: readonly JsonValue[], key: AnswerKey): ContentBlock[] {
  const content: ContentBlock[] = [];
  let textLength = 0;
  for (const block of blocks) {
    const read = isJsonObject(block) ? readBlock(block, key, textLength) : undefined;
    if (read === undefined) continue;
    content.push(read);
    if (read.type === 'text') textLength += read.text.length;
  }
  return content;
}

/** `textLength` is that of the answer's text before the block, which citations count from. */
function readBlock(block: JsonObject, key: AnswerKey, textLength: number): ContentBlock | undefined {
  const { text, toolUse, reasoningContent, citationsContent } = block;
  if (typeof text === 'string') return { type: 'text', text };
  if (isJsonObject(toolUse)) return readToolUse(toolUse, key);
  if (isJsonObject(reasoningContent)) return readReasoning(reasoningContent, key);
  return isJsonObject(citationsContent) ? readCited(citationsContent, textLength) : undefined;
}

function readToolUse({ toolUseId, name, input }: JsonObject, key: AnswerKey): ContentBlock {
  const argumentsText = JSON.stringify(input ?? {});
  if (key.jsonTool !== undefined && name === key.jsonTool) return { type: 'text', text: argumentsText };
  const wireName = typeof name === 'string' ? name : '';
  return {
    type: 'tool-call',
    id: readToolUseId(toolUseId),
    name: key.renamedTools.get(wireName) ?? wireName,
    arguments: argumentsText,
  };
}

function readReasoning(
  { reasoningText, redactedContent }: JsonObject,
  { issuer }: AnswerKey,
): ContentBlock | undefined {
  if (typeof redactedContent === 'string') {
    return { type: 'reasoning', text: '', state: reasoningState(issuer, { type: 'redacted', value: redactedContent }) };
  }
  if (!isJsonObject(reasoningText)) return undefined;
  const text = typeof reasoningText['text'] === 'string' ? reasoningText['text'] : '';
  const { signature } = reasoningText;
  if (typeof signature !== 'string') return { type: 'reasoning', text };
  return { type: 'reasoning', text, state: reasoningState(issuer, { type: 'signature', value: signature }) };
}

/** The text that was generated, and where it came from. */
function readCited({ content, citations }: JsonObject, start: number): ContentBlock {
  const parts = Array.isArray(content) ? content : [];
  const text = parts
    .map((part) => (isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('');
  const range = { start, end: start + text.length };
  const annotations = (Array.isArray(citations) ? citations : []).map((citation) => annotationOf(citation, range));
  return { type: 'text', text, ...(annotations.length === 0 ? {} : { annotations }) };
}

function parse(body: Buffer): JsonObject {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (isJsonObject(value)) return value;
  } catch {
    // Told below, as an answer that is no object.
  }
  throw badResponse('the answer is no JSON object');
}
