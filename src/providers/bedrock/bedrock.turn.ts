import { isCachePoint, type CachePoints } from './bedrock.cache.js';
import type { ContentBlock } from './bedrock.wire.js';

/** A message of ours that can still grow. */
export interface OpenTurn {
  readonly role: 'user' | 'assistant';
  readonly content: ContentBlock[];
}

interface Addition {
  readonly role: OpenTurn['role'];
  readonly blocks: readonly ContentBlock[];
  readonly cachePoints: CachePoints;
}

/** Puts blocks into the last turn when it is of their role, else into a new one. Cache points alone make no turn. */
export function appendBlocks(turns: OpenTurn[], { role, blocks, cachePoints }: Addition): void {
  const last = turns.at(-1);
  const content = last?.role === role ? last.content : [];
  cachePoints.append(content, blocks);
  if (content !== last?.content && content.length > 0) turns.push({ role, content });
}

/** Models refuse a last assistant turn that ends in blanks. */
export function trimPrefill(turns: readonly OpenTurn[]): void {
  const last = turns.at(-1);
  if (last?.role !== 'assistant') return;
  const at = last.content.findLastIndex((block) => !isCachePoint(block));
  const block = last.content[at];
  if (block?.text !== undefined) last.content[at] = { text: block.text.trimEnd() };
}

/**
 * Results must come first in the turn that answers a call, and documents need a text beside them: "A text block must be
 * included when using documents".
 */
export function arrangeUserTurn({ content }: OpenTurn): void {
  const units = withTheirPoints(content);
  const isResult = ([block]: readonly ContentBlock[]): boolean => block !== undefined && 'toolResult' in block;
  const results = units.filter(isResult).flat();
  if (results.length > 0) {
    content.splice(0, content.length, ...results, ...units.filter((unit) => !isResult(unit)).flat());
  }
  const hasDocument = content.some((block) => 'document' in block);
  if (!hasDocument || content.some((block) => 'text' in block)) return;
  content.splice(results.length, 0, { text: 'See the document.' });
}

/** Each block with the cache point behind it. */
function withTheirPoints(content: readonly ContentBlock[]): ContentBlock[][] {
  const units: ContentBlock[][] = [];
  for (const block of content) {
    if (isCachePoint(block)) units.at(-1)?.push(block);
    else units.push([block]);
  }
  return units;
}
