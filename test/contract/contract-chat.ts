import type { ChatRequest } from '../../src/contract/chat-request.js';
import type { Reply } from '../support/fake-upstream.ts';
import { ANSWERS, FEATURE_REQUESTS, WEATHER } from './contract-features.ts';
import {
  ask,
  callOf,
  chatOf,
  complete,
  drain,
  failureOf,
  saidBy,
  saidIn,
  streamed,
  type Said,
} from './provider-calls.ts';
import type { AnswerFeature, Feature, ProviderHarness, ProviderUnderTest, SeenChat } from './provider-harness.ts';

export const TWO_CALLS: Reply = {
  toolCalls: [
    { id: 'call_a', name: 'get_weather', arguments: '{"city":"Oslo"}' },
    { id: 'call_b', name: 'get_weather', arguments: '{"city":"Łódź"}' },
  ],
};

/** A conversation with two tool calls in one turn and their results. */
const CONVERSATION: ChatRequest = {
  messages: [
    { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
    { role: 'user', content: [{ type: 'text', text: 'Weather in Oslo and Łódź?' }] },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'Looking.' },
        { type: 'tool-call', id: 'call_a', name: 'get_weather', arguments: '{"city":"Oslo"}' },
        { type: 'tool-call', id: 'call_b', name: 'get_weather', arguments: '{"city":"Łódź"}' },
      ],
    },
    { role: 'tool', toolCallId: 'call_a', content: [{ type: 'text', text: 'rain' }] },
    { role: 'tool', toolCallId: 'call_b', content: [{ type: 'text', text: 'sun' }] },
    { role: 'user', content: [{ type: 'text', text: 'And tomorrow?' }] },
  ],
  tools: [WEATHER],
};

const PROMISES = {
  yes: 'expresses',
  emulated: 'expresses by other means, and says so,',
  no: 'reports that it cannot express',
} as const;

function supportOf({ features, capabilities }: ProviderHarness, feature: Feature): keyof typeof PROMISES {
  if (!features.has(feature)) return 'no';
  return capabilities?.emulated.includes(feature) === true ? 'emulated' : 'yes';
}

/** True = rejected as what the caller asked for and cannot have; other failures are thrown. */
async function isRefused(answer: Promise<unknown>): Promise<boolean> {
  const outcome = await answer.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome === undefined) return false;
  const { code } = await failureOf(Promise.reject(outcome));
  expect(['unsupported_parameter', 'invalid_value']).toContain(code);
  return true;
}

