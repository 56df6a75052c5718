import { randomUUID } from 'node:crypto';
import type { ChatChoice, ChatResponse, ContentBlock } from '../../contract/chat-response.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import { toAnnotations } from './annotations.js';
import { blockReason, readCandidates, toFinishReason, type GeminiCandidate, type GeminiPiece } from './answer.js';
import type { GeminiService } from './service.js';
import { toUsage } from './usage.js';

/** An id for a tool call the API named none for. */
export function newCallId(): string {
  return `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
}

/**
 * The answer of generateContent. A blocked prompt is one empty choice that finished by `content-filter`, not an
 * error: the API answers 200 and tells the tokens it read, which an error could not carry to the bill.
 * Throws `provider_bad_response` when the answer has no candidate and no reason for that.
 */
export function fromGeminiResponse(
  body: unknown,
  service: GeminiService,
  createId: () => string = newCallId,
): ChatResponse {
  if (!isJsonObject(body)) throw new GatewayError('provider_bad_response');
  const choices = toChoices(readCandidates(body, service.issuer), createId);
  if (choices.length === 0) {
    if (blockReason(body) === undefined) throw new GatewayError('provider_bad_response');
    choices.push({ content: [], finishReason: 'content-filter' });
  }
  const usage = toUsage(body['usageMetadata']);
  return { ...describeAnswer(body), choices, ...(usage === undefined ? {} : { usage }) };
}

/** Id, model and time of an answer or of an event, as far as it tells them. */
export function describeAnswer(body: JsonObject): Pick<ChatResponse, 'id' | 'model' | 'createdSeconds'> {
  const { responseId, modelVersion, createTime } = body;
  const createdMs = typeof createTime === 'string' ? Date.parse(createTime) : Number.NaN;
  return {
    ...(typeof responseId === 'string' && responseId !== '' ? { id: responseId } : {}),
    ...(typeof modelVersion === 'string' && modelVersion !== '' ? { model: modelVersion } : {}),
    ...(Number.isNaN(createdMs) ? {} : { createdSeconds: Math.floor(createdMs / 1_000) }),
  };
}

function toChoices(candidates: readonly GeminiCandidate[], createId: () => string): ChatChoice[] {
  return candidates
    .toSorted((left, right) => left.index - right.index)
    .map(({ pieces, finishReason, logprobs, remark }) => ({
      content: annotated(toBlocks(pieces, createId), remark),
      finishReason: toFinishReason(
        finishReason,
        pieces.some((piece) => piece.type === 'tool-call'),
      ),
      ...(logprobs === undefined ? {} : { logprobs }),
    }));
}

/** Sources are told of the answer as a whole: they go with its last text, by places in all its texts joined. */
function annotated(blocks: ContentBlock[], remark: JsonObject | undefined): readonly ContentBlock[] {
  const at = blocks.findLastIndex(({ type }) => type === 'text');
  const last = blocks[at];
  if (remark === undefined || last?.type !== 'text') return blocks;
  const text = blocks.map((block) => (block.type === 'text' ? block.text : '')).join('');
  const annotations = toAnnotations([remark], text);
  return annotations.length === 0 ? blocks : blocks.with(at, { ...last, annotations });
}

function toBlocks(pieces: readonly GeminiPiece[], createId: () => string): ContentBlock[] {
  const blocks: ContentBlock[] = [];
  for (const piece of pieces) {
    const last = blocks.at(-1);
    if (piece.type === 'tool-call') {
      const { id = createId(), name, state, arguments: args } = piece;
      blocks.push({
        type: 'tool-call',
        id,
        name,
        arguments: JSON.stringify(args),
        ...(state === undefined ? {} : { state }),
      });
    } else if (piece.type === 'fragments') {
      // Whole answers hold whole calls.
      continue;
    } else if (piece.type === 'text' && last?.type === 'text') {
      blocks[blocks.length - 1] = { type: 'text', text: last.text + piece.text };
    } else {
      blocks.push(piece);
    }
  }
  return blocks;
}
