import type { AssistantPart, ChatRequest, Message, UserPart } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';
import { GatewayError } from '../../contract/errors.js';
import { buildMessagesRequest } from './request.js';
import { reasoningState } from './state.js';
import type { MessagesRequest } from './wire.js';

const OLD = 'claude-sonnet-4-20250514';
const BUDGET = 'claude-sonnet-4-5';
const EITHER = 'claude-opus-4-6';
const ADAPTIVE = 'claude-opus-4-8';
const LATE = 'claude-opus-5-5';

interface Built extends MessagesRequest {
  readonly warnings: LossWarning[];
  readonly kinds: string[];
}

function build(request: Partial<ChatRequest>, model = BUDGET): Built {
  const warnings: LossWarning[] = [];
  const built = buildMessagesRequest(
    { messages: [user('Hi')], ...request },
    { model, stream: false, warn: (warning) => warnings.push(warning) },
  );
  return { ...built, warnings, kinds: warnings.map(({ field, kind }) => `${kind} ${field}`) };
}

function user(...content: (string | UserPart)[]): Message {
  return { role: 'user', content: content.map((part) => (typeof part === 'string' ? text(part) : part)) };
}

function assistant(...content: (string | AssistantPart)[]): Message {
  return { role: 'assistant', content: content.map((part) => (typeof part === 'string' ? text(part) : part)) };
}

function system(...texts: string[]): Message {
  return { role: 'system', content: texts.map(text) };
}

function text(value: string): { type: 'text'; text: string } {
  return { type: 'text', text: value };
}

function call(id: string, json = '{}'): AssistantPart {
  return { type: 'tool-call', id, name: 'ping', arguments: json };
}

function result(toolCallId: string, told: string): Message {
  return { role: 'tool', toolCallId, content: told === '' ? [] : [text(told)] };
}