/** What a chat request becomes on the wire, and what a whole answer becomes. */
export function describeChat(harness: ProviderHarness, subject: () => ProviderUnderTest): void {
  async function seenOf(request: ChatRequest): Promise<SeenChat> {
    await complete(subject(), request);
    const record = subject().fake.records.at(-1);
    if (record === undefined) throw new Error('the fake saw no request');
    return subject().seen(record);
  }

  describe('requests', () => {
    it('sends a text without reporting any loss', async () => {
      const call = callOf(subject().chatModel, ask('Grüße, 世界 🎉'));
      await chatOf(subject()).complete(call);
      const [record] = subject().fake.records;
      expect(record && subject().seen(record).turns).toMatchObject([{ role: 'user', text: 'Grüße, 世界 🎉' }]);
      expect(call.warnings).toEqual([]);
      expect(call.dispatched).toBe(1);
    });

    it('sends system, turns, parallel tool calls and their results in order', async () => {
      const { system, turns } = await seenOf(CONVERSATION);
      expect(system).toBe('Be brief.');
      expect(turns[0]).toMatchObject({ role: 'user', text: 'Weather in Oslo and Łódź?' });
      expect(turns[1]).toMatchObject({
        role: 'assistant',
        text: 'Looking.',
        toolCalls: [
          { name: 'get_weather', arguments: { city: 'Oslo' } },
          { name: 'get_weather', arguments: { city: 'Łódź' } },
        ],
      });
      expect(turns.flatMap(({ toolResults = [] }) => toolResults)).toEqual(['rain', 'sun']);
      expect(turns.map(({ text }) => text).join('|')).toContain('And tomorrow?');
    });

    it('declares tools with their schema', async () => {
      const { tools } = await seenOf(ask('Weather?', { tools: [WEATHER, { name: 'ping' }] }));
      expect(tools).toMatchObject([WEATHER, { name: 'ping' }]);
    });

    it('sends sampling and limits', async () => {
      const seen = await seenOf(ask('Hm.', { temperature: 0.5, topP: 0.25, maxOutputTokens: 77 }));
      expect(seen).toMatchObject({ temperature: 0.5, topP: 0.25, maxOutputTokens: 77 });
    });

    it('sends zero as zero', async () => {
      expect((await seenOf(ask('Cold.', { temperature: 0 }))).temperature).toBe(0);
    });

    for (const [feature, { request, check }] of Object.entries(FEATURE_REQUESTS)) {
      const support = supportOf(harness, feature as Feature);
      it.each([false, true])(`${PROMISES[support]} ${feature}, stream: %s`, async (stream) => {
        const call = callOf(subject().chatModel, request);
        const ability = chatOf(subject());
        const answer = stream ? ability.stream(call).then(drain) : ability.complete(call);
        if (support === 'no' && (await isRefused(answer))) return;
        await answer;
        const kinds = new Set(call.warnings.map(({ kind }) => kind));
        if (support === 'no') expect([...kinds].some((kind) => kind !== 'emulated')).toBe(true);
        else expect(kinds).not.toContain('dropped');
        if (harness.capabilities !== undefined) expect(kinds.size > 0).toBe(support !== 'yes');
        const record = subject().fake.records.at(-1);
        if (support !== 'no' && record !== undefined) check?.(subject().seen(record));
      });
    }

    for (const { name, request, check } of harness.extraRequests ?? []) {
      it(name, async () => {
        await complete(subject(), request);
        const record = subject().fake.records.at(-1);
        if (record !== undefined) check(record);
      });
    }
  });

  describe('whole answers', () => {
    async function answer(reply: Reply): Promise<ReturnType<typeof saidBy>> {
      subject().fake.enqueue({ reply });
      return saidBy(await complete(subject(), ask()));
    }

    it('gives the text, why it ended and what it cost', async () => {
      const said = await answer({ text: 'Hello, 世界!', usage: { promptTokens: 12, completionTokens: 3 } });
      expect(said).toMatchObject({ text: 'Hello, 世界!', toolCalls: [], finishReason: 'stop' });
      expect(said.usage).toEqual({
        promptTokens: 12,
        completionTokens: 3,
        cachedPromptTokens: 0,
        cacheWriteTokens: 0,
        reasoningTokens: 0,
        source: 'final',
      });
    });

    it('gives parallel tool calls in order, each with an id of its own', async () => {
      const { toolCalls, finishReason } = await answer(TWO_CALLS);
      expect(toolCalls).toMatchObject([
        { name: 'get_weather', arguments: { city: 'Oslo' } },
        { name: 'get_weather', arguments: { city: 'Łódź' } },
      ]);
      expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(2);
      expect(toolCalls.every(({ id }) => id !== '')).toBe(true);
      expect(finishReason).toBe('tool-calls');
    });

    it('gives a tool call without arguments as an empty object', async () => {
      const { toolCalls } = await answer({ toolCalls: [{ id: 'call_a', name: 'ping', arguments: '{}' }] });
      expect(toolCalls).toMatchObject([{ name: 'ping', arguments: {} }]);
    });

    it.each(['stop', 'length', 'content-filter'] as const)('keeps the finish reason %s', async (finishReason) => {
      expect((await answer({ text: 'Cut', finishReason })).finishReason).toBe(finishReason);
    });

    it('tells no usage when the provider tells none', async () => {
      expect((await answer({ usage: null })).usage).toBeUndefined();
    });
  });

  describe.each([false, true])('answers, stream: %s,', (stream) => {
    async function answer(reply: Reply): Promise<Said> {
      subject().fake.enqueue({ reply });
      return stream ? saidIn(await streamed(subject(), ask())) : saidBy(await complete(subject(), ask()));
    }

    for (const [feature, { reply, told, untold }] of Object.entries(ANSWERS)) {
      const isDeclared = harness.answers.has(feature as AnswerFeature);
      it(isDeclared ? `tell ${feature}` : `tell nothing of ${feature}`, async () => {
        expect(await answer(reply)).toMatchObject(isDeclared ? told : untold);
      });
    }
  });

  describe('the official SDK, driven at the same fake, agrees', () => {
    it.each([
      ['a text', { text: 'Hello, 世界!', usage: { promptTokens: 12, completionTokens: 3 } }],
      ['tool calls', TWO_CALLS],
    ] as const)('on %s', async (_name, reply) => {
      for (const stream of [false, true]) {
        subject().fake.enqueue({ reply }, { reply });
        const expected = await subject().oracle('Say hello.', stream);
        const said = saidBy(await complete(subject(), ask()));
        expect(said.text).toBe(expected.text);
        expect(said.toolCalls).toMatchObject(expected.toolCalls);
        expect(said.finishReason).toBe(expected.finishReason);
        if (expected.usage !== undefined) expect(said.usage).toMatchObject(expected.usage);
      }
    });
  });
}
