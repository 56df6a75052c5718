import { toCanonicalChat } from '../../src/gateway/dialects/openai-chat/openai-chat.request.js';
import { GatewayError } from '../../src/contract/errors.js';
import type { JsonObject, JsonValue } from '../../src/contract/json.js';
import type { LossWarning } from '../../src/contract/provider.js';
import { buildConverseRequest } from '../../src/providers/bedrock/bedrock.request.js';

const CLAUDE = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const OLD_CLAUDE = 'anthropic.claude-3-7-sonnet-20250219-v1:0';
const NOVA = 'amazon.nova-lite-v1:0';
const EPHEMERAL = { type: 'ephemeral' };
const POINT = { cachePoint: { type: 'default' } };
const HELLO = { role: 'user', content: 'Hello' };
const PDF = 'data:application/pdf;base64,JVBERi0=';

interface Options {
  readonly model?: string;
  readonly isStream?: boolean;
}

/** What a body of OpenAI's becomes on Bedrock's wire. */
function translate(body: JsonObject, { model = CLAUDE, isStream = false }: Options = {}) {
  const warnings: LossWarning[] = [];
  const request = toCanonicalChat({ model: 'm', messages: [HELLO], ...body });
  const warn = (warning: LossWarning): number => warnings.push(warning);
  const { body: wire } = buildConverseRequest(request, { model, isStream, warn });
  return { wire, warnings, fields: warnings.map(({ field, kind }) => `${field} ${kind}`) };
}

