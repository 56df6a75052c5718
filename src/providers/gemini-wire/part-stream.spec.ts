import type { ByteSink } from '../../contract/byte-source.js';
import type { ChatPart } from '../../contract/chat-response.js';
import { GeminiPartStream } from './part-stream.js';

const service = { issuer: 'clouds', hasCallIds: true, hasTierField: true, secrets: [] };

/** The parts of a body that comes in pieces of `size` bytes. */
function read(body: string, size: number): ChatPart[] {
  const bytes = Buffer.from(body);
  const parts: ChatPart[] = [];
  const source = {
    start: (sink: ByteSink): void => {
      for (let at = 0; at < bytes.length; at += size) sink.data(bytes.subarray(at, at + size));
      sink.end();
    },
    resume: () => undefined,
    destroy: () => undefined,
  };
  new GeminiPartStream(source, service).start((batch) => {
    parts.push(...batch);
    return true;
  });
  return parts;
}

const EVENTS = [
  { candidates: [{ content: { parts: [{ text: 'Zażółć ' }] } }] },
  { candidates: [{ content: { parts: [{ text: '🎉' }] }, finishReason: 'STOP' }] },
];

describe('GeminiPartStream', () => {
  it.each(['\n\n', '\r\n\r\n', '\r\r'])('H18: reads events that end in %j, wherever they are cut', (delimiter) => {
    const body = EVENTS.map((event) => `data: ${JSON.stringify(event)}${delimiter}`).join('');
    const whole = read(body, body.length * 4);
    expect(whole.map((part) => ('text' in part ? part.text : part.type))).toEqual([
      'start',
      'Zażółć ',
      '🎉',
      'choice-finish',
      'finish',
    ]);
    for (let size = 1; size < Buffer.byteLength(body); size += 1) expect(read(body, size)).toEqual(whole);
  });

  it('is broken where the bytes end inside an event', () => {
    expect(read(`data: ${JSON.stringify(EVENTS[0])}`, 7).at(-1)).toMatchObject({
      type: 'error',
      error: { code: 'provider_stream_broken' },
    });
  });
});
