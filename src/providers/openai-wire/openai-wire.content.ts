import { isJsonObject } from '../../contract/json.js';

/** What a message or a delta says, apart. */
export interface SaidContent {
  readonly text: string;
  readonly reasoning: string;
}

interface Holder {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
}

/**
 * Text and reasoning of a message or a delta. Servers name reasoning `reasoning_content` or `reasoning` (the same when
 * both are there); Mistral's puts it among the parts of the content.
 */
export function readContent({ content, reasoning_content: named, reasoning: short }: Holder): SaidContent {
  const reasoning = text(named) || text(short);
  if (!Array.isArray(content)) return { text: text(content), reasoning };
  const parts: readonly unknown[] = content;
  return { text: partsText(parts, 'text'), reasoning: reasoning + partsText(parts, 'thinking') };
}

/** The texts of the parts of one type; thinking holds parts of its own. */
function partsText(parts: readonly unknown[], type: 'text' | 'thinking'): string {
  let all = '';
  for (const part of parts) {
    if (!isJsonObject(part) || part['type'] !== type) continue;
    const value = part[type];
    all += Array.isArray(value) ? partsText(value, 'text') : text(value);
  }
  return all;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