function failureOf(work: () => unknown): GatewayError {
  try {
    work();
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error('it did not fail with a GatewayError');
}

const PING = { name: 'ping' };

describe('tools', () => {
  it.each([
    ['auto', { type: 'auto' }, { type: 'auto' }],
    ['required', { type: 'required' }, { type: 'any' }],
    ['none', { type: 'none' }, { type: 'none' }],
    ['named', { type: 'tool', name: 'ping' }, { type: 'tool', name: 'ping' }],
  ] as const)('N01: choose %s', (_name, toolChoice, sent) => {
    const { body, warnings } = build({ tools: [PING], toolChoice });
    expect(body.tool_choice).toEqual(sent);
    expect(body.tools).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it.each([
    [undefined, { type: 'auto', disable_parallel_tool_use: true }],
    [{ type: 'required' }, { type: 'any', disable_parallel_tool_use: true }],
    [{ type: 'none' }, { type: 'none' }],
  ] as const)('N02: forbid parallel calls beside the choice %j', (toolChoice, sent) => {
    const request = { tools: [PING], parallelToolCalls: false, ...(toolChoice && { toolChoice }) };
    expect(build(request).body.tool_choice).toEqual(sent);
  });

  it('report a choice where there is nothing to choose', () => {
    const { body, kinds } = build({ toolChoice: { type: 'required' } });
    expect(body).not.toHaveProperty('tool_choice');
    expect(kinds).toEqual(['dropped toolChoice']);
  });

  it('N04: without parameters have a schema of an object, and keep all of one they have', () => {
    const parameters = { properties: { a: { $ref: '#/$defs/A' } }, required: ['a'], $defs: { A: { type: 'string' } } };
    const { body } = build({ tools: [PING, { name: 'pong', parameters }] });
    expect(body.tools).toEqual([
      { name: 'ping', input_schema: { type: 'object' } },
      { name: 'pong', input_schema: { ...parameters, type: 'object' } },
    ]);
  });

  it('B22/B24: lose what a name may not have, and blank descriptions; calls and answers find the name again', () => {
    const { body, key } = build({
      tools: [{ name: '$READ.FILE', description: ' ' }, { name: 'READFILE' }],
      toolChoice: { type: 'tool', name: '$READ.FILE' },
      messages: [assistant({ type: 'tool-call', id: 'a:1', name: '$READ.FILE', arguments: '' }), result('a:1', 'x')],
    });
    expect(body.tools?.map((tool) => tool.name)).toEqual(['READFILE_2', 'READFILE']);
    expect(body.tools?.[0]).not.toHaveProperty('description');
    expect(body.tool_choice).toEqual({ type: 'tool', name: 'READFILE_2' });
    expect(key.renamedTools.get('READFILE_2')).toBe('$READ.FILE');
    const [use] = body.messages[0]?.content ?? [];
    const [answer] = body.messages[1]?.content ?? [];
    expect(use).toMatchObject({ type: 'tool_use', name: 'READFILE_2', input: {} });
    expect(use).toHaveProperty('id', (answer as { tool_use_id?: string }).tool_use_id);
  });

  it.each([
    [BUDGET, true, []],
    [OLD, undefined, ['dropped tools.ping.strict']],
  ])('B26: are strict where the model can be: %s', (model, strict, kinds) => {
    const built = build({ tools: [{ ...PING, strict: true }] }, model);
    expect(built.body.tools?.[0]?.strict).toBe(strict);
    expect(built.kinds).toEqual(kinds);
  });
});

describe('turns', () => {
  it('N05: put neighbouring results into one message, before what the user adds', () => {
    const { body } = build({
      tools: [PING],
      messages: [
        user('Go'),
        assistant('On it.', call('a'), call('b')),
        result('a', '1'),
        user('And?'),
        result('b', ''),
      ],
    });
    expect(body.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(body.messages[1]?.content.map(({ type }) => type)).toEqual(['text', 'tool_use', 'tool_use']);
    expect(body.messages[2]?.content).toEqual([
      { type: 'tool_result', tool_use_id: 'a', content: [text('1')] },
      { type: 'tool_result', tool_use_id: 'b' },
      text('And?'),
    ]);
  });

  it('B18/B19: tell a failed tool, and refuse a result of no call', () => {
    const failed: Message = { role: 'tool', toolCallId: 'a', content: [], isError: true };
    expect(build({ messages: [failed] }).body.messages[0]?.content[0]).toMatchObject({
      is_error: true,
      content: [{ type: 'text' }],
    });
    expect(failureOf(() => build({ messages: [result(' ', 'x')] })).code).toBe('invalid_value');
  });

  it('N09: keep leading instructions apart from the turns, in order', () => {
    const { body } = build({ messages: [system('part 1', ''), system('part 2'), user('Hi')] });
    expect(body.system).toEqual([text('part 1'), text('part 2')]);
    expect(body.messages).toHaveLength(1);
  });

  it('B03: give later instructions their place as a user where the model takes none there', () => {
    const messages = [user('A'), assistant('B'), system('Be kind.'), user('C')];
    const { body, kinds } = build({ messages });
    expect(body.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(body.messages[2]?.content).toEqual([text('Be kind.'), text('C')]);
    expect(kinds).toEqual(['approximated messages[2]']);
  });

  it('B03: give later instructions a turn behind the user where the model takes them', () => {
    const after = build({ messages: [user('A'), system('Be kind.'), assistant('B'), user('C')] }, ADAPTIVE);
    expect(after.body.messages.map(({ role }) => role)).toEqual(['user', 'system', 'assistant', 'user']);
    expect(after.warnings).toEqual([]);
    const before = build({ messages: [user('A'), assistant('B'), system('Be kind.'), user('C')] }, ADAPTIVE);
    expect(before.body.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'system']);
    expect(before.kinds).toEqual(['approximated messages[2]']);
    const last = build({ messages: [user('A'), assistant('B'), system('Be kind.')] }, ADAPTIVE);
    expect(last.body.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
  });

  it('B06/B07/B08/B09: merge neighbours, leave blank texts and empty messages out', () => {
    const messages = [user('A'), assistant('Hello'), assistant('\n\n', 'World'), assistant('   '), user('B')];
    const { body } = build({ messages });
    expect(body.messages[1]).toEqual({ role: 'assistant', content: [text('Hello'), text('World')] });
    expect(body.messages).toHaveLength(3);
  });

  it('B11: trim the end of a begun answer only', () => {
    const { body } = build({ messages: [user('A'), assistant('B '), user('C'), assistant('D ')] });
    expect(body.messages.map(({ content }) => content)).toEqual([[text('A')], [text('B ')], [text('C')], [text('D')]]);
  });

  it('B20/N20: carry arguments that are no JSON object as text', () => {
    const { body, kinds } = build({ messages: [assistant(call('a', '{"city": "Par'))] });
    expect(body.messages[0]?.content[0]).toMatchObject({ input: { rawInvalidInput: '{"city": "Par' } });
    expect(kinds).toEqual(['approximated messages[0].content[0].arguments']);
  });

  it('add a user where there is nothing to say, and report names', () => {
    expect(build({ messages: [system('Only this.')] }).kinds).toEqual(['approximated messages']);
    expect(build({ messages: [{ ...user('A'), name: 'ann' } as Message] }).kinds).toEqual(['dropped messages[0].name']);
  });
});

describe('media', () => {
  const source = (mediaType: string, data = 'aGVsbG8=') => ({ type: 'base64', mediaType, data }) as const;
  const url = (address: string, mediaType?: string) =>
    ({ type: 'url', url: address, ...(mediaType === undefined ? {} : { mediaType }) }) as const;
  const sent = (part: UserPart): unknown => build({ messages: [user(part)] }).body.messages[0]?.content[0];

  it.each<[string, UserPart, object]>([
    [
      'a PDF inline',
      { type: 'file', source: source('application/pdf') },
      { type: 'base64', media_type: 'application/pdf', data: 'aGVsbG8=' },
    ],
    [
      'a PDF by address',
      { type: 'file', source: url('https://x.example/a.pdf') },
      { type: 'url', url: 'https://x.example/a.pdf' },
    ],
    [
      'a text',
      { type: 'file', source: source('text/csv; charset=utf-8') },
      { type: 'text', media_type: 'text/plain', data: 'hello' },
    ],
    [
      'a PDF known by its name',
      { type: 'file', source: source(''), filename: 'A.PDF' },
      { type: 'base64', media_type: 'application/pdf', data: 'aGVsbG8=' },
    ],
  ])('N07: %s is a document', (_name, part, expected) => {
    expect(sent(part)).toMatchObject({ type: 'document', source: expected });
  });

  it.each<[string, UserPart, object]>([
    [
      'by address',
      { type: 'image', source: url('https://x.example/a.png') },
      { type: 'url', url: 'https://x.example/a.png' },
    ],
    [
      'inline',
      { type: 'image', source: source('image/jpg') },
      { type: 'base64', media_type: 'image/jpeg', data: 'aGVsbG8=' },
    ],
    [
      'sniffed',
      { type: 'image', source: source('image/*', 'UklGRgAA') },
      { type: 'base64', media_type: 'image/webp', data: 'UklGRgAA' },
    ],
    [
      'given as a file',
      { type: 'file', source: source('image/png') },
      { type: 'base64', media_type: 'image/png', data: 'aGVsbG8=' },
    ],
  ])('N07: an image %s is an image', (_name, part, expected) => {
    expect(sent(part)).toEqual({ type: 'image', source: expected });
  });

  it('N08: sound is refused, as are other files, other addresses and nothing at all', () => {
    const parts: UserPart[] = [
      { type: 'audio', source: source('audio/wav') },
      { type: 'image', source: source('image/tiff') },
      { type: 'file', source: source('application/zip') },
      { type: 'file', source: url('https://x.example/a.txt', 'text/plain') },
      { type: 'file', source: source('application/pdf', '') },
    ];
    for (const part of parts) {
      expect(failureOf(() => build({ messages: [user(part)] }))).toMatchObject({ code: 'invalid_value', status: 400 });
    }
    const bucket = failureOf(() => build({ messages: [user({ type: 'image', source: url('s3://bucket/a.png') })] }));
    expect(bucket).toMatchObject({ code: 'unsupported_parameter', param: 'messages[0].content[0]' });
  });

  it('B52: a document has its name, and is cited when asked for', () => {
    const part = { type: 'file', source: source('application/pdf'), filename: 'a.pdf', citations: true } as const;
    expect(sent(part)).toMatchObject({ title: 'a.pdf', citations: { enabled: true } });
    expect(sent({ ...part, citations: false })).not.toHaveProperty('citations');
  });

  it('B53/B54: a result holds images and documents', () => {
    const content = [
      { type: 'image', source: source('image/png') },
      { type: 'file', source: source('application/pdf') },
    ] as const;
    const { body } = build({ messages: [{ role: 'tool', toolCallId: 'a', content }] });
    expect(body.messages[0]?.content[0]).toMatchObject({ content: [{ type: 'image' }, { type: 'document' }] });
  });
});

describe('cache breakpoints', () => {
  const CACHE = { type: 'ephemeral' };

  it('B55/B56/B57/B58/B59/B61: stand on the part that asked', () => {
    const { body, warnings } = build({
      tools: [PING, { name: 'pong', cache: {} }],
      messages: [
        { role: 'system', content: [{ ...text('A'), cache: { ttl: '1h' } }, text('B')] },
        user({ ...text('C'), cache: { ttl: '5m' } }),
        assistant({ ...call('a'), cache: {} } as AssistantPart, call('b')),
      ],
    });
    expect(body.tools?.map((tool) => tool.cache_control)).toEqual([undefined, CACHE]);
    expect(body.system).toEqual([{ ...text('A'), cache_control: { ...CACHE, ttl: '1h' } }, text('B')]);
    expect(body.messages[0]?.content).toEqual([{ ...text('C'), cache_control: { ...CACHE, ttl: '5m' } }]);
    expect(body.messages[1]?.content).toMatchObject([{ cache_control: CACHE }, { id: 'b' }]);
    expect(body.messages[1]?.content[1]).not.toHaveProperty('cache_control');
    expect(warnings).toEqual([]);
  });

  it('N06/B60: stand on the result, by the message or else by its last part', () => {
    const content = [
      { ...text('1'), cache: { ttl: '5m' } as const },
      { ...text('2'), cache: { ttl: '1h' } as const },
    ];
    const sent = (message: Message): unknown => build({ messages: [message] }).body.messages[0]?.content[0];
    const tool = { role: 'tool', toolCallId: 'a', content } as const;
    expect(sent(tool)).toEqual({
      type: 'tool_result',
      tool_use_id: 'a',
      content: [text('1'), text('2')],
      cache_control: { ...CACHE, ttl: '1h' },
    });
    expect(sent({ ...tool, cache: {} })).toHaveProperty('cache_control', CACHE);
  });

  it('B63: are four at most, the earliest go, with a word', () => {
    const cached = (value: string) => ({ ...text(value), cache: {} });
    const { body, kinds } = build({
      tools: [{ ...PING, cache: {} }],
      messages: [{ role: 'system', content: [cached('A')] }, user(cached('B'), cached('C'), cached('D'))],
    });
    expect(body.tools?.[0]).not.toHaveProperty('cache_control');
    expect(JSON.stringify(body).match(/cache_control/g)).toHaveLength(4);
    expect(kinds).toEqual(['dropped tools[0].cache']);
    const own = build({ messages: [user(...'ABCD'.split('').map(cached))], extra: { cache_control: CACHE } });
    expect(own.body).toHaveProperty('cache_control', CACHE);
    expect(own.kinds).toEqual(['dropped messages[0].content[0].cache']);
  });

  it('are reported where a blank part asked', () => {
    expect(build({ messages: [user({ ...text(' '), cache: {} }, 'A')] }).kinds).toEqual([
      'dropped messages[0].content[0].cache',
    ]);
  });
});

describe('thinking', () => {
  it('B64/B67: has the budget asked for, and room for it', () => {
    const { body, kinds } = build({ reasoningBudgetTokens: 2_000, maxOutputTokens: 100 });
    expect(body.thinking).toEqual({ type: 'enabled', budget_tokens: 2_000 });
    expect(body.max_tokens).toBe(2_100);
    expect(kinds).toEqual(['approximated maxOutputTokens']);
  });

  it('B65: goes as it came where the contract has no words for it', () => {
    const thinking = { type: 'adaptive', display: 'omitted' };
    expect(build({ extra: { thinking }, reasoningEffort: 'low' }, EITHER).body).toMatchObject({
      thinking,
      output_config: { effort: 'low' },
    });
    expect(failureOf(() => build({ extra: { thinking: 'yes' } }))).toMatchObject({ param: 'thinking' });
  });

  it('B66: has the least budget where less was asked for', () => {
    const { body, kinds } = build({ reasoningBudgetTokens: 499 });
    expect(body.thinking).toEqual({ type: 'enabled', budget_tokens: 1_024 });
    expect(kinds).toEqual(['approximated reasoningBudgetTokens']);
  });

  it.each([
    ['minimal', 1_024],
    ['low', 1_024],
    ['medium', 2_048],
    ['high', 4_096],
    ['xhigh', 8_192],
  ] as const)('B68: effort %s is a budget of %d where the model takes one', (reasoningEffort, budget) => {
    const { body, kinds } = build({ reasoningEffort });
    expect(body.thinking).toEqual({ type: 'enabled', budget_tokens: budget });
    expect(body).not.toHaveProperty('output_config');
    expect(kinds).toEqual(['approximated reasoningEffort']);
  });

  it.each([
    [EITHER, 'minimal', 'low', ['approximated reasoningEffort']],
    [EITHER, 'high', 'high', []],
    [EITHER, 'xhigh', 'max', ['approximated reasoningEffort']],
    [ADAPTIVE, 'xhigh', 'xhigh', []],
  ] as const)('B69/N17: on %s effort %s is effort %s', (model, reasoningEffort, effort, kinds) => {
    const built = build({ reasoningEffort }, model);
    expect(built.body.thinking).toMatchObject({ type: 'adaptive' });
    expect(built.body.output_config).toEqual({ effort });
    expect(built.kinds).toEqual(kinds);
  });

  it('N17: effort beside a budget on Opus 4.5, nothing on models that do not think', () => {
    const { body, kinds } = build({ reasoningEffort: 'xhigh' }, 'claude-opus-4-5-20251101');
    expect(body).toMatchObject({ thinking: { type: 'enabled' }, output_config: { effort: 'high' } });
    expect(kinds).toEqual(['approximated reasoningEffort']);
    const none = build({ reasoningEffort: 'high' }, 'claude-3-5-haiku-20241022');
    expect(none.body).not.toHaveProperty('thinking');
    expect(none.kinds).toEqual(['dropped reasoningEffort']);
  });

  it('a budget is an effort where the model thinks by itself, and its words are asked for', () => {
    const { body, kinds } = build({ reasoningBudgetTokens: 8_000 }, ADAPTIVE);
    expect(body.thinking).toEqual({ type: 'adaptive', display: 'summarized' });
    expect(body.output_config).toEqual({ effort: 'medium' });
    expect(kinds).toEqual(['approximated reasoningBudgetTokens']);
    expect(build({ reasoningBudgetTokens: 8_000 }, EITHER).body.thinking).toMatchObject({ budget_tokens: 8_000 });
  });

  it('B70: none is nothing, or what the model needs not to think', () => {
    const sent = (model: string): unknown => build({ reasoningEffort: 'none' }, model).body.thinking;
    expect([BUDGET, EITHER, ADAPTIVE].map(sent)).toEqual([undefined, undefined, undefined]);
    expect(sent('claude-opus-5')).toEqual({ type: 'disabled' });
    const late = build({ reasoningEffort: 'none' }, LATE);
    expect(late.body.output_config).toEqual({ effort: 'low' });
    expect(late.kinds).toEqual(['approximated reasoningEffort']);
    expect(build({}, LATE).body).not.toHaveProperty('thinking');
  });

  it('B74: leaves no room for sampling', () => {
    const extra = { top_k: 5 };
    const { body, kinds } = build({ reasoningBudgetTokens: 2_000, temperature: 0.5, topP: 0.5, extra }, OLD);
    expect(body).not.toHaveProperty('temperature');
    expect(body).not.toHaveProperty('top_p');
    expect(body).not.toHaveProperty('top_k');
    expect(kinds).toEqual(['dropped temperature', 'dropped topP', 'dropped top_k']);
    const allowed = build({ reasoningBudgetTokens: 2_000, temperature: 1, topP: 0.95 }, OLD);
    expect(allowed.body).toMatchObject({ temperature: 1, top_p: 0.95 });
    expect(allowed.warnings).toEqual([]);
  });

  it('B75: with a budget leaves the choice of tools to the model; adaptive thinking does not', () => {
    const asked = { tools: [PING], toolChoice: { type: 'required' }, reasoningEffort: 'high' } as const;
    const { body, kinds } = build(asked);
    expect(body.tool_choice).toEqual({ type: 'auto' });
    expect(kinds).toContain('approximated toolChoice');
    expect(build(asked, EITHER).body.tool_choice).toEqual({ type: 'any' });
    const late = build({ tools: [PING], toolChoice: { type: 'tool', name: 'ping' } }, LATE);
    expect(late.body.tool_choice).toEqual({ type: 'auto' });
    expect(late.kinds).toEqual(['approximated toolChoice']);
  });
});

describe('reasoning given back', () => {
  const signed: AssistantPart = { type: 'reasoning', text: ' Hm. ', state: reasoningState('signature', 'c2ln') };
  const redacted: AssistantPart = { type: 'reasoning', text: '', state: reasoningState('redacted', 'cmVk') };
  const loop = (part: AssistantPart): Message[] => [user('Go'), assistant(part, call('a')), result('a', '1')];

  it('B76/B79/B80: comes first, as it was', () => {
    const { body, warnings } = build({ messages: [user('A'), assistant(signed, redacted, 'B'), user('C')] });
    expect(body.messages[1]?.content).toEqual([
      { type: 'thinking', thinking: ' Hm. ', signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'cmVk' },
      text('B'),
    ]);
    expect(warnings).toEqual([]);
  });

  it('B77/B78/B81: is dropped without a proof of ours, a message of nothing else as a whole', () => {
    const stranger: AssistantPart = { type: 'reasoning', text: 'Hm.', state: { issuer: 'bedrock', value: 's:c2ln' } };
    const { body, kinds } = build({
      messages: [user('A'), assistant({ type: 'reasoning', text: 'Hm.' }), assistant(stranger), user('B')],
    });
    expect(body.messages).toEqual([{ role: 'user', content: [text('A'), text('B')] }]);
    expect(kinds).toEqual(['dropped messages[1].content[0]', 'dropped messages[2].content[0]']);
  });

  it('state of another on a call is dropped with a word', () => {
    const part = { ...call('a'), state: { issuer: 'gemini', value: 'x' } } as AssistantPart;
    expect(build({ messages: [assistant(part)] }).kinds).toEqual(['dropped messages[0].content[0]']);
  });

  it('goes on thinking in a loop of tools only where the loop began with it', () => {
    const think = { reasoningBudgetTokens: 2_000, tools: [PING] };
    expect(build({ ...think, messages: loop(signed) }).body.thinking).toBeDefined();
    const unsigned = build({ ...think, messages: loop({ type: 'text', text: 'On it.' }) });
    expect(unsigned.body).not.toHaveProperty('thinking');
    expect(unsigned.kinds).toEqual(['dropped reasoningBudgetTokens']);
    expect(build({ ...think, messages: loop({ type: 'text', text: 'On it.' }) }, ADAPTIVE).body.thinking).toBeDefined();
  });
});

describe('the form of the answer', () => {
  const schema = { type: 'object', properties: { a: { type: 'integer', minimum: 1, description: 'Age.' } } };
  const responseFormat = { type: 'json-schema', name: 'a person', schema } as const;

  it('N18/B83: is native where the model has it, closed, with what it cannot be held to as words', () => {
    const { body, key, kinds } = build({ responseFormat });
    expect(body.output_config).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: { a: { type: 'integer', description: 'Age. {minimum: 1}' } },
          additionalProperties: false,
        },
      },
    });
    expect(key.jsonTool).toBeUndefined();
    expect(kinds).toEqual(['approximated responseFormat']);
  });

  it('N18/B84: is a forced tool where the model has none', () => {
    const { body, key, kinds } = build({ responseFormat }, OLD);
    expect(body.tools).toMatchObject([{ name: 'a_person', input_schema: schema }]);
    expect(body.tool_choice).toEqual({ type: 'tool', name: 'a_person' });
    expect(key.jsonTool).toBe('a_person');
    expect(kinds).toEqual(['emulated responseFormat']);
    const beside = build({ responseFormat: { ...responseFormat, name: 'ping' }, tools: [PING] }, OLD);
    expect(beside.body.tools?.map(({ name }) => name)).toEqual(['ping', 'ping_answer']);
    expect(beside.body.tool_choice).toEqual({ type: 'any' });
  });

  it('is told in words where no tool can be forced, or there is no schema (B85)', () => {
    const thinking = build({ responseFormat, reasoningEffort: 'low' }, OLD);
    expect(thinking.body).not.toHaveProperty('tools');
    expect(JSON.stringify(thinking.body.system)).toContain('JSON schema');
    const object = build({ responseFormat: { type: 'json-object' }, messages: [system('A'), user('B')] });
    expect(object.body.system).toHaveLength(2);
    expect(object.body).not.toHaveProperty('output_config');
    expect(object.kinds).toEqual(['emulated responseFormat']);
  });
});

describe('parameters', () => {
  it.each([
    ['claude-3-opus-latest', 4_096],
    ['claude-3-5-haiku-20241022', 8_192],
    ['claude-3-7-sonnet-20250219', 64_000],
    ['claude-opus-4-1-20250805', 32_000],
    ['claude-opus-4-20250514', 32_000],
    ['claude-opus-4-5@20251101', 64_000],
    ['claude-sonnet-4-5', 64_000],
    ['claude-sonnet-4-6', 128_000],
    ['claude-haiku-5-5', 64_000],
    ['something-else', 4_096],
  ])('N19: give %s a bound of %d where there is none', (model, bound) => {
    expect(build({}, model).body.max_tokens).toBe(bound);
    expect(build({ maxOutputTokens: 7 }, model).body.max_tokens).toBe(7);
    expect(build({}, model).warnings).toEqual([]);
  });

  it('B38: keep temperatures in range, newer models take none', () => {
    expect(build({ temperature: 1.5 })).toMatchObject({
      body: { temperature: 1 },
      kinds: ['approximated temperature'],
    });
    const none = build({ temperature: 0, topP: 0.5 }, ADAPTIVE);
    expect(none.body).not.toHaveProperty('temperature');
    expect(none.kinds).toEqual(['dropped temperature', 'dropped topP']);
    expect(build({ temperature: 1, topP: 1 }, ADAPTIVE).warnings).toEqual([]);
    expect(build({ temperature: 0, topP: 0.5 })).toMatchObject({ body: { temperature: 0 }, kinds: ['dropped topP'] });
    expect(build({ temperature: 0, topP: 0.5, extra: { top_k: 3 } }, OLD).body).toMatchObject({ top_p: 0.5, top_k: 3 });
  });

  it('B35/B40: send stops, the user, and tiers by the API’s names', () => {
    const { body, kinds } = build({ stop: ['END', '', ' '], endUser: 'u-1', serviceTier: 'default' });
    expect(body).toMatchObject({
      stop_sequences: ['END'],
      metadata: { user_id: 'u-1' },
      service_tier: 'standard_only',
    });
    expect(kinds).toEqual(['dropped stop']);
    expect(build({ serviceTier: 'priority' }).body.service_tier).toBe('auto');
    expect(build({ serviceTier: 'flex' })).toMatchObject({ kinds: ['dropped serviceTier'] });
  });

  it('B39: report what the API has no field for, and refuse several choices', () => {
    const { body, kinds } = build({
      seed: 1,
      presencePenalty: 1,
      frequencyPenalty: 1,
      logprobs: { top: 1 },
      logitBias: { '1': 1 },
      extra: { store: true, container: 'c-1' },
    });
    expect(Object.keys(body).sort()).toEqual(['container', 'max_tokens', 'messages']);
    expect(kinds).toEqual(
      ['seed', 'presencePenalty', 'frequencyPenalty', 'logprobs', 'logitBias', 'store'].map(
        (name) => `dropped ${name}`,
      ),
    );
    expect(failureOf(() => build({ choices: 2 }))).toMatchObject({ code: 'unsupported_parameter', param: 'n' });
  });
});
