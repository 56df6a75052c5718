import type { ChatRequest, Message } from '../../contract/chat-request.js';
import type { EmbeddingsRequest } from '../../contract/embeddings.js';
import type { LossWarning } from '../../contract/provider.js';
import type { WireFlavour } from './openai-wire.flavour.js';
import { OPENAI_EXTRA, toWireChat, toWireEmbeddings } from './openai-wire.request.js';

const STRICT: WireFlavour = {
  title: 'The server',
  passedExtra: new Set(OPENAI_EXTRA),
  passedHeaders: [],
  vectors: 'base64',
};

function translate(
  request: ChatRequest,
  stream = false,
  flavour = STRICT,
): { body: Record<string, unknown>; warnings: LossWarning[] } {
  const warnings: LossWarning[] = [];
  const body = toWireChat(request, { model: 'gpt', stream, flavour, warn: (warning) => void warnings.push(warning) });
  return { body: JSON.parse(JSON.stringify(body)), warnings };
}

function messages(...list: Message[]): { sent: unknown; warnings: LossWarning[] } {
  const { body, warnings } = translate({ messages: list });
  return { sent: body['messages'], warnings };
}

const HELLO: ChatRequest = { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] };

describe('toWireChat', () => {
  it('sends nothing that was not asked for', () => {
    expect(translate(HELLO).body).toEqual({ model: 'gpt', messages: [{ role: 'user', content: 'Hello' }] });
  });

  it('asks for usage in a stream', () => {
    expect(translate(HELLO, true).body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  it('names every parameter as OpenAI does', () => {
    const { body, warnings } = translate({
      ...HELLO,
      maxOutputTokens: 100,
      temperature: 0,
      topP: 0.5,
      stop: ['a', 'b'],
      seed: 7,
      presencePenalty: 0.1,
      frequencyPenalty: -0.1,
      choices: 2,
      logprobs: { top: 3 },
      logitBias: { '5': 1 },
      reasoningEffort: 'low',
      serviceTier: 'flex',
      endUser: 'u1',
      parallelToolCalls: false,
      extra: { metadata: { a: 'b' } },
    });
    expect(body).toEqual({
      model: 'gpt',
      messages: [{ role: 'user', content: 'Hello' }],
      max_completion_tokens: 100,
      temperature: 0,
      top_p: 0.5,
      stop: ['a', 'b'],
      seed: 7,
      presence_penalty: 0.1,
      frequency_penalty: -0.1,
      n: 2,
      logprobs: true,
      top_logprobs: 3,
      logit_bias: { '5': 1 },
      reasoning_effort: 'low',
      service_tier: 'flex',
      user: 'u1',
      parallel_tool_calls: false,
      metadata: { a: 'b' },
    });
    expect(warnings).toEqual([]);
  });

  it('reports fields the server does not know instead of sending them', () => {
    const { body, warnings } = translate({ ...HELLO, extra: { top_k: 40 } });
    expect(body).not.toHaveProperty('top_k');
    expect(warnings).toEqual([{ field: 'top_k', kind: 'dropped', detail: 'The server has no such parameter' }]);
  });

  it('sends tools and the choice between them', () => {
    const parameters = { type: 'object', properties: { constructor: { type: 'string' } } };
    const { body } = translate({
      ...HELLO,
      tools: [{ name: 'f', description: 'd', parameters, strict: true }, { name: 'g' }],
      toolChoice: { type: 'tool', name: 'f' },
    });
    expect(body['tools']).toEqual([
      { type: 'function', function: { name: 'f', description: 'd', parameters, strict: true } },
      { type: 'function', function: { name: 'g' } },
    ]);
    expect(body['tool_choice']).toEqual({ type: 'function', function: { name: 'f' } });
    expect(translate({ ...HELLO, toolChoice: { type: 'required' } }).body['tool_choice']).toBe('required');
  });

  it.each([
    [{ type: 'text' } as const, { type: 'text' }],
    [{ type: 'json-object' } as const, { type: 'json_object' }],
    [
      { type: 'json-schema', name: 'n', schema: { type: 'object' }, strict: true } as const,
      { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' }, strict: true } },
    ],
  ])('sends the answer format %j', (responseFormat, expected) => {
    expect(translate({ ...HELLO, responseFormat }).body['response_format']).toEqual(expected);
  });
});

describe('messages', () => {
  it('keep the borders of several texts', () => {
    const text = (value: string): { type: 'text'; text: string } => ({ type: 'text', text: value });
    expect(messages({ role: 'system', content: [text('a'), text('b')] }, { role: 'user', content: [] }).sent).toEqual([
      { role: 'system', content: [text('a'), text('b')] },
      { role: 'user', content: '' },
    ]);
  });

  it('carry images, audio and files', () => {
    const { sent, warnings } = messages({
      role: 'user',
      name: 'ann',
      content: [
        { type: 'text', text: 'Look' },
        { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AA==' }, detail: 'low' },
        { type: 'image', source: { type: 'url', url: 'https://images.example/a.png' } },
        { type: 'audio', source: { type: 'base64', mediaType: 'audio/mpeg', data: 'BB==' } },
        { type: 'file', source: { type: 'base64', mediaType: 'application/pdf', data: 'CC==' }, filename: 'a.pdf' },
      ],
    });
    expect(sent).toEqual([
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'https://images.example/a.png' } },
          { type: 'input_audio', input_audio: { data: 'BB==', format: 'mp3' } },
          { type: 'file', file: { file_data: 'data:application/pdf;base64,CC==', filename: 'a.pdf' } },
        ],
      },
    ]);
    expect(warnings).toEqual([]);
  });

  it('report media the wire does not take', () => {
    const { sent, warnings } = messages({
      role: 'user',
      content: [
        { type: 'text', text: 'Hear' },
        { type: 'audio', source: { type: 'base64', mediaType: 'audio/ogg', data: 'AA==' } },
        { type: 'file', source: { type: 'url', url: 'https://files.example/a.pdf' } },
      ],
    });
    expect(sent).toEqual([{ role: 'user', content: [{ type: 'text', text: 'Hear' }] }]);
    expect(warnings.map(({ field, kind }) => [field, kind])).toEqual([
      ['messages[0].content[1]', 'dropped'],
      ['messages[0].content[2]', 'dropped'],
    ]);
  });

  it('O20: tell null from empty content in an assistant turn', () => {
    const call = { type: 'tool-call', id: 'c', name: 'f', arguments: '' } as const;
    const toolCalls = [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }];
    expect(
      messages(
        { role: 'assistant', content: [call] },
        { role: 'assistant', content: [{ type: 'text', text: '' }, call] },
        { role: 'assistant', content: [{ type: 'refusal', text: 'No' }] },
        { role: 'assistant', content: [] },
      ).sent,
    ).toEqual([
      { role: 'assistant', content: null, tool_calls: toolCalls },
      { role: 'assistant', content: '', tool_calls: toolCalls },
      { role: 'assistant', content: null, refusal: 'No' },
      { role: 'assistant', content: '' },
    ]);
  });

  it('report reasoning, foreign state and error marks, which the wire does not take back', () => {
    const state = { issuer: 'other', value: 'x' };
    const { warnings } = messages(
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'Hm' },
          { type: 'tool-call', id: 'c', name: 'f', arguments: '{}', state },
        ],
      },
      {
        role: 'tool',
        toolCallId: 'c',
        isError: true,
        content: [{ type: 'image', source: { type: 'url', url: 'https://images.example/a.png' } }],
      },
    );
    expect(warnings.map(({ field }) => field)).toEqual([
      'messages[0].content[0]',
      'messages[0].content[1].state',
      'messages[1].isError',
      'messages[1].content[0]',
    ]);
  });
});

