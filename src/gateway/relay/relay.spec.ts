import { EventEmitter } from 'node:events';
import type { ByteSink, ByteSource } from '../../contract/byte-source.js';
import type { ChatPart } from '../../contract/chat-response.js';
import { GatewayError } from '../../contract/errors.js';
import { NATIVE_EVENT, type NativeTap, type PartSink, type PartStream } from '../../contract/provider.js';
import { NativeRelay } from './native-relay.js';
import { ResponseWriter } from './response-writer.js';
import { StreamTicker } from './stream-ticker.js';
import { TranslatedRelay } from './translated-relay.js';

type WriterArguments = ConstructorParameters<typeof ResponseWriter>;

const SETTINGS = { holdMs: 1, heartbeatMs: 1, stallMs: 1, maxBufferedBytes: 65_536, maxEventBytes: 65_536 };

/** A writer of a response that exists in memory alone. */
function memoryWriter(): ResponseWriter {
  const response = Object.assign(new EventEmitter(), { headersSent: false, destroyed: false, write: () => true });
  return new ResponseWriter(
    response as unknown as WriterArguments[0],
    { record: { bytesOut: 0 } } as unknown as WriterArguments[1],
    SETTINGS,
    new StreamTicker(),
  );
}

const tap: NativeTap = {
  event: () => NATIVE_EVENT.content,
  usage: () => undefined,
  failure: () => undefined,
  isComplete: () => true,
  generatedBytes: () => 5,
};

describe.each(['native', 'translated'] as const)('a %s relay', (kind) => {
  let isDestroyed: boolean;
  let feed: () => void;

  function startRelay(options: { onCommit: () => void; present?: () => string }): NativeRelay | TranslatedRelay {
    isDestroyed = false;
    const shared = { writer: memoryWriter(), streamError: () => '', onCommit: options.onCommit };
    const common = { resume: () => undefined, destroy: () => void (isDestroyed = true) };
    if (kind === 'native') {
      const start = (sink: ByteSink): void => void (feed = () => sink.data(Buffer.from('data: {"a":1}\n\n')));
      const source: ByteSource = { ...common, start };
      return begin(new NativeRelay({ ...shared, source, tap, maxEventBytes: 1_024, includeUsage: true, terminal: '' }));
    }
    const parts: ChatPart[] = [{ type: 'text-delta', text: 'Hello' }];
    const start = (sink: PartSink): void => void (feed = () => sink(parts));
    const stream: PartStream = { ...common, start, usageSoFar: () => undefined };
    return begin(new TranslatedRelay({ ...shared, stream, presenter: { present: options.present ?? (() => 'x') } }));
  }

  function begin<R extends NativeRelay | TranslatedRelay>(relay: R): R {
    relay.start();
    return relay;
  }

  it('makes a defect of ours the failure of this stream alone', async () => {
    const relay = startRelay({
      onCommit: () => {
        throw new TypeError('Invalid character in header content');
      },
    });
    expect(feed).not.toThrow();
    await expect(relay.committed).rejects.toMatchObject({ code: 'internal_error' });
    await expect(relay.ended).resolves.toMatchObject({ how: 'failed' });
    expect(relay.hasCommitted).toBe(false);
    expect(isDestroyed).toBe(true);
  });

  it('keeps a failure that is told as one as it is', async () => {
    const relay = startRelay({
      onCommit: () => {
        throw new GatewayError('not_supported');
      },
    });
    feed();
    await expect(relay.committed).rejects.toMatchObject({ code: 'not_supported' });
  });
});
