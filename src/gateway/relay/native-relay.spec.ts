import { FakeByteSource, FakeTap, RecordingWriter } from '../../../test/support/relay-fakes.ts';
import { GatewayError } from '../../contract/errors.js';
import { NATIVE_EVENT } from '../../contract/provider.js';
import { NO_USAGE, type MeasuredUsage } from '../../contract/usage.js';
import { NativeRelay } from './native-relay.js';

const { none, content, usageOnly, terminal, error, malformed } = NATIVE_EVENT;
const USAGE: MeasuredUsage = { ...NO_USAGE, promptTokens: 3, completionTokens: 2, source: 'final' };
const DONE = 'data: done\n\n';
const MAX_HELD_BYTES = 1_048_576;

/** An event that the tap takes for what the bits say. */
const event = (bits: number, comment = ''): string => `data: ${bits}${comment}\n\n`;

function setUp({ includeUsage = false, maxEventBytes = 10_000 } = {}) {
  const source = new FakeByteSource();
  const tap = new FakeTap();
  const writer = new RecordingWriter();
  const onCommit = jest.fn(() => expect(writer.writes).toEqual([]));
  const relay = new NativeRelay({
    source,
    tap,
    writer,
    onCommit,
    includeUsage,
    maxEventBytes,
    terminal: DONE,
    streamError: ({ code }) => `error: ${code}\n\n`,
  });
  const commitment = relay.committed.then(
    () => 'committed',
    ({ code }: GatewayError) => code,
  );
  relay.start();
  return { source, tap, writer, onCommit, relay, commitment };
}

describe('a native stream', () => {
  it('is held back until the first content, then leaves in one order', async () => {
    const { source, writer, onCommit, relay, commitment } = setUp();
    source.push(event(none, ' azure begins with nothing'));
    source.push(': a comment\n\n');
    expect(writer.writes).toEqual([]);
    expect([onCommit.mock.calls.length, relay.hasCommitted]).toEqual([0, false]);
    source.push(event(content, ' first'));
    expect(await commitment).toBe('committed');
    source.push(event(content, ' second'));
    expect(writer.text).toBe(
      `${event(none, ' azure begins with nothing')}: a comment\n\n${event(content, ' first')}${event(content, ' second')}`,
    );
    expect([onCommit.mock.calls.length, relay.hasCommitted]).toEqual([1, true]);
  });

  it('passes the bytes of the provider on, whatever their form', () => {
    const { source, writer } = setUp();
    const text = `event: x\r\nid: 7\r\ndata:${content}\r\n\r\ndata: ${none}\ndata: "ü"\n\n`;
    source.push(text);
    expect(writer.text).toBe(text);
  });

  it('lets what arrived together leave together', () => {
    const { source, writer } = setUp();
    source.push(event(content));
    source.push(event(content, ' a') + event(none, ' b') + event(content, ' c'));
    expect(writer.writes).toEqual([event(content), event(content, ' a') + event(none, ' b') + event(content, ' c')]);
  });

  it('waits for the rest of an event that was cut in two', () => {
    const { source, writer } = setUp();
    source.push(`${event(content, ' a')}data: ${content}`);
    expect(writer.text).toBe(event(content, ' a'));
    source.push(' b\n\n');
    expect(writer.text).toBe(event(content, ' a') + event(content, ' b'));
  });

  it('shows its tap every event, and comments to nobody but the client', () => {
    const { source, tap, writer } = setUp();
    source.push(`: hi\n\n${event(content)}: there\n\n${event(usageOnly)}`);
    expect(tap.seen).toEqual([String(content), String(usageOnly)]);
    expect(writer.text).toBe(`: hi\n\n${event(content)}: there\n\n`);
  });

  it('passes on what nobody understands', () => {
    const { source, writer } = setUp();
    source.push(event(content) + event(malformed));
    expect(writer.text).toBe(event(content) + event(malformed));
  });

  it('leaves out events that hold nothing but usage, unless it was asked for', () => {
    const quiet = setUp();
    quiet.source.push(event(content));
    quiet.source.push(event(usageOnly));
    quiet.source.push(event(terminal));
    expect(quiet.writer.text).toBe(event(content) + event(terminal));
    const told = setUp({ includeUsage: true });
    told.source.push(event(content) + event(usageOnly) + event(terminal));
    expect(told.writer.text).toBe(event(content) + event(usageOnly) + event(terminal));
  });

  it('passes an event on that holds usage and content', () => {
    const { source, writer } = setUp();
    source.push(event(content));
    source.push(event(none, ' with usage in it'));
    expect(writer.text).toBe(event(content) + event(none, ' with usage in it'));
  });

  it('is whole with its terminal mark, and everything after it is ignored', async () => {
    const { source, tap, writer, relay } = setUp();
    Object.assign(tap, { told: USAGE, bytes: 9 });
    source.push(event(content) + event(terminal) + event(content, ' late') + event(error));
    source.push(event(content, ' later'));
    source.end();
    source.fail(new GatewayError('provider_stream_broken'));
    expect(writer.text).toBe(event(content) + event(terminal));
    expect(writer.ending).toBe('end');
    expect(await relay.ended).toEqual({ how: 'complete', usage: USAGE, generatedBytes: 9 });
    expect(tap.seen).toEqual([content, terminal].map(String));
    // The rest is read and dropped, so that the connection can be used again.
    expect(source.calls).toEqual(['start']);
    expect(source.wantsMore).toBe(true);
  });

  it('that ends whole but without its mark gets one', async () => {
    const { source, tap, writer, relay } = setUp();
    source.push(event(content));
    tap.whole = true;
    source.end();
    expect(writer.text).toBe(event(content) + DONE);
    expect(writer.ending).toBe('end');
    expect(await relay.ended).toEqual({ how: 'complete', generatedBytes: 0 });
  });

  it('without any content is an answer all the same', async () => {
    const { source, writer, commitment, onCommit } = setUp();
    source.push(event(none) + event(terminal));
    expect(await commitment).toBe('committed');
    expect(onCommit).toHaveBeenCalledTimes(1);
    expect([writer.text, writer.ending]).toEqual([event(none) + event(terminal), 'end']);
  });
});