function refused(body: JsonObject, options?: Options): GatewayError {
  try {
    translate(body, options);
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error('the request was not refused');
}

const messagesOf = (...messages: JsonValue[]) => translate({ messages }).wire.messages;
const toolCall = (id: string, more: JsonObject = {}): JsonObject => ({
  id,
  type: 'function',
  function: { name: 'look', arguments: '{}' },
  ...more,
});
const tool = (more: JsonObject = {}): JsonObject => ({ type: 'function', function: { name: 'look' }, ...more });
const result = (id: string, content: JsonValue, more: JsonObject = {}): JsonObject => ({
  role: 'tool',
  tool_call_id: id,
  content,
  ...more,
});
const text = (value: string, cache?: JsonObject): JsonObject => ({
  type: 'text',
  text: value,
  ...(cache === undefined ? {} : { cache_control: cache }),
});

describe('from OpenAI chat to Converse', () => {
  it.each([
    { messages: [{ role: 'system', content: null }, HELLO] },
    { messages: [HELLO, { role: 'tool', content: 'x' }] },
    { messages: [HELLO, result(' ', 'x')] },
    { tools: [tool()], tool_choice: 123 },
    { reasoning_effort: 'disabled' },
    { reasoning_effort: '' },
  ])('B04/B19/B32/B71: refuses with 400: %j', (body) => {
    expect(refused(body)).toMatchObject({ code: 'invalid_value', status: 400 });
  });

  it('B16: gives each text of a result a block', () => {
    const messages = messagesOf(
      HELLO,
      { role: 'assistant', tool_calls: [toolCall('a')] },
      result('a', [text('1'), text('2')]),
    );
    expect(messages?.[2]?.content).toEqual([
      { toolResult: { toolUseId: 'a', content: [{ text: '1' }, { text: '2' }] } },
    ]);
  });

  it('B23: gives Mistral ids of nine letters and digits, the same in call and result, none twice', () => {
    const ids = ['tooluse_bpe71yCfRu2b5i-nKGDr5g', 'tooluse_bpXXXXXXXX', 'c1'];
    const turn = { role: 'assistant', tool_calls: ids.map((id) => toolCall(id)) };
    const messages = [HELLO, turn, ...ids.map((id) => result(id, 'ok'))];
    const json = JSON.stringify(translate({ messages }, { model: 'mistral.mistral-large-2402-v1:0' }).wire);
    const sent = [...json.matchAll(/"toolUseId":"([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(sent[0]).toBe('toolusebp');
    expect(sent.slice(0, 3)).toEqual(sent.slice(3));
    expect(new Set(sent).size).toBe(3);
    expect(sent.every((id) => /^[a-zA-Z0-9]{9}$/.test(id))).toBe(true);
  });

  it('B25/B27: keeps a schema as it is and says that arguments are an object', () => {
    const parameters = { type: 'object', properties: { a: { type: ['string', 'null'], 'x-any': [1] } }, $defs: {} };
    const declared = [parameters, {}, { properties: {} }].map((one, at) => ({
      type: 'function',
      function: { name: `t${at}`, parameters: one },
    }));
    const { wire } = translate({ tools: declared });
    expect(wire.toolConfig?.tools?.map(({ toolSpec }) => toolSpec?.inputSchema?.json)).toEqual([
      parameters,
      { type: 'object' },
      { type: 'object', properties: {} },
    ]);
  });

  it('B37: takes max_completion_tokens before max_tokens', () => {
    expect(translate({ max_tokens: 5, max_completion_tokens: 7 }).wire.inferenceConfig).toEqual({ maxTokens: 7 });
  });

  it('B40: has no word for a tier Bedrock does not know', () => {
    expect(translate({ service_tier: 'scale' }).fields).toEqual(['serviceTier dropped']);
    for (const type of ['default', 'flex', 'priority', 'reserved']) {
      expect(translate({ service_tier: type }).wire.serviceTier).toEqual({ type });
    }
  });

  it('B42: refuses an image on the web, and an address in S3 that is none', () => {
    for (const url of ['https://example.com/cat.png', 's3://B/cat.png']) {
      const content = [{ type: 'image_url', image_url: { url } }];
      expect(refused({ messages: [{ role: 'user', content }] }).status).toBe(400);
    }
  });

  it('B41/B53: writes inline bytes in the alphabet and with the padding Converse reads', () => {
    const content = [{ type: 'image_url', image_url: { url: 'data:image/png;base64,-_8' } }];
    const image = { image: { format: 'png', source: { bytes: '+/8=' } } };
    const turn = { role: 'assistant', tool_calls: [toolCall('a')] };
    const messages = messagesOf({ role: 'user', content }, turn, result('a', content));
    expect(messages?.[0]?.content).toEqual([image]);
    expect(messages?.[2]?.content).toEqual([{ toolResult: { toolUseId: 'a', content: [image] } }]);
  });

  it('B49: names a document the same in every turn', () => {
    const file = { role: 'user', content: [{ type: 'file', file: { file_data: PDF } }] };
    const first = messagesOf(file);
    const later = messagesOf(file, { role: 'assistant', content: 'Read.' }, HELLO);
    expect(later?.[0]).toEqual(first?.[0]);
    expect(JSON.stringify(first)).toContain('"name":"document-1"');
  });

  it('B52: asks for citations where they were asked for, and only there', () => {
    const document = (citations: JsonObject, model = CLAUDE) => {
      const content = [text('Read.'), { type: 'file', file: { file_data: PDF, filename: 'a.pdf', citations } }];
      return translate({ messages: [{ role: 'user', content }] }, { model });
    };
    const asked = document({ enabled: true });
    expect(asked.wire.messages?.[0]?.content?.[1]?.document).toMatchObject({ name: 'a', citations: { enabled: true } });
    expect(document({ enabled: false }).wire.messages?.[0]?.content?.[1]?.document).not.toHaveProperty('citations');
    expect(document({ enabled: true }, NOVA).fields).toEqual(['messages[0].content[1].citations dropped']);
  });

  it('B54: gives a document out of a tool back as one', () => {
    const turn = { role: 'assistant', tool_calls: [toolCall('a')] };
    const messages = messagesOf(
      HELLO,
      turn,
      result('a', [{ type: 'file', file: { file_data: PDF, filename: 'r.pdf' } }]),
    );
    expect(messages?.[2]?.content).toEqual([
      {
        toolResult: {
          toolUseId: 'a',
          content: [{ document: { format: 'pdf', name: 'r', source: { bytes: 'JVBERi0=' } } }],
        },
      },
    ]);
  });

  it('B93: sends a video as one, by its media type or by its ending', () => {
    const of = (file: JsonObject) => messagesOf({ role: 'user', content: [{ type: 'file', file }] })?.[0]?.content;
    const video = (format: string) => [{ video: { format, source: { bytes: 'AAAA' } } }];
    expect(of({ file_data: 'data:video/mp4;base64,AAAA' })).toEqual(video('mp4'));
    expect(of({ file_data: 'data:video/quicktime;base64,AAAA' })).toEqual(video('mov'));
    expect(of({ file_data: 'data:application/octet-stream;base64,AAAA', filename: 'x.webm' })).toEqual(video('webm'));
  });

  it('B64/B66: gives Claude the budget asked for, and no less than there is', () => {
    const thinking = (budget: number, model = OLD_CLAUDE) =>
      translate({ thinking: { type: 'enabled', budget_tokens: budget } }, { model });
    expect(thinking(1024).wire.additionalModelRequestFields).toEqual({
      thinking: { type: 'enabled', budget_tokens: 1024 },
    });
    expect(thinking(1024).fields).toEqual([]);
    const least = thinking(499);
    expect(least.wire.additionalModelRequestFields).toEqual({ thinking: { type: 'enabled', budget_tokens: 1024 } });
    expect(least.fields).toEqual(['reasoningBudgetTokens approximated']);
    expect(thinking(3000, 'anthropic.claude-opus-4-7').wire.additionalModelRequestFields).toEqual({
      thinking: { type: 'adaptive' },
      output_config: { effort: 'high' },
    });
    expect(thinking(2000, 'openai.gpt-oss-120b-1:0')).toMatchObject({
      wire: { additionalModelRequestFields: { reasoning_effort: 'medium' } },
      fields: ['reasoningBudgetTokens approximated'],
    });
    expect(thinking(2000, NOVA).fields).toEqual(['reasoningBudgetTokens dropped']);
  });

  it('B65: passes other thinking on word for word', () => {
    const thinking = { type: 'adaptive', display: 'summarized' };
    expect(translate({ thinking }).wire.additionalModelRequestFields).toEqual({ thinking });
    expect(translate({ additionalModelRequestFields: { thinking } }).wire.additionalModelRequestFields).toEqual({
      thinking,
    });
  });

  it('B67: makes room for a budget', () => {
    const { wire, fields } = translate({ max_tokens: 100, thinking: { type: 'enabled', budget_tokens: 2000 } });
    expect(wire.inferenceConfig).toEqual({ maxTokens: 2100 });
    expect(fields).toEqual(['maxOutputTokens approximated']);
  });

  it('B74/B75: drops what thinking forbids, each by its name', () => {
    const asked = { temperature: 0.5, top_p: 0.5, top_k: 3, tools: [tool()], tool_choice: 'required' };
    const { wire, fields } = translate({
      ...asked,
      parallel_tool_calls: false,
      thinking: { type: 'enabled', budget_tokens: 2000 },
    });
    expect(wire).not.toHaveProperty('inferenceConfig');
    expect(wire.toolConfig?.toolChoice).toEqual({ auto: {} });
    expect(wire.additionalModelRequestFields).toMatchObject({
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    });
    expect(wire.additionalModelRequestFields).not.toHaveProperty('top_k');
    expect(fields.toSorted()).toEqual([
      'temperature dropped',
      'toolChoice approximated',
      'topP dropped',
      'top_k dropped',
    ]);
  });

  it('B87: passes the guardrail on, with its stream mode for streams alone', () => {
    const guardrail = { guardrailIdentifier: 'g', guardrailVersion: '1', trace: 'enabled' };
    const body = { guardrailConfig: { ...guardrail, streamProcessingMode: 'async' } };
    expect(translate(body, { isStream: true }).wire.guardrailConfig).toEqual(body.guardrailConfig);
    const whole = translate(body);
    expect(whole.wire.guardrailConfig).toEqual(guardrail);
    expect(whole.fields).toEqual(['guardrailConfig.streamProcessingMode dropped']);
    expect(refused({ guardrailConfig: 'g' })).toMatchObject({ code: 'invalid_value', param: 'guardrailConfig' });
  });

  it('B88: passes metadata on that Bedrock takes, and refuses other', () => {
    const requestMetadata = { team: 'research', run: '' };
    expect(translate({ requestMetadata }).wire.requestMetadata).toEqual(requestMetadata);
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, 'v']));
    for (const wrong of [many, { '': 'v' }, { ['k'.repeat(257)]: 'v' }, { k: 'v'.repeat(257) }, { k: 1 }, { k: '{' }]) {
      expect(refused({ requestMetadata: wrong }).code).toBe('invalid_value');
    }
  });

  it('B91: sends betas among the fields of Claude, and reports them for others', () => {
    const betas = { anthropic_beta: 'a-1, b-2', additionalModelRequestFields: { anthropic_beta: ['b-2', 'c-3'] } };
    expect(translate(betas).wire.additionalModelRequestFields).toEqual({ anthropic_beta: ['a-1', 'b-2', 'c-3'] });
    expect(translate({ anthropic_beta: ['a-1'] }, { model: NOVA }).fields).toEqual(['anthropic_beta dropped']);
    expect(refused({ anthropic_beta: 1 }).param).toBe('anthropic_beta');
  });

  it('B92: sends hosted tools with the beta they need, and none that search the web', () => {
    const hosted = [
      { type: 'computer_20251124', name: 'computer', display_width_px: 800 },
      { type: 'bash_20250124', name: 'bash' },
      { type: 'text_editor_20250728', name: 'editor' },
    ];
    const tools = [...hosted, { type: 'web_search_20250305', name: 'web_search' }];
    const { wire, fields } = translate({ additionalModelRequestFields: { tools } });
    expect(wire.additionalModelRequestFields).toEqual({
      tools: hosted,
      anthropic_beta: ['computer-use-2025-11-24', 'computer-use-2025-01-24'],
    });
    expect(fields).toEqual(['additionalModelRequestFields.tools[3] dropped']);
    expect(refused({ tools: [{ type: 'bash_20250124', name: 'bash' }] }).status).toBe(400);
  });

  it('B94: merges the fields a caller sends with those that are derived', () => {
    const merged = translate(
      {
        reasoning_effort: 'high',
        additionalModelRequestFields: { output_config: { other: 1 }, custom: true },
      },
      { model: 'us.anthropic.claude-sonnet-4-6' },
    );
    expect(merged.wire.additionalModelRequestFields).toEqual({
      thinking: { type: 'adaptive' },
      output_config: { effort: 'high', other: 1 },
      custom: true,
    });
    const nova = translate({ top_k: 5, additionalModelRequestFields: { inferenceConfig: { x: 1 } } }, { model: NOVA });
    expect(nova.wire.additionalModelRequestFields).toEqual({ inferenceConfig: { topK: 5, x: 1 } });
  });

  it('B95: puts nothing of the body at the root that is not Converse’s', () => {
    const { wire, fields } = translate({ user: 'u', store: true, metadata: { a: 'b' }, stream_options: {}, foo: 1 });
    expect(Object.keys(wire)).toEqual(['messages']);
    expect(fields.toSorted()).toEqual(['endUser dropped', 'foo dropped', 'metadata dropped', 'store dropped']);
  });
});

