import type { ByteSink, ByteSource } from '../../contract/byte-source.js';
import type { ChatPart } from '../../contract/chat-response.js';
import { GatewayError } from '../../contract/errors.js';
import { SseSplitter } from '../../transport/sse-splitter.js';
import { MessagesPartStream } from './part-stream.js';
import { MessagesStreamReader } from './stream.js';

class Source implements ByteSource {
  sink: ByteSink | undefined;
  isDestroyed = false;

  start(sink: ByteSink): void {
    this.sink = sink;
  }

  resume(): void {}

  destroy(): void {
    this.isDestroyed = true;
  }
}

function begun(): { source: Source; stream: MessagesPartStream; batches: (readonly ChatPart[])[] } {
  const source = new Source();
  const reader = new MessagesStreamReader({ renamedTools: new Map() });
  const stream = new MessagesPartStream(source, new SseSplitter(1_000), reader);
  const batches: (readonly ChatPart[])[] = [];
  stream.start((parts) => {
    batches.push(parts);
    return false;
  });
  return { source, stream, batches };
}

const START = '{"type":"message_start","message":{"id":"m","usage":{"input_tokens":3,"output_tokens":1}}}';
const TEXT = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}';
const STOP = '{"type":"message_stop"}';

describe('the bytes of a stream', () => {
  it('N13: need no space behind the colon', () => {
    const { source, batches } = begun();
    source.sink?.data(Buffer.from([START, TEXT, STOP].map((data) => `event: x\ndata:${data}\n\n`).join('')));
    expect(batches.map((parts) => parts.map(({ type }) => type))).toEqual([
      ['start', 'text-delta', 'choice-finish', 'finish'],
    ]);
  });

  it('are parts in batches as they arrived; a pause is passed on until the end', () => {
    const { source, batches, stream } = begun();
    expect(source.sink?.data(Buffer.from(`data: ${START}\n\ndata: ${TEXT}\n`))).toBe(false);
    expect(stream.usageSoFar()).toMatchObject({ promptTokens: 3, source: 'partial' });
    expect(source.sink?.data(Buffer.from(`\ndata: ${STOP}\n\n`))).toBe(true);
    expect(batches).toHaveLength(2);
    expect(stream.usageSoFar()).toMatchObject({ promptTokens: 3, source: 'final' });
    expect(source.sink?.data(Buffer.from('rest'))).toBe(true);
  });

  it('end as broken when the source does, or an event is too long', () => {
    const cut = begun();
    cut.source.sink?.data(Buffer.from(`data: ${START}\n\n`));
    cut.source.sink?.end();
    expect(cut.batches.at(-1)).toMatchObject([{ type: 'error', error: { code: 'provider_stream_broken' } }]);
    const long = begun();
    long.source.sink?.data(Buffer.alloc(2_000, 'x'));
    expect(long.batches.at(-1)).toMatchObject([{ type: 'error', error: { code: 'provider_stream_broken' } }]);
    expect(long.source.isDestroyed).toBe(true);
    const reset = begun();
    reset.source.sink?.error(new GatewayError('client_closed'));
    expect(reset.batches).toMatchObject([[{ type: 'error', error: { code: 'client_closed' } }]]);
  });

  it('say nothing more once destroyed', () => {
    const { source, batches, stream } = begun();
    stream.destroy();
    source.sink?.data(Buffer.from(`data: ${START}\n\n`));
    expect(batches).toEqual([]);
    expect(source.isDestroyed).toBe(true);
  });
});
