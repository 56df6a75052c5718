import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';

interface Source {
  readonly url: string;
  readonly title: string;
}

/**
 * What a candidate says of its sources, in OpenAI's form: one `url_citation` for each passage and address, with
 * indices into `text`, the whole text of the choice. Sources without an address (a file store) have no place there
 * and are left out. What is told twice, as in several events of a stream, is told once.
 */
export function toAnnotations(remarks: readonly JsonObject[], text: string): readonly JsonValue[] {
  const all = remarks.flatMap((remark) => [...groundings(remark, text), ...citations(remark, text)]);
  return [...new Map(all.map((annotation) => [JSON.stringify(annotation), annotation])).values()];
}

/** The parts of a candidate that `toAnnotations` reads; undefined = it has none. */
export function remarkOf(candidate: JsonObject): JsonObject | undefined {
  return candidate['groundingMetadata'] === undefined && candidate['citationMetadata'] === undefined
    ? undefined
    : candidate;
}

function groundings({ groundingMetadata }: JsonObject, text: string): JsonValue[] {
  if (!isJsonObject(groundingMetadata)) return [];
  const sources = objects(groundingMetadata['groundingChunks'], true).map(sourceOf);
  return objects(groundingMetadata['groundingSupports']).flatMap(({ segment, groundingChunkIndices: indices }) => {
    const range = isJsonObject(segment) ? rangeOf(segment, text) : undefined;
    if (range === undefined || !Array.isArray(indices)) return [];
    return indices.flatMap((index) => {
      const source = typeof index === 'number' ? sources[index] : undefined;
      return source === undefined ? [] : [citation(source, range)];
    });
  });
}

/** The two services name the list differently. */
function citations({ citationMetadata }: JsonObject, text: string): JsonValue[] {
  if (!isJsonObject(citationMetadata)) return [];
  return objects(citationMetadata['citationSources'] ?? citationMetadata['citations']).flatMap((entry) => {
    const source = addressed(entry);
    const range = rangeOf(entry, text);
    return source === undefined || range === undefined ? [] : [citation(source, range)];
  });
}

function sourceOf(chunk: JsonObject): Source | undefined {
  const { web, retrievedContext, maps } = chunk;
  return [web, retrievedContext, maps].map(addressed).find((source) => source !== undefined);
}

function addressed(holder: JsonValue | undefined): Source | undefined {
  if (!isJsonObject(holder) || typeof holder['uri'] !== 'string' || holder['uri'] === '') return undefined;
  const { uri, title } = holder;
  return { url: uri, title: typeof title === 'string' ? title : '' };
}

function citation({ url, title }: Source, [start, end]: readonly [number, number]): JsonValue {
  return { type: 'url_citation', url_citation: { url, title, start_index: start, end_index: end } };
}

/** Where a passage stands. Its own words are looked for first, since its offsets count bytes of one part. */
function rangeOf(segment: JsonObject, text: string): readonly [number, number] | undefined {
  const { text: words, startIndex = 0, endIndex } = segment;
  if (typeof words === 'string' && words !== '') {
    const at = text.indexOf(words);
    if (at >= 0) return [at, at + words.length];
  }
  if (typeof startIndex !== 'number' || typeof endIndex !== 'number') return undefined;
  const bytes = Buffer.from(text);
  const characters = (end: number): number => bytes.subarray(0, Math.max(end, 0)).toString('utf8').length;
  return [characters(startIndex), characters(endIndex)];
}

/** The objects of a list; with `keepPlaces` what is none becomes empty, so that indices still fit. */
function objects(list: JsonValue | undefined, keepPlaces = false): JsonObject[] {
  if (!Array.isArray(list)) return [];
  return keepPlaces ? list.map((entry) => (isJsonObject(entry) ? entry : {})) : list.filter(isJsonObject);
}
