import type { ChatPart } from '../../src/contract/chat-response.js';
import type { Reply } from '../support/fake-upstream.ts';
import { TWO_CALLS } from './contract-chat.ts';
import { ask, callOf, chatOf, complete, errorIn, saidBy, saidIn, streamed } from './provider-calls.ts';
import type { ProviderHarness, ProviderUnderTest } from './provider-harness.ts';

/** An abort must have reached the provider's socket within this time, in milliseconds. */
const CLOSED_WITHIN_MS = 100;

const LONG: Reply = { deltas: Array.from({ length: 40 }, (_, index) => `word${index} `) };
const LONG_TEXT = (LONG.deltas ?? []).join('');
const UNICODE: Reply = { deltas: ['Zażółć ', 'gęślą ', '日本語 ', '🎉🎊 ', 'é'] };

/** How a stream of parts goes and how it ends, in good days and in bad ones. */
export function describeStream(harness: ProviderHarness, subject: () => ProviderUnderTest): void {
  const fake = (): ProviderUnderTest['fake'] => subject().fake;

  describe('streams', () => {
    const replies: Readonly<Record<string, Reply>> = {
      'a text': UNICODE,
      'parallel tool calls': TWO_CALLS,
      'a text and a call': { text: 'Looking.', ...TWO_CALLS },
      'an answer cut by its limit': { text: 'Once upon', finishReason: 'length' },
      ...(harness.answers.has('reasoning') ? { reasoning: { reasoning: 'Let me see. ', text: 'Yes.' } } : {}),
      ...(harness.answers.has('refusal') ? { 'a refusal': { refusal: 'I cannot do that.' } } : {}),
    };

    it.each(Object.entries(replies))('say the same as the whole answer: %s', async (_name, reply) => {
      fake().enqueue({ reply }, { reply });
      const whole = saidBy(await complete(subject(), ask()));
      const stream = saidIn(await streamed(subject(), ask()));
      expect(stream).toEqual({ ...whole, toolCalls: stream.toolCalls });
      expect(stream.toolCalls.map(({ name, arguments: value }) => [name, value])).toEqual(
        whole.toolCalls.map(({ name, arguments: value }) => [name, value]),
      );
    });

    it('keep the grammar: one start first, one end a choice, one finish last', async () => {
      fake().enqueue({ reply: { text: 'Looking.', ...TWO_CALLS } });
      const parts = await streamed(subject(), ask());
      const types = parts.map(({ type }) => type);
      expect(types.lastIndexOf('start')).toBeLessThanOrEqual(0);
      expect(types.filter((type) => type === 'choice-finish')).toHaveLength(1);
      expect(types.filter((type) => type === 'finish')).toHaveLength(1);
      expect(types.at(-1)).toBe('finish');
      expect(types.indexOf('choice-finish')).toBeGreaterThan(types.lastIndexOf('tool-call-delta'));
    });

    it('come while the provider is still generating', async () => {
      fake().enqueue({ reply: LONG, delivery: { stallAfterPieces: 20 } });
      const stream = await chatOf(subject()).stream(callOf(subject().chatModel, ask()));
      await firstText(stream);
      expect(fake().records[0]?.completed).toBe(false);
      stream.destroy();
    });

    it('are the same when every byte comes alone', async () => {
      fake().enqueue({ reply: UNICODE, delivery: { writeBytes: 1 } });
      const said = saidIn(await streamed(subject(), ask()));
      expect(said.text).toBe('Zażółć gęślą 日本語 🎉🎊 é');
      expect(said.finishReason).toBe('stop');
    });

    it('lose nothing when they are paused', async () => {
      fake().enqueue({ reply: LONG, delivery: { gapMs: 0 } });
      const stream = await chatOf(subject()).stream(callOf(subject().chatModel, ask()));
      const parts = await new Promise<ChatPart[]>((resolve) => {
        const all: ChatPart[] = [];
        stream.start((batch) => {
          all.push(...batch);
          if (batch.at(-1)?.type === 'finish') resolve(all);
          setImmediate(() => stream.resume());
          return false;
        });
      });
      expect(saidIn(parts).text).toBe(LONG_TEXT);
    });
  });

  describe('a broken stream', () => {
    it('ends with one error and a beginning of the text, wherever it was reset', async () => {
      fake().enqueue({ reply: UNICODE, delivery: { gapMs: 0 } });
      await streamed(subject(), ask());
      const total = fake().records[0]?.bytesOut ?? 0;
      const whole = (UNICODE.deltas ?? []).join('');
      for (let bytes = 0; bytes < total; bytes += 13) {
        fake().enqueue({ reply: UNICODE, delivery: { resetAfterBytes: bytes } });
        const parts = await streamed(subject(), ask());
        const said = saidIn(parts);
        expect(whole.startsWith(said.text)).toBe(true);
        // Only what the provider marked as whole may count as whole.
        if (parts.at(-1)?.type === 'finish') expect(said.text).toBe(whole);
        else expect(errorIn(parts).code).toBe('provider_stream_broken');
      }
    });

    it.each([0.2, 0.5, 0.7])('is an error when it ends cleanly but early, at %d of its length', async (share) => {
      fake().enqueue({ reply: LONG, delivery: { gapMs: 0 } });
      await streamed(subject(), ask());
      const total = fake().records[0]?.bytesOut ?? 0;
      fake().enqueue({ reply: LONG, delivery: { endAfterBytes: Math.floor(total * share) } });
      const parts = await streamed(subject(), ask());
      expect(errorIn(parts).code).toBe('provider_stream_broken');
      expect(LONG_TEXT.startsWith(saidIn(parts).text)).toBe(true);
    });

    it('is a timeout when the provider falls silent', async () => {
      fake().enqueue({ reply: LONG, delivery: { stallAfterPieces: 10 } });
      const parts = await streamed(subject(), ask(), { timeouts: { idleMs: 150 } });
      expect(errorIn(parts).code).toBe('provider_timeout');
      await fake().records[0]?.closed;
    });
  });

  describe('a stream given up', () => {
    async function begun(signal?: AbortSignal): Promise<{ parts: ChatPart[]; destroy: () => void }> {
      fake().enqueue({ reply: LONG, delivery: { stallAfterPieces: 20 } });
      const options = signal === undefined ? {} : { signal };
      const stream = await chatOf(subject()).stream(callOf(subject().chatModel, ask(), options));
      const parts = await firstText(stream);
      return { parts, destroy: () => stream.destroy() };
    }

    async function expectClosedSince(startMs: number): Promise<void> {
      const record = await fake().records[0]?.closed;
      expect((record?.closedAtMs ?? Infinity) - startMs).toBeLessThan(CLOSED_WITHIN_MS);
      expect(record?.completed).toBe(false);
    }

    it('by destroy closes the upstream at once and says nothing more', async () => {
      const { parts, destroy } = await begun();
      const before = parts.length;
      const startMs = performance.now();
      destroy();
      await expectClosedSince(startMs);
      expect(parts).toHaveLength(before);
    });

    it('by its signal closes the upstream at once and ends as client_closed', async () => {
      const abort = new AbortController();
      const { parts } = await begun(abort.signal);
      const startMs = performance.now();
      abort.abort();
      await expectClosedSince(startMs);
      expect(errorIn(parts).code).toBe('client_closed');
    });
  });
}

/** The parts of a stream, as an array that keeps growing; resolves at the first text. */
function firstText(stream: { start(sink: (parts: readonly ChatPart[]) => boolean): void }): Promise<ChatPart[]> {
  return new Promise((resolve) => {
    const all: ChatPart[] = [];
    stream.start((parts) => {
      all.push(...parts);
      if (parts.some(({ type }) => type === 'text-delta')) resolve(all);
      return true;
    });
  });
}
