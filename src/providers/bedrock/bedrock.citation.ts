import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import { tokenCount } from '../../contract/usage.js';

/** The text a citation supports, in characters of the whole choice's text. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** Converse's locations in the caller's own material, and what their positions count. */
const LOCATIONS = [
  ['documentChar', 'char_index'],
  ['documentPage', 'page_number'],
  ['documentChunk', 'block_index'],
  ['searchResultLocation', 'block_index'],
] as const;

/**
 * One of Converse's citations in OpenAI's form. What is no web page has no address: a document's is
 * `#document-<index>`, and `location` says where in it. `cited_text` is the passage.
 */
export function annotationOf(citation: JsonValue, { start, end }: TextRange): JsonObject {
  const given = isJsonObject(citation) ? citation : {};
  const title = text(given['title']) ?? '';
  const passages = Array.isArray(given['sourceContent']) ? given['sourceContent'] : [];
  const cited = passages.map((passage) => (isJsonObject(passage) ? (text(passage['text']) ?? '') : '')).join('');
  return {
    type: 'url_citation',
    url_citation: {
      start_index: start,
      end_index: end,
      title,
      ...(cited === '' ? {} : { cited_text: cited }),
      ...placeOf(given),
    },
  };
}

function placeOf({ location, source }: JsonObject): JsonObject {
  const place = isJsonObject(location) ? location : {};
  const { web } = place;
  const url = text(source);
  if (isJsonObject(web)) return { url: text(web['url']) ?? url ?? text(web['domain']) ?? '' };
  for (const [key, unit] of LOCATIONS) {
    const found = place[key];
    if (!isJsonObject(found)) continue;
    const index = tokenCount(found['documentIndex'] ?? found['searchResultIndex']) ?? 0;
    const range = { [`start_${unit}`]: found['start'], [`end_${unit}`]: found['end'] };
    return { url: url ?? `#document-${index}`, location: range };
  }
  return { url: url ?? '#document-0' };
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