describe('a native stream that breaks', () => {
  const BROKEN = new GatewayError('provider_unreachable');

  it.each<[string, (upstream: ReturnType<typeof setUp>) => void, string]>([
    ['its connection breaks', ({ source }) => source.fail(BROKEN), 'provider_unreachable'],
    ['it ends too early', ({ source }) => source.end(), 'provider_stream_broken'],
    [
      'it ends within an event',
      ({ source, tap }) => {
        tap.whole = true;
        source.push('data: ');
        source.end();
      },
      'provider_stream_broken',
    ],
    [
      'it ends too early after a failure was told',
      ({ source, tap }) => {
        tap.error = new GatewayError('provider_overloaded');
        source.end();
      },
      'provider_overloaded',
    ],
    [
      'the provider tells an error',
      ({ source, tap }) => {
        tap.error = new GatewayError('content_filter');
        source.push(event(error));
      },
      'content_filter',
    ],
    ['the provider tells an error nobody understands', ({ source }) => source.push(event(error)), 'provider_error'],
    ['an event is too long', ({ source }) => source.push(`data: ${'x'.repeat(10_000)}`), 'provider_stream_broken'],
  ])('before its content rejects, so that another may answer: %s', async (_name, break_, code) => {
    const upstream = setUp();
    upstream.source.push(event(none));
    break_(upstream);
    expect(await upstream.commitment).toBe(code);
    expect(await upstream.relay.ended).toMatchObject({ how: 'failed', error: { code } });
    expect(upstream.writer.writes).toEqual([]);
    expect(upstream.writer.ending).toBeUndefined();
    expect(upstream.source.calls).toEqual(['start', 'destroy']);

    const later = setUp();
    later.source.push(event(content));
    break_(later);
    expect(await later.commitment).toBe('committed');
    expect(await later.relay.ended).toMatchObject({ how: 'failed', error: { code } });
    expect(later.writer.text).toBe(`${event(content)}error: ${code}\n\n`);
    expect(later.writer.ending).toBe('fail');
  });

  it('passes on what came before the error in the same piece, and not the provider’s own error', () => {
    const { source, writer, tap } = setUp();
    tap.error = new GatewayError('provider_error');
    source.push(event(content, ' last words') + event(error, ' secret') + event(content, ' late'));
    expect(writer.text).toBe(`${event(content, ' last words')}error: provider_error\n\n`);
  });

  it('tells what was used and generated until then', async () => {
    const { source, tap, relay } = setUp();
    Object.assign(tap, { told: USAGE, bytes: 9 });
    source.push(event(content));
    source.end();
    expect(await relay.ended).toMatchObject({ how: 'failed', usage: USAGE, generatedBytes: 9 });
  });

  it('holds a bounded number of bytes before its content', async () => {
    const { source, commitment } = setUp({ maxEventBytes: 2 * MAX_HELD_BYTES });
    source.push(`: ${'x'.repeat(MAX_HELD_BYTES - 4)}\n\n`);
    expect(source.calls).toEqual(['start']);
    source.push(': x\n\n');
    expect(await commitment).toBe('provider_stream_broken');
    expect(source.calls).toEqual(['start', 'destroy']);
  });
});

