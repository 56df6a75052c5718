import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';

/** Where in the text of the answer a citation stands, in UTF-16 units. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** Locations in the caller's own material: Converse's name, what it counts, and how the address names it. */
const LOCATIONS = [
  ['documentChar', 'documentIndex', 'document', 'char'],
  ['documentPage', 'documentIndex', 'document', 'page'],
  ['documentChunk', 'documentIndex', 'document', 'chunk'],
  ['searchResultLocation', 'searchResultIndex', 'search-result', 'block'],
] as const;

/**
 * One of Converse's citations in OpenAI's form. What is no web page gets an address too, as OpenAI wants one:
 * `document:0#char=0,58` is the first document of the request, its characters 0 to 58. `cited_text` is the passage.
 */
export function annotationOf(citation: JsonValue, { start, end }: TextRange): JsonObject {
  const given = isJsonObject(citation) ? citation : {};
  const title = text(given['title']) ?? text(given['source']) ?? '';
  const passages = Array.isArray(given['sourceContent']) ? given['sourceContent'] : [];
  const cited = passages.map((passage) => (isJsonObject(passage) ? (text(passage['text']) ?? '') : '')).join('');
  return {
    type: 'url_citation',
    url_citation: {
      start_index: start,
      end_index: end,
      url: addressOf(given),
      title,
      ...(cited === '' ? {} : { cited_text: cited }),
    },
  };
}

function addressOf({ location, source }: JsonObject): string {
  const place = isJsonObject(location) ? location : {};
  const { web } = place;
  if (isJsonObject(web)) return text(web['url']) ?? text(web['domain']) ?? 'document:';
  for (const [key, indexKey, scheme, unit] of LOCATIONS) {
    const found = place[key];
    if (isJsonObject(found))
      return `${scheme}:${index(found[indexKey])}#${unit}=${index(found['start'])},${index(found['end'])}`;
  }
  const name = text(source) ?? '';
  return URL.canParse(name) ? name : `document:${encodeURIComponent(name)}`;
}

function index(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
