import fc from 'fast-check';
import type {
  AssistantPart,
  CacheBreakpoint,
  ChatRequest,
  FilePart,
  ImagePart,
  Message,
  TextPart,
  ToolResultPart,
} from '../../src/contract/chat-request.js';
import type { JsonObject } from '../../src/contract/json.js';

const BLANKS = ['', ' ', '\n\n', '\t'];
const MEDIA = {
  image: ['image/png', 'image/jpeg', 'image/gif', 'image/webp'],
  document: ['application/pdf', 'text/csv', 'text/plain', 'text/markdown', 'text/html'],
  video: ['video/mp4', 'video/quicktime', 'video/webm'],
} as const;

const words: fc.Arbitrary<string> = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .map((text) => (text.trim() === '' ? `x${text}` : text));
/** Text that now and then is blank. */
const texts = fc.oneof({ weight: 9, arbitrary: words }, { weight: 1, arbitrary: fc.constantFrom(...BLANKS) });
const bytes = fc.uint8Array({ minLength: 1, maxLength: 9 }).map((data) => Buffer.from(data).toString('base64'));
const issuers = fc.constantFrom('anthropic-signature', 'gemini', 'bedrock');
const toolNames = fc.constantFrom('look', 'get_weather', '$READ.FILE', 'READFILE', 'ünï', 'x'.repeat(70));
const callIds = fc.constantFrom('call_1', 'call_2', 'tooluse_bpe71yCfRu2b5i-nKGDr5g', 'id with blanks', 'y'.repeat(80));
const argumentTexts = fc.oneof(
  fc
    .dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
    .map((value) => JSON.stringify(value)),
  fc.constantFrom('', '{}', '[1]', '{ "a": 1, }', 'null'),
);

const textPart: fc.Arbitrary<TextPart> = texts.map((text) => ({ type: 'text', text }));
const imagePart: fc.Arbitrary<ImagePart> = fc
  .record({ mediaType: fc.constantFrom(...MEDIA.image), data: bytes })
  .map((source) => ({ type: 'image', source: { type: 'base64', ...source } }));
const filePart: fc.Arbitrary<FilePart> = fc
  .record(
    {
      mediaType: fc.constantFrom(...MEDIA.document, ...MEDIA.video),
      data: bytes,
      filename: fc.constantFrom('a.pdf', 'a.b c.csv', 'übersicht.md', 'no-ending', '....'),
      citations: fc.boolean(),
    },
    { requiredKeys: ['mediaType', 'data'] },
  )
  .map(({ mediaType, data, ...more }) => ({ type: 'file', source: { type: 'base64', mediaType, data }, ...more }));

const reasoningPart: fc.Arbitrary<AssistantPart> = fc.oneof(
  fc.tuple(fc.oneof(texts, fc.constant('')), words, issuers).map(([text, value, issuer]) => ({
    type: 'reasoning' as const,
    text,
    state: { issuer, value: `s:${value}` },
  })),
  words.map((value) => ({
    type: 'reasoning' as const,
    text: '',
    state: { issuer: 'anthropic-signature', value: `r:${value}` },
  })),
  words.map((text) => ({ type: 'reasoning' as const, text })),
);
const callPart: fc.Arbitrary<AssistantPart> = fc
  .record({ id: callIds, name: toolNames, arguments: argumentTexts })
  .map((call) => ({ type: 'tool-call', ...call }));
const resultPart: fc.Arbitrary<ToolResultPart> = fc.oneof(textPart, imagePart, filePart);

const message: fc.Arbitrary<Message> = fc.oneof(
  fc.array(textPart, { maxLength: 2 }).map((content) => ({ role: 'system' as const, content })),
  fc
    .array(fc.oneof(textPart, imagePart, filePart), { maxLength: 3 })
    .map((content) => ({ role: 'user' as const, content })),
  fc
    .array(fc.oneof(textPart, reasoningPart, callPart), { maxLength: 5 })
    .map((content) => ({ role: 'assistant' as const, content })),
  fc
    .record(
      { toolCallId: callIds, content: fc.array(resultPart, { maxLength: 3 }), isError: fc.boolean() },
      { requiredKeys: ['toolCallId', 'content'] },
    )
    .map((result) => ({ role: 'tool' as const, ...result })),
);

