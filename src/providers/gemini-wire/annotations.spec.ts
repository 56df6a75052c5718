import { toAnnotations } from './annotations.js';

const cited = (url: string, title: string, start: number, end: number): unknown => ({
  type: 'url_citation',
  url_citation: { url, title, start_index: start, end_index: end },
});

describe('toAnnotations', () => {
  it('H28: names every source of a passage, and skips those without an address', () => {
    const groundingMetadata = {
      groundingChunks: [
        { web: { uri: 'https://a.example', title: 'A' } },
        { retrievedContext: { text: 'from a store' } },
        { retrievedContext: { uri: 'gs://bucket/c' } },
      ],
      groundingSupports: [{ segment: { text: 'rain' }, groundingChunkIndices: [0, 1, 2, 9] }, { segment: {} }, 7],
    };
    expect(toAnnotations([{ groundingMetadata }, { groundingMetadata }], 'It will rain.')).toEqual([
      cited('https://a.example', 'A', 8, 12),
      cited('gs://bucket/c', '', 8, 12),
    ]);
  });

  it.each(['citationSources', 'citations'])('H28: takes offsets in bytes of %s for places in the text', (key) => {
    const citationMetadata = { [key]: [{ startIndex: 3, endIndex: 6, uri: 'https://a.example' }, { endIndex: 2 }] };
    expect(toAnnotations([{ citationMetadata }], 'é łódź')).toEqual([cited('https://a.example', '', 2, 4)]);
  });

  it.each([{}, { groundingMetadata: 7 }, { groundingMetadata: { groundingSupports: [{}] } }, { citationMetadata: [] }])(
    'makes nothing of %j',
    (remark) => {
      expect(toAnnotations([remark as never], 'text')).toEqual([]);
    },
  );
});
