import { FakePartStream, RecordingWriter } from '../../../test/support/relay-fakes.ts';
import type { ChatPart } from '../../contract/chat-response.js';
import { GatewayError } from '../../contract/errors.js';
import { NO_USAGE, type MeasuredUsage } from '../../contract/usage.js';
import { TranslatedRelay } from './translated-relay.js';

const USAGE: MeasuredUsage = { ...NO_USAGE, promptTokens: 3, completionTokens: 2, source: 'final' };
const BROKEN = new GatewayError('provider_stream_broken');

const text = (content: string): ChatPart => ({ type: 'text-delta', text: content });
const STOP: ChatPart = { type: 'choice-finish', reason: 'stop' };
const FINISH: ChatPart = { type: 'finish', usage: USAGE };

/** Presents each part by its type and text; the start shows nothing. */
function present(part: ChatPart): string {
  if (part.type === 'start') return '';
  return 'text' in part ? `<${part.type} ${part.text}>` : `<${part.type}>`;
}

function setUp() {
  const stream = new FakePartStream();
  const writer = new RecordingWriter();
  const onCommit = jest.fn();
  const relay = new TranslatedRelay({
    stream,
    writer,
    onCommit,
    presenter: { present },
    streamError: ({ code }) => `error: ${code}\n\n`,
  });
  const commitment = relay.committed.then(
    () => 'committed',
    ({ code }: GatewayError) => code,
  );
  relay.start();
  return { stream, writer, onCommit, relay, commitment };
}

describe('a translated stream', () => {
  it('leaves as it is presented, what came together in one write', async () => {
    const { stream, writer, relay } = setUp();
    stream.push({ type: 'start' }, text('a'), text('b'));
    stream.push(text('c'));
    stream.push(STOP, FINISH);
    expect(writer.writes).toEqual(['<text-delta a><text-delta b>', '<text-delta c>', '<choice-finish><finish>']);
    expect(writer.ending).toBe('end');
    expect(await relay.ended).toEqual({ how: 'complete', usage: USAGE, generatedBytes: 3 });
  });

  it.each<[string, ChatPart, boolean]>([
    ['a start', { type: 'start' }, false],
    ['text', text('a'), true],
    ['an empty text', text(''), false],
    ['reasoning', { type: 'reasoning-delta', text: 'a' }, true],
    ['reasoning state alone', { type: 'reasoning-delta', text: '', state: { issuer: 'clouds', value: 's' } }, false],
    ['a refusal', { type: 'refusal-delta', text: 'a' }, true],
    ['a tool call', { type: 'tool-call-start', index: 0, id: 'a', name: 'look' }, true],
    ['arguments', { type: 'tool-call-delta', index: 0, arguments: '{' }, true],
    ['the end of a choice', STOP, false],
  ])('is committed by what the model says: %s', (_name, part, commits) => {
    const { stream, relay, onCommit } = setUp();
    stream.push(part);
    expect(relay.hasCommitted).toBe(commits);
    expect(onCommit).toHaveBeenCalledTimes(commits ? 1 : 0);
  });

  it('without a word is an answer all the same', async () => {
    const { stream, writer, commitment } = setUp();
    stream.push({ type: 'choice-finish', reason: 'content-filter' });
    expect(writer.writes).toEqual([]);
    stream.push(FINISH);
    expect(await commitment).toBe('committed');
    expect([writer.text, writer.ending]).toEqual(['<choice-finish><finish>', 'end']);
  });

  it('counts what was generated in bytes of UTF-8', async () => {
    const { stream, relay } = setUp();
    stream.push(
      text('ü'),
      { type: 'reasoning-delta', text: 'ü' },
      { type: 'refusal-delta', text: 'ü' },
      { type: 'tool-call-start', index: 0, id: 'long-id', name: 'ü' },
      { type: 'tool-call-delta', index: 0, arguments: '"ü"' },
      STOP,
    );
    stream.usage = { ...USAGE, source: 'partial' };
    relay.abandon(BROKEN);
    expect(await relay.ended).toMatchObject({ how: 'abandoned', generatedBytes: 12, usage: { source: 'partial' } });
  });

  it('ignores whatever follows its end', async () => {
    const { stream, writer, relay } = setUp();
    stream.push(text('a'), FINISH, text('late'));
    stream.push(text('later'));
    stream.push({ type: 'error', error: BROKEN });
    expect(writer.text).toBe('<text-delta a><finish>');
    expect(await relay.ended).toMatchObject({ how: 'complete', usage: USAGE });
    expect(stream.wantsMore).toBe(true);
  });

  it('tells no usage nobody told', async () => {
    const { stream, relay } = setUp();
    stream.push(text('a'), STOP, { type: 'finish' });
    expect(await relay.ended).toEqual({ how: 'complete', generatedBytes: 1 });
  });
});

describe('a translated stream that breaks', () => {
  it('before its content rejects, so that another may answer', async () => {
    const { stream, writer, relay, commitment } = setUp();
    stream.push({ type: 'start' }, { type: 'error', error: BROKEN });
    expect(await commitment).toBe('provider_stream_broken');
    expect(await relay.ended).toMatchObject({ how: 'failed', error: BROKEN });
    expect([writer.writes, writer.ending]).toEqual([[], undefined]);
    expect(stream.calls).toEqual(['start', 'destroy']);
  });

  it('after its content says so in the stream, after what came with it', async () => {
    const { stream, writer, relay } = setUp();
    stream.usage = { ...USAGE, source: 'partial' };
    stream.push(text('a'));
    stream.push(text('b'), { type: 'error', error: BROKEN }, text('late'));
    expect(writer.writes).toEqual(['<text-delta a>', '<text-delta b>', 'error: provider_stream_broken\n\n']);
    expect(writer.ending).toBe('fail');
    expect(await relay.ended).toMatchObject({ how: 'failed', usage: { source: 'partial' }, generatedBytes: 2 });
  });
});

describe('a translated stream to a slow client, or to nobody', () => {
  it('asks its provider to pause, and to go on', () => {
    const { stream, writer } = setUp();
    stream.push(text('a'));
    writer.hasRoom = false;
    stream.push({ type: 'start' });
    expect(stream.wantsMore).toBe(true);
    stream.push(text('b'));
    expect(stream.wantsMore).toBe(false);
    writer.onDrain?.();
    expect(stream.calls).toEqual(['start', 'resume']);
  });

  it('is closed when it is given up, and never started when it was given up before', async () => {
    const { stream, relay } = setUp();
    stream.push(text('a'));
    relay.abandon(BROKEN);
    expect(stream.calls).toEqual(['start', 'destroy']);

    const unstarted = new FakePartStream();
    const other = new TranslatedRelay({
      stream: unstarted,
      writer: new RecordingWriter(),
      onCommit: () => undefined,
      presenter: { present },
      streamError: () => '',
    });
    other.abandon(BROKEN);
    other.start();
    await expect(other.committed).rejects.toBe(BROKEN);
    expect(unstarted.calls).toEqual(['destroy']);
  });

  it('is read on to its end without a word', async () => {
    const { stream, writer, relay, commitment } = setUp();
    relay.detach();
    stream.push(text('a'));
    expect(await commitment).toBe('committed');
    stream.push(STOP, FINISH);
    expect(await relay.ended).toMatchObject({ how: 'complete', usage: USAGE });
    expect([writer.writes, writer.ending]).toEqual([[], undefined]);
  });
});