const breakpoint: fc.Arbitrary<CacheBreakpoint> = fc.constantFrom({}, { ttl: '5m' }, { ttl: '1h' });

/** The messages with breakpoints at the places given, counted over all parts that are not blank and can have one. */
function marked(messages: readonly Message[], marks: ReadonlyMap<number, CacheBreakpoint>): Message[] {
  let place = 0;
  const mark = <Part extends { readonly type: string; readonly text?: string }>(part: Part): Part => {
    if (part.type === 'reasoning' || part.type === 'refusal' || part.text?.trim() === '') return part;
    const cache = marks.get(place);
    place += 1;
    return cache === undefined ? part : { ...part, cache };
  };
  return messages.map((one) => ({ ...one, content: one.content.map(mark) }) as Message);
}

/** Conversations of every shape, valid or not, with at most `maxMarks` breakpoints. */
export function conversations(maxMarks: number): fc.Arbitrary<Message[]> {
  const marks = fc.uniqueArray(fc.tuple(fc.nat({ max: 12 }), breakpoint), {
    maxLength: maxMarks,
    selector: ([place]) => place,
  });
  return fc
    .tuple(fc.array(message, { minLength: 1, maxLength: 7 }), marks)
    .map(([messages, places]) => marked(messages, new Map(places)));
}

const SCHEMA: JsonObject = { type: 'object', properties: { a: { type: 'string' } } };
const tool = fc.record(
  {
    name: toolNames,
    description: texts,
    parameters: fc.constantFrom<JsonObject>(SCHEMA, {}, { properties: {} }),
    strict: fc.boolean(),
    cache: breakpoint,
  },
  { requiredKeys: ['name'] },
);

/** Requests that use any of the contract's fields, around a conversation. */
export const requests: fc.Arbitrary<ChatRequest> = fc.record(
  {
    messages: conversations(8),
    tools: fc.uniqueArray(tool, { maxLength: 3, selector: ({ name }) => name }),
    toolChoice: fc.oneof(
      fc.constantFrom({ type: 'auto' as const }, { type: 'none' as const }, { type: 'required' as const }),
      toolNames.map((name) => ({ type: 'tool' as const, name })),
    ),
    parallelToolCalls: fc.boolean(),
    responseFormat: fc.constantFrom(
      { type: 'text' as const },
      { type: 'json-object' as const },
      { type: 'json-schema' as const, name: 'Answer', schema: SCHEMA },
      { type: 'json-schema' as const, name: 'Any', description: 'Any.', schema: {} },
    ),
    maxOutputTokens: fc.integer({ min: 1, max: 9_000 }),
    reasoningBudgetTokens: fc.nat({ max: 9_000 }),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    topP: fc.double({ min: 0, max: 1, noNaN: true }),
    stop: fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 }),
    seed: fc.integer(),
    reasoningEffort: fc.constantFrom('none', 'minimal', 'low', 'medium', 'high', 'xhigh'),
    serviceTier: fc.constantFrom('auto', 'default', 'flex', 'priority', 'scale'),
    endUser: words,
    extra: fc.record(
      {
        top_k: fc.nat(),
        store: fc.boolean(),
        thinking: fc.constantFrom<JsonObject>({ type: 'disabled' }, { type: 'enabled', budget_tokens: 10 }),
        requestMetadata: fc.constant<JsonObject>({ team: 'a' }),
        guardrailConfig: fc.constant<JsonObject>({
          guardrailIdentifier: 'abc',
          guardrailVersion: '1',
          streamProcessingMode: 'async',
        }),
        anthropic_beta: fc.constant(['a']),
        additionalModelRequestFields: fc.constant<JsonObject>({ custom: 1, output_config: { x: 1 } }),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['messages'] },
);