describe('toWireEmbeddings', () => {
  function embed(request: EmbeddingsRequest, flavour = STRICT): { body: unknown; warnings: LossWarning[] } {
    const warnings: LossWarning[] = [];
    const options = { model: 'e', flavour, warn: (warning: LossWarning) => void warnings.push(warning) };
    return { body: toWireEmbeddings(request, options), warnings };
  }

  it('asks for base64 where the server knows it, and sends only what was asked for', () => {
    expect(embed({ input: ['a'] }).body).toEqual({ model: 'e', input: ['a'], encoding_format: 'base64' });
    expect(embed({ input: [[1, 2]], dimensions: 256, endUser: 'u' }).body).toMatchObject({
      input: [[1, 2]],
      dimensions: 256,
      user: 'u',
    });
    expect(embed({ input: ['a'] }, { ...STRICT, vectors: 'float' }).body).toEqual({ model: 'e', input: ['a'] });
  });

  it('passes fields of the dialect, or reports them where the server refuses what it does not know', () => {
    const request = { input: ['a'], extra: { input_type: 'query' } };
    expect(embed(request).warnings).toMatchObject([{ field: 'input_type', kind: 'dropped' }]);
    const open: WireFlavour = { title: 'Any', passedHeaders: [], vectors: 'float' };
    expect(embed(request, open)).toEqual({ body: { model: 'e', input: ['a'], input_type: 'query' }, warnings: [] });
  });
});

