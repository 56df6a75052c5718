import type { ChatRequest, MediaSource, Message, Tool, UserPart } from '../../src/contract/chat-request.js';
import type { Reply } from '../support/fake-upstream.ts';
import { ask } from './provider-calls.ts';
import type { AnswerFeature, Feature, SeenChat } from './provider-harness.ts';

export const WEATHER: Tool = {
  name: 'get_weather',
  description: 'The weather of a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SOUND = 'UklGRiQAAABXQVZFZm10IA==';
const PDF: MediaSource = { type: 'base64', mediaType: 'application/pdf', data: 'JVBERi0xLjQK' };
const SCHEMA = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };

/** A request that uses one feature, and what must be seen of it on the wire where the kind declares it. */
export const FEATURE_REQUESTS: Readonly<Record<Feature, { request: ChatRequest; check?: (seen: SeenChat) => void }>> = {
  'image-data': {
    request: image({ type: 'base64', mediaType: 'image/png', data: PIXEL }),
    check: ({ turns }) => expect(turns[0]?.images).toEqual(['image/png']),
  },
  'image-url': {
    request: image({ type: 'url', url: 'https://images.example/cat.png', mediaType: 'image/png' }),
    check: ({ turns }) => expect(turns[0]?.images).toEqual(['https://images.example/cat.png']),
  },
  'audio-data': {
    request: withPart({ type: 'audio', source: { type: 'base64', mediaType: 'audio/wav', data: SOUND } }),
  },
  'file-data': { request: withPart({ type: 'file', source: PDF }) },
  'file-url': {
    request: withPart({
      type: 'file',
      source: { type: 'url', url: 'https://files.example/a.pdf', mediaType: 'application/pdf' },
    }),
  },
  citations: { request: withPart({ type: 'file', source: PDF, citations: true }) },
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
  'strict-tools': { request: ask('Weather?', { tools: [{ ...WEATHER, strict: true }] }) },
  'tool-result-image': {
    request: withResult({
      content: [{ type: 'image', source: { type: 'base64', mediaType: 'image/png', data: PIXEL } }],
    }),
  },
  'tool-error': { request: withResult({ content: [{ type: 'text', text: 'No such city.' }], isError: true }) },
  'late-system': {
    request: {
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Hello.' }] },
        { role: 'assistant', content: [{ type: 'text', text: 'Hello!' }] },
        { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
        { role: 'user', content: [{ type: 'text', text: 'Go on.' }] },
      ],
    },
  },
  cache: { request: withPart({ type: 'text', text: 'A long text.', cache: {} }) },
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
  'reasoning-budget': { request: ask('Think.', { reasoningBudgetTokens: 2_048 }) },
  'service-tier': { request: ask('Fast.', { serviceTier: 'priority' }) },
  'end-user': { request: ask('Who?', { endUser: 'user-1' }) },
};

function withPart(part: UserPart): ChatRequest {
  return { messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, part] }] };
}

function image(source: MediaSource): ChatRequest {
  return withPart({ type: 'image', source });
}

function withResult(result: Pick<Extract<Message, { role: 'tool' }>, 'content' | 'isError'>): ChatRequest {
  return {
    tools: [WEATHER],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
      { role: 'assistant', content: [{ type: 'tool-call', id: 'call_a', name: 'get_weather', arguments: '{}' }] },
      { role: 'tool', toolCallId: 'call_a', ...result },
    ],
  };
}

const COUNTS = { promptTokens: 100, completionTokens: 50 };

/** An answer that carries one thing, and what is said of it by a kind that tells it and by one that cannot. */
export const ANSWERS: Readonly<Record<AnswerFeature, { reply: Reply; told: object; untold: object }>> = {
  'cached-usage': {
    reply: { usage: { ...COUNTS, cachedPromptTokens: 64 } },
    told: { usage: { ...COUNTS, cachedPromptTokens: 64 } },
    untold: { usage: { cachedPromptTokens: 0 } },
  },
  'cache-write-usage': {
    reply: { usage: { ...COUNTS, cacheWriteTokens: 30, cachedPromptTokens: 20 } },
    told: { usage: { promptTokens: 100, cacheWriteTokens: 30, cachedPromptTokens: 20 } },
    untold: { usage: { cacheWriteTokens: 0 } },
  },
  'reasoning-usage': {
    reply: { usage: { ...COUNTS, reasoningTokens: 40 } },
    told: { usage: { ...COUNTS, reasoningTokens: 40 } },
    untold: { usage: { reasoningTokens: 0 } },
  },
  reasoning: {
    reply: { reasoning: 'Let me see. ', text: 'Yes.' },
    told: { reasoning: 'Let me see. ', text: 'Yes.' },
    untold: { reasoning: '' },
  },
  refusal: { reply: { refusal: 'I cannot.' }, told: { refusal: 'I cannot.', text: '' }, untold: { refusal: '' } },
};
