import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';

/** The text a citation supports, in characters of the whole choice's text. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * A citation in OpenAI's form. Citations of documents sent along have no address: theirs is `#document-<index>`, and
 * `location` says where in the document. Undefined = not a citation.
 */
export function annotationOf(citation: unknown, { start, end }: TextRange): JsonValue | undefined {
  if (!isJsonObject(citation) || typeof citation['type'] !== 'string') return undefined;
  const title = text(citation['title']) ?? text(citation['document_title']) ?? '';
  const quoted = text(citation['cited_text']);
  return {
    type: 'url_citation',
    url_citation: {
      start_index: start,
      end_index: end,
      url: text(citation['url']) ?? text(citation['source']) ?? `#document-${documentIndex(citation)}`,
      title,
      ...(quoted === undefined ? {} : { cited_text: quoted }),
      ...locationOf(citation),
    },
  };
}

const POSITION = /^(start|end)_(char_index|page_number|block_index)$/;

function locationOf(citation: JsonObject): JsonObject {
  const positions = Object.entries(citation).filter(([key]) => POSITION.test(key));
  return positions.length === 0 ? {} : { location: Object.fromEntries(positions) };
}

function documentIndex(citation: JsonObject): number {
  const index = citation['document_index'] ?? citation['search_result_index'];
  return typeof index === 'number' ? index : 0;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