describe('cache points', () => {
  const turn = { role: 'assistant', content: 'Go.', tool_calls: [toolCall('a'), toolCall('b'), toolCall('c')] };

  it('B55/B61: follows the text that is marked, with its lifetime', () => {
    const marked = (cache: JsonObject) => messagesOf({ role: 'user', content: [text('long', cache), text('short')] });
    expect(marked(EPHEMERAL)?.[0]?.content).toEqual([{ text: 'long' }, POINT, { text: 'short' }]);
    for (const ttl of ['5m', '1h']) {
      expect(marked({ ...EPHEMERAL, ttl })?.[0]?.content?.[1]).toEqual({ cachePoint: { type: 'default', ttl } });
    }
    expect(marked({ ...EPHEMERAL, ttl: '2d' })?.[0]?.content?.[1]).toEqual(POINT);
  });

  it('B61: says so where a model cannot cache for an hour', () => {
    const messages = [{ role: 'user', content: [text('long', { ...EPHEMERAL, ttl: '1h' })] }];
    const { wire, fields } = translate({ messages }, { model: OLD_CLAUDE });
    expect(wire.messages?.[0]?.content).toEqual([{ text: 'long' }, POINT]);
    expect(fields).toEqual(['messages[0].content[0].cache.ttl approximated']);
  });

  it('B56/B57: stands between the system texts', () => {
    const parts = { role: 'system', content: [text('one', EPHEMERAL), text('two')] };
    expect(translate({ messages: [parts, HELLO] }).wire.system).toEqual([{ text: 'one' }, POINT, { text: 'two' }]);
    const whole = { role: 'system', content: 'one', cache_control: EPHEMERAL };
    expect(translate({ messages: [whole, HELLO] }).wire.system).toEqual([{ text: 'one' }, POINT]);
  });

  it('B58: stands behind a tool, where the model caches tools', () => {
    const tools = [tool({ cache_control: EPHEMERAL })];
    expect(translate({ tools }).wire.toolConfig?.tools).toEqual([
      { toolSpec: { name: 'look', inputSchema: { json: { type: 'object' } } } },
      POINT,
    ]);
    expect(translate({ tools }, { model: NOVA }).fields).toEqual(['tools[0].cache dropped']);
    expect(translate({ tools }, { model: NOVA }).wire.toolConfig?.tools).toHaveLength(1);
  });

  it('B59: stands behind the one call that is marked', () => {
    const calls = [toolCall('a', { cache_control: EPHEMERAL }), toolCall('b')];
    const content = messagesOf(HELLO, { role: 'assistant', tool_calls: calls }, result('a', '1'), result('b', '2'))?.[1]
      ?.content;
    expect(content?.map((block) => block.toolUse?.toolUseId ?? block)).toEqual(['a', POINT, 'b']);
  });

  it('B60: stands beside a result, once, with the last lifetime, and moves with it', () => {
    const hour = { ...EPHEMERAL, ttl: '1h' };
    const messages = messagesOf(
      HELLO,
      turn,
      { role: 'user', content: 'Quick!' },
      result('a', [text('1', EPHEMERAL), text('2', EPHEMERAL)]),
      result('b', '2'),
      result('c', [text('3', { ...EPHEMERAL, ttl: '5m' }), text('4', hour)]),
    );
    const content = messages?.at(-1)?.content;
    expect(content?.map((block) => block.toolResult?.toolUseId ?? block)).toEqual([
      'a',
      POINT,
      'b',
      'c',
      { cachePoint: { type: 'default', ttl: '1h' } },
      { text: 'Quick!' },
    ]);
    expect(JSON.stringify(content?.map((block) => block.toolResult))).not.toContain('cachePoint');
  });

  it('B62: is none for another kind of cache control', () => {
    const { wire } = translate({ messages: [{ role: 'user', content: [text('long', { type: 'permanent' })] }] });
    expect(JSON.stringify(wire)).not.toContain('cachePoint');
  });

  it('B63: is dropped, the earliest first, where there are more than four', () => {
    const messages = [
      { role: 'system', content: [text('s', EPHEMERAL)] },
      { role: 'user', content: [text('1', EPHEMERAL), text('2', EPHEMERAL)] },
      { role: 'assistant', content: [text('3', EPHEMERAL)] },
      { role: 'user', content: [text('4', EPHEMERAL)] },
    ];
    const { wire, fields } = translate({ messages, tools: [tool({ cache_control: EPHEMERAL })] });
    expect(wire.toolConfig?.tools).toHaveLength(1);
    expect(wire.system).toEqual([{ text: 's' }]);
    expect(wire.messages?.map(({ content }) => content)).toEqual([
      [{ text: '1' }, POINT, { text: '2' }, POINT],
      [{ text: '3' }, POINT],
      [{ text: '4' }, POINT],
    ]);
    expect(fields).toEqual(['tools[0].cache dropped', 'messages[0].content[0].cache dropped']);
  });

  it('B63: leaves no empty block behind, nor a turn of nothing else', () => {
    const blank = { role: 'user', content: [text(' ', EPHEMERAL)] };
    const { wire, fields } = translate({ messages: [blank, { role: 'assistant', content: 'Hi' }, HELLO] });
    expect(wire.messages).toEqual([
      { role: 'assistant', content: [{ text: 'Hi' }] },
      { role: 'user', content: [{ text: 'Hello' }] },
    ]);
    expect(fields).toEqual(['messages[0].content[0].cache dropped']);
  });

  it('B55: is dropped for models that cache nothing', () => {
    const messages = [{ role: 'user', content: [text('long', EPHEMERAL)] }];
    const { wire, fields } = translate({ messages }, { model: 'meta.llama3-1-8b-instruct-v1:0' });
    expect(wire.messages?.[0]?.content).toEqual([{ text: 'long' }]);
    expect(fields).toEqual(['messages[0].content[0].cache dropped']);
  });
});