describe('a native stream to a slow client', () => {
  it('asks its source to pause, and to go on when the client takes bytes again', () => {
    const { source, writer } = setUp();
    source.push(event(content));
    expect(source.wantsMore).toBe(true);
    writer.hasRoom = false;
    source.push(event(content));
    expect(source.wantsMore).toBe(false);
    expect(source.calls).toEqual(['start']);
    writer.onDrain?.();
    expect(source.calls).toEqual(['start', 'resume']);
  });

  it('pauses at its commit already', () => {
    const { source, writer } = setUp();
    writer.hasRoom = false;
    source.push(event(content));
    expect(source.wantsMore).toBe(false);
  });

  it('does not pause for what is not written', () => {
    const { source, writer } = setUp();
    source.push(event(content));
    writer.hasRoom = false;
    source.push(event(usageOnly));
    expect(source.wantsMore).toBe(true);
  });
});

describe('a native stream nobody waits for', () => {
  const GONE = new GatewayError('client_closed');

  it('given up before its content rejects and closes the upstream', async () => {
    const { source, relay, commitment, writer } = setUp();
    relay.abandon(GONE);
    relay.abandon(new GatewayError('provider_timeout'));
    source.push(event(content));
    expect(await commitment).toBe('client_closed');
    expect(await relay.ended).toMatchObject({ how: 'abandoned', error: GONE });
    expect(source.calls).toEqual(['start', 'destroy']);
    expect(writer.writes).toEqual([]);
  });

  it('given up after its content closes the upstream and writes nothing more', async () => {
    const { source, relay, writer, tap } = setUp();
    source.push(event(content));
    tap.bytes = 5;
    relay.abandon(GONE);
    expect(await relay.ended).toEqual({ how: 'abandoned', error: GONE, generatedBytes: 5 });
    expect([writer.text, writer.ending]).toEqual([event(content), undefined]);
    expect(source.calls).toEqual(['start', 'destroy']);
  });

  it('given up before its start is never started', () => {
    const source = new FakeByteSource();
    const relay = new NativeRelay({
      source,
      tap: new FakeTap(),
      writer: new RecordingWriter(),
      onCommit: () => undefined,
      includeUsage: false,
      maxEventBytes: 1_024,
      terminal: DONE,
      streamError: () => '',
    });
    relay.committed.catch(() => undefined);
    relay.abandon(GONE);
    relay.start();
    expect(source.calls).toEqual(['destroy']);
  });

  it('is not given up when it is over', async () => {
    const { source, relay } = setUp();
    source.push(event(content) + event(terminal));
    relay.abandon(GONE);
    expect(await relay.ended).toMatchObject({ how: 'complete' });
    expect(source.calls).toEqual(['start']);
  });

  it('read on after its content is read to its end, pause or not, and nothing is written', async () => {
    const { source, relay, writer, tap } = setUp();
    writer.hasRoom = false;
    source.push(event(content));
    relay.detach();
    expect(source.calls).toEqual(['start', 'resume']);
    source.push(event(content));
    expect(source.wantsMore).toBe(true);
    tap.told = USAGE;
    source.push(event(terminal));
    expect(await relay.ended).toMatchObject({ how: 'complete', usage: USAGE });
    expect([writer.text, writer.ending]).toEqual([event(content), undefined]);
  });

  it('read on before its content commits by its content, so that no clock takes it for silent', async () => {
    const { source, relay, writer, onCommit, commitment } = setUp();
    source.push(event(none));
    relay.detach();
    expect(onCommit).not.toHaveBeenCalled();
    source.push(event(content));
    expect(await commitment).toBe('committed');
    source.push(event(terminal));
    expect(await relay.ended).toMatchObject({ how: 'complete' });
    expect([writer.writes, writer.ending]).toEqual([[], undefined]);
    expect(onCommit).toHaveBeenCalledTimes(1);
  });

  it('read on and broken writes no error', async () => {
    const { source, relay, writer } = setUp();
    source.push(event(content));
    relay.detach();
    source.fail(new GatewayError('provider_stream_broken'));
    expect(await relay.ended).toMatchObject({ how: 'failed', error: { code: 'provider_stream_broken' } });
    expect([writer.text, writer.ending]).toEqual([event(content), undefined]);
  });
});
