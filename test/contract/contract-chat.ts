import type { ChatRequest, MediaSource, Tool } from '../../src/contract/chat-request.js';
import type { Reply } from '../support/fake-upstream.ts';
import { ask, callOf, chatOf, complete, failureOf, saidBy } from './provider-calls.ts';
import type { Feature, ProviderHarness, ProviderUnderTest, SeenChat } from './provider-harness.ts';

export const WEATHER: Tool = {
  name: 'get_weather',
  description: 'The weather of a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

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

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SCHEMA = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };

/** A request that uses one feature, and what must be seen of it on the wire where the kind declares it. */
const FEATURE_REQUESTS: Readonly<Record<Feature, { request: ChatRequest; check?: (seen: SeenChat) => void }>> = {
  'image-data': {
    request: image({ type: 'base64', mediaType: 'image/png', data: PIXEL }),
    check: ({ turns }) => expect(turns[0]?.images).toEqual(['image/png']),
  },
  'image-url': {
    request: image({ type: 'url', url: 'https://images.example/cat.png', mediaType: 'image/png' }),
    check: ({ turns }) => expect(turns[0]?.images).toEqual(['https://images.example/cat.png']),
  },
  'json-object': { request: ask('As JSON.', { responseFormat: { type: 'json-object' } }) },
  'json-schema': {
    request: ask('A name.', { responseFormat: { type: 'json-schema', name: 'person', schema: SCHEMA } }),
    check: ({ schema }) => expect(schema).toMatchObject(SCHEMA),
  },
  'tool-choice': {
    request: ask('Weather?', { tools: [WEATHER], toolChoice: { type: 'tool', name: 'get_weather' } }),
    check: ({ toolChoice }) => expect(toolChoice).toBe('tool:get_weather'),
  },
  'parallel-tool-calls': { request: ask('Weather?', { tools: [WEATHER], parallelToolCalls: false }) },
  stop: {
    request: ask('Count.', { stop: ['END', '\n\nUser:'] }),
    check: ({ stop }) => expect(stop).toEqual(['END', '\n\nUser:']),
  },
  seed: { request: ask('Roll.', { seed: 42 }), check: ({ seed }) => expect(seed).toBe(42) },
  penalties: { request: ask('Vary.', { presencePenalty: 0.5, frequencyPenalty: -0.5 }) },
  choices: { request: ask('Twice.', { choices: 2 }) },
  logprobs: { request: ask('Odds.', { logprobs: { top: 2 } }) },
  'logit-bias': { request: ask('Bias.', { logitBias: { '42': -100 } }) },
  'reasoning-effort': { request: ask('Think.', { reasoningEffort: 'low' }) },
  'service-tier': { request: ask('Fast.', { serviceTier: 'priority' }) },
  'end-user': { request: ask('Who?', { endUser: 'user-1' }) },
};

function image(source: MediaSource): ChatRequest {
  return {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', source },
        ],
      },
    ],
  };
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
      if (harness.features.has(feature as Feature)) {
        it(`expresses ${feature}`, async () => {
          const call = callOf(subject().chatModel, request);
          await chatOf(subject()).complete(call);
          expect(call.warnings.filter(({ kind }) => kind === 'dropped')).toEqual([]);
          const record = subject().fake.records.at(-1);
          if (record !== undefined) check?.(subject().seen(record));
        });
      } else {
        it(`reports that it cannot express ${feature}`, async () => {
          const call = callOf(subject().chatModel, request);
          const failure = await chatOf(subject())
            .complete(call)
            .then(() => undefined)
            .catch((error: unknown) => failureOf(Promise.reject(error)));
          if (failure === undefined) expect(call.warnings).not.toEqual([]);
          else expect(failure.code).toBe('unsupported_parameter');
        });
      }
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

    const withUsage = { promptTokens: 100, completionTokens: 50 };
    if (harness.answers.has('cached-usage')) {
      it('counts cached prompt tokens inside the prompt', async () => {
        const { usage } = await answer({ usage: { ...withUsage, cachedPromptTokens: 64 } });
        expect(usage).toMatchObject({ promptTokens: 100, cachedPromptTokens: 64, completionTokens: 50 });
      });
    }
    if (harness.answers.has('cache-write-usage')) {
      it('counts cache writes inside the prompt', async () => {
        const { usage } = await answer({ usage: { ...withUsage, cacheWriteTokens: 30, cachedPromptTokens: 20 } });
        expect(usage).toMatchObject({ promptTokens: 100, cacheWriteTokens: 30, cachedPromptTokens: 20 });
      });
    }
    if (harness.answers.has('reasoning-usage')) {
      it('counts reasoning tokens inside the completion', async () => {
        const { usage } = await answer({ usage: { ...withUsage, reasoningTokens: 40 } });
        expect(usage).toMatchObject({ completionTokens: 50, reasoningTokens: 40 });
      });
    }
    if (harness.answers.has('reasoning')) {
      it('gives reasoning apart from the text', async () => {
        expect(await answer({ reasoning: 'Let me see. ', text: 'Yes.' })).toMatchObject({
          reasoning: 'Let me see. ',
          text: 'Yes.',
        });
      });
    }
    if (harness.answers.has('refusal')) {
      it('gives a refusal apart from the text', async () => {
        expect(await answer({ refusal: 'I cannot.' })).toMatchObject({ refusal: 'I cannot.', text: '' });
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