describe('what the wire has no word for', () => {
  it('sends an effort for a reasoning budget and says so', () => {
    const budget = (reasoningBudgetTokens: number, more: Partial<ChatRequest> = {}): unknown =>
      translate({ ...HELLO, reasoningBudgetTokens, ...more }).body['reasoning_effort'];
    expect([0, 1_024, 4_096, 30_000].map((tokens) => budget(tokens))).toEqual(['none', 'low', 'medium', 'high']);
    expect(budget(30_000, { reasoningEffort: 'low' })).toBe('low');
    expect(translate({ ...HELLO, reasoningBudgetTokens: 4_096 }).warnings).toMatchObject([
      { field: 'reasoningBudgetTokens', kind: 'approximated' },
    ]);
  });

  it('reports cache breakpoints and citations, once a message', () => {
    const cache = { ttl: '1h' } as const;
    const source = { type: 'base64', mediaType: 'application/pdf', data: 'AA==' } as const;
    const { warnings, sent } = messages(
      { role: 'system', content: [{ type: 'text', text: 'a', cache }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'b', cache },
          { type: 'file', source, citations: true, cache },
        ],
      },
      { role: 'assistant', content: [{ type: 'tool-call', id: 'c', name: 'f', arguments: '{}', cache }] },
      { role: 'tool', toolCallId: 'c', content: [{ type: 'text', text: 'd' }], cache },
    );
    expect(warnings.map(({ field, kind }) => [field, kind])).toEqual([
      ['messages[0].cache', 'approximated'],
      ['messages[1].cache', 'approximated'],
      ['messages[1].content[1].citations', 'dropped'],
      ['messages[2].cache', 'approximated'],
      ['messages[3].cache', 'approximated'],
    ]);
    expect(JSON.stringify(sent)).not.toContain('cache');
    expect(translate({ ...HELLO, tools: [{ name: 'f', cache }] }).warnings).toMatchObject([
      { field: 'tools[0].cache' },
    ]);
  });

  it('gives earlier reasoning back in the field that takes it, its state to nobody', () => {
    const message: Message = {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'Let me ' },
        { type: 'reasoning', text: 'see.', state: { issuer: 'other', value: 'x' } },
        { type: 'reasoning', text: '', state: { issuer: 'other', value: 'y' } },
        { type: 'text', text: 'Yes.' },
      ],
    };
    const { body, warnings } = translate({ messages: [message] }, false, { ...STRICT, reasoningField: 'reasoning' });
    expect(body['messages']).toEqual([{ role: 'assistant', content: 'Yes.', reasoning: 'Let me see.' }]);
    expect(warnings.map(({ field }) => field)).toEqual(['messages[0].content[1].state', 'messages[0].content[2]']);
  });
});
