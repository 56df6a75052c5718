import type { ChatPart } from '../../contract/chat-response.js';
import { composeAnswer } from './sandbox.response.js';
import { stepsOf } from './sandbox.steps.js';
import { SandboxStream, type StreamOptions } from './sandbox.stream.js';

const TIMEOUTS = { connectMs: 1, firstContentMs: 1_000, idleMs: 500, totalMs: 10_000 };
const SPEAKER = { provider: 'east', model: 'demo', requestId: 'r1', createdSeconds: 7 };

/** A stream of 20 tokens at 100 a second: one each 10 ms. */
function setUp(overrides: Partial<StreamOptions> = {}, timeouts = TIMEOUTS) {
  const abort = new AbortController();
  const answer = composeAnswer({ messages: [] }, { tokens: 20 }, SPEAKER);
  const stream = new SandboxStream({
    steps: stepsOf(answer),
    promptTokens: answer.promptTokens,
    tokensPerSecond: 100,
    context: { requestId: 'r1', signal: abort.signal, timeouts, onDispatch: () => undefined },
    startedAtMs: performance.now(),
    ...overrides,
  });
  const batches: (readonly ChatPart[])[] = [];
  const sink = jest.fn((parts: readonly ChatPart[]) => {
    batches.push(parts);
    return true;
  });
  const pieces = () => batches.flat().filter(({ type }) => type === 'text-delta').length;
  const end = () => {
    const last = batches.at(-1)?.at(-1);
    return last?.type === 'error' ? last.error.code : last?.type;
  };
  return { stream, abort, sink, batches, pieces, end };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  // Whatever happened, a stream leaves no timer behind.
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('SandboxStream', () => {
  it('says nothing before start has returned', () => {
    const { stream, sink } = setUp();
    stream.start(sink);
    expect(sink).not.toHaveBeenCalled();
    stream.destroy();
  });

  it('delivers at its pace, with one timer', () => {
    const { stream, sink, pieces, end } = setUp();
    stream.start(sink);
    jest.advanceTimersByTime(50);
    expect(pieces()).toBe(5);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(150);
    expect(pieces()).toBe(20);
    expect(jest.advanceTimersByTime(10)).toBeUndefined();
    expect(end()).toBe('finish');
  });

  it('puts what is due together into one batch', () => {
    const { stream, sink, batches, pieces } = setUp({ tokensPerSecond: 500 });
    stream.start(sink);
    jest.advanceTimersByTime(10);
    expect(batches).toHaveLength(1);
    expect(pieces()).toBe(5);
    stream.destroy();
  });

  it('ends in the first batch without a pace', () => {
    const { stream, sink, batches, end } = setUp({ tokensPerSecond: 0 });
    stream.start(sink);
    jest.advanceTimersByTime(1);
    expect(batches).toHaveLength(1);
    expect(end()).toBe('finish');
  });

  it('waits while paused and goes on where it was', () => {
    const { stream, sink, pieces, end } = setUp();
    sink.mockImplementationOnce(() => false);
    stream.start(sink);
    jest.advanceTimersByTime(5_000);
    expect(sink).toHaveBeenCalledTimes(1);
    stream.resume();
    jest.advanceTimersByTime(200);
    expect(pieces()).toBe(19);
    jest.advanceTimersByTime(10);
    expect(end()).toBe('finish');
  });

  it('is not paused by a sink that resumed it before it answered', () => {
    const { stream, sink } = setUp();
    sink.mockImplementationOnce(() => {
      stream.resume();
      return false;
    });
    stream.start(sink);
    jest.advanceTimersByTime(30);
    expect(sink).toHaveBeenCalledTimes(3);
    stream.destroy();
  });

  it('says nothing more after destroy, also from within the sink', () => {
    const { stream, sink } = setUp();
    sink.mockImplementationOnce(() => {
      stream.destroy();
      return true;
    });
    stream.start(sink);
    jest.advanceTimersByTime(1_000);
    expect(sink).toHaveBeenCalledTimes(1);
    stream.destroy();
    stream.resume();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('breaks off where told', () => {
    const { stream, sink, pieces, end } = setUp({ breakAfter: 3 });
    stream.start(sink);
    jest.advanceTimersByTime(1_000);
    expect(pieces()).toBe(3);
    expect(end()).toBe('provider_stream_broken');
  });

  it.each([
    [0, 1_000],
    [3, 530],
  ])('is a timeout when it stalls after %i pieces, at %i ms', (stallAfter, atMs) => {
    const { stream, sink, pieces, end } = setUp({ stallAfter });
    stream.start(sink);
    jest.advanceTimersByTime(atMs - 1);
    expect(pieces()).toBe(stallAfter);
    expect(end()).not.toBe('provider_timeout');
    jest.advanceTimersByTime(1);
    expect(end()).toBe('provider_timeout');
  });

  it('is a timeout when a single pause between tokens is longer than allowed', () => {
    const { stream, sink, end } = setUp({ tokensPerSecond: 1 });
    stream.start(sink);
    jest.advanceTimersByTime(2_000);
    expect(end()).toBe('provider_timeout');
  });

  it('is a timeout when the whole takes too long, paused or not', () => {
    const flowing = setUp({}, { ...TIMEOUTS, totalMs: 100 });
    flowing.stream.start(flowing.sink);
    const paused = setUp({}, { ...TIMEOUTS, totalMs: 100 });
    paused.sink.mockImplementationOnce((parts) => paused.batches.push(parts) < 0);
    paused.stream.start(paused.sink);
    jest.advanceTimersByTime(99);
    expect([flowing.end(), paused.end()]).toEqual(['text-delta', 'text-delta']);
    jest.advanceTimersByTime(1);
    expect([flowing.end(), paused.end()]).toEqual(['provider_timeout', 'provider_timeout']);
  });

  it('ends at once when the call is aborted', () => {
    const { stream, sink, abort, end } = setUp();
    stream.start(sink);
    jest.advanceTimersByTime(20);
    abort.abort();
    expect(end()).toBe('client_closed');
    abort.abort();
    jest.advanceTimersByTime(1_000);
    expect(sink).toHaveBeenCalledTimes(3);
  });

  it('ends at once when the call was aborted before it started', () => {
    const { stream, sink, abort, batches } = setUp();
    abort.abort();
    stream.start(sink);
    jest.advanceTimersByTime(0);
    expect(batches).toEqual([[{ type: 'error', error: expect.objectContaining({ code: 'client_closed' }) }]]);
  });

  it('hears nothing of an abort after its end', () => {
    const { stream, sink, abort } = setUp({ tokensPerSecond: 0 });
    stream.start(sink);
    jest.advanceTimersByTime(1);
    abort.abort();
    expect(sink).toHaveBeenCalledTimes(1);
  });

  it('knows what it delivered so far', () => {
    const { stream, sink, abort } = setUp();
    expect(stream.usageSoFar()).toMatchObject({ completionTokens: 0, source: 'partial' });
    stream.start(sink);
    jest.advanceTimersByTime(70);
    abort.abort();
    expect(stream.usageSoFar()).toMatchObject({ promptTokens: 1, completionTokens: 7, source: 'partial' });
  });
});
