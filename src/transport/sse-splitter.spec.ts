import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { GatewayError } from '../contract/errors.js';
import { SseSplitter, type SseEvent } from './sse-splitter.js';

const MEGABYTE = 1_048_576;

function split(chunks: readonly Buffer[], cap = MEGABYTE): { events: SseEvent[]; isCut: boolean } {
  const splitter = new SseSplitter(cap);
  const events = chunks.flatMap((chunk) => splitter.push(chunk));
  return { events, isCut: splitter.end() };
}

function textsOf(events: readonly SseEvent[]): string[] {
  return events.filter(({ data }) => data !== '').map(({ event, data }) => `${event ?? ''}:${data}`);
}

/** What the reference parser makes of the same bytes. */
function reference(bytes: Buffer): string[] {
  const texts: string[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (data !== '') texts.push(`${event ?? ''}:${data}`);
    },
  });
  parser.feed(new TextDecoder().decode(bytes));
  return texts;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const word = fc.constantFrom('a', ' ', 'é', '日本', '🎉', '{"x":1}', ':', 'data', '[DONE]', '\ufeff', '');
const value = fc.array(word, { maxLength: 6 }).map((words) => words.join(''));
const field = fc.constantFrom(
  'data: ',
  'data:',
  'data:  ',
  'event: ',
  'event:',
  'id: ',
  'retry: ',
  ': ',
  ':',
  'other: ',
);
const line = fc.oneof(
  fc.tuple(field, value).map(([name, text]) => name + text),
  fc.constantFrom('data', 'event', 'junk'),
);
const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const plainEnd = fc.constant('\n');
const block = (end: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(fc.array(fc.tuple(line, end), { minLength: 1, maxLength: 4 }), end, end).map(([lines, last, blank]) => {
    const text = lines.map(([content, ending], index) => content + (index < lines.length - 1 ? ending : last)).join('');
    // A CR before an LF is one line end; a blank line must not melt into the line before it.
    return text + (last === '\r' && blank === '\n' ? '\r' : blank);
  });
/** What providers send nearly always. */
const plain = value.map((text) => `data: ${text}\n\n`);
const stream = fc
  .record({
    mark: fc.constantFrom('', '\ufeff'),
    blocks: fc.oneof(
      fc.array(block(lineEnd), { maxLength: 6 }),
      fc.array(block(plainEnd), { maxLength: 6 }),
      fc.array(fc.oneof(plain, plain, block(lineEnd)), { maxLength: 8 }),
    ),
    rest: fc.constantFrom('', 'data: unfinished', 'data: unfinished\n'),
  })
  .map(({ mark, blocks, rest }) => ({
    whole: Buffer.from(mark + blocks.join('')),
    rest: Buffer.from(rest),
    mark,
    ends: blocks.map((_, index) => Buffer.byteLength(mark + blocks.slice(0, index + 1).join(''))),
  }));
/** Cuts anywhere, and cuts where an event ends, as a provider that flushes makes them. */
const places = fc.tuple(fc.array(fc.nat(400), { maxLength: 6 }), fc.array(fc.nat(6), { maxLength: 4 }));

describe('SseSplitter', () => {
  it('reads what the reference parser reads, however the bytes are cut, and loses no byte', () => {
    fc.assert(
      fc.property(stream, places, ({ whole, rest, mark, ends }, [anywhere, atEnds]) => {
        const bytes = Buffer.concat([whole, rest]);
        const { events, isCut } = split(cut(bytes, [...anywhere, ...atEnds.map((index) => ends[index] ?? 0)]));
        expect(textsOf(events)).toEqual(reference(bytes));
        const raw = Buffer.concat(events.map((event) => event.raw));
        if (whole.length > Buffer.byteLength(mark)) expect(raw.equals(whole)).toBe(true);
        expect(isCut).toBe(raw.length < bytes.length);
      }),
      { numRuns: 3_000 },
    );
  });

  it.each(['\n', '\r\n', '\r'])('gives the same events for every cut in two, lines ending in %j', (end) => {
    const bytes = Buffer.from(
      `\ufeffdata: {"a":"日本語"}${end}${end}event: x${end}data: é${end}data: 🎉${end}${end}: ping${end}${end}data: [DONE]${end}${end}`,
    );
    const expected = [':{"a":"日本語"}', 'x:é\n🎉', ':[DONE]'];
    for (let at = 0; at <= bytes.length; at += 1) {
      const { events, isCut } = split([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(textsOf(events)).toEqual(expected);
      expect(Buffer.concat(events.map(({ raw }) => raw)).equals(bytes)).toBe(true);
      expect(isCut).toBe(false);
    }
    const single = split(Array.from(bytes, (byte) => Buffer.of(byte)));
    expect(textsOf(single.events)).toEqual(expected);
    expect(single.isCut).toBe(false);
  });

  it('gives each event its own bytes', () => {
    const { events } = split([
      Buffer.from('data: first\n\n'),
      Buffer.from('data: a\n\ndata: b\n\n: ping\n\ndata:é\n\n'),
    ]);
    expect(events.map(({ raw }) => raw.toString())).toEqual([
      'data: first\n\n',
      'data: a\n\n',
      'data: b\n\n',
      ': ping\n\n',
      'data:é\n\n',
    ]);
    expect(events.map(({ data }) => data)).toEqual(['first', 'a', 'b', '', 'é']);
  });

  it('gives an event as soon as its blank line is there', () => {
    const splitter = new SseSplitter(MEGABYTE);
    expect(splitter.push(Buffer.from('data: a\r\n'))).toEqual([]);
    expect(splitter.push(Buffer.from('\r'))).toHaveLength(1);
    expect(textsOf(splitter.push(Buffer.from('\ndata: b\r\n\r\n')))).toEqual([':b']);
  });

  it.each([
    ['data: a\n\ndata: b', true],
    ['data: a\n\ndata: b\n', true],
    ['data: a\n\n', false],
    ['', false],
  ])('knows of %j whether it was cut', (text, isCut) => {
    expect(split([Buffer.from(text)]).isCut).toBe(isCut);
  });

  it.each([
    ['in one chunk', 5_000],
    ['over many chunks', 100],
  ])('gives up on an event longer than allowed that comes %s', (_name, chunkBytes) => {
    const bytes = Buffer.from(`data: first\n\ndata: ${'x'.repeat(4_000)}\n\n`);
    const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
      bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
    );
    expect(() => split(chunks, 1_000)).toThrow(GatewayError);
    expect(textsOf(split(chunks, 5_000).events)).toHaveLength(2);
  });

  it('gives up on a stream without a blank line before it has grown', () => {
    const splitter = new SseSplitter(1_000);
    const push = (): void => {
      for (let index = 0; index < 20; index += 1) splitter.push(Buffer.from(`data: ${'x'.repeat(90)}\n`));
    };
    expect(push).toThrow('longer than allowed');
  });

  it('takes a multi-megabyte event in small pieces in linear time', () => {
    const piece = Buffer.alloc(64, 'x');
    const chunks = [Buffer.from('data: '), ...Array<Buffer>(131_072).fill(piece), Buffer.from('\n\n')];
    const startMs = performance.now();
    const { events } = split(chunks, 16 * MEGABYTE);
    expect(events[0]?.data.length).toBe(131_072 * 64);
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });
});
