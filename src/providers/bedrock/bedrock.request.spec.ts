import type { ChatRequest, Message } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import type { LossWarning } from '../../contract/provider.js';
import { buildConverseRequest } from './bedrock.request.js';

const CLAUDE = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
const OLD_CLAUDE = 'anthropic.claude-3-7-sonnet-20250219-v1:0';
const NEW_CLAUDE = 'us.anthropic.claude-sonnet-4-6';
const NOVA = 'amazon.nova-lite-v1:0';
const LLAMA = 'meta.llama3-1-8b-instruct-v1:0';

const text = (value: string) => ({ type: 'text' as const, text: value });
const user = (...content: Extract<Message, { role: 'user' }>['content']): Message => ({ role: 'user', content });
const system = (...texts: string[]): Message => ({ role: 'system', content: texts.map(text) });
const assistant = (...content: Extract<Message, { role: 'assistant' }>['content']): Message => ({
  role: 'assistant',
  content,
});
const toolCall = (id: string, argumentsText = '{}', name = 'look') =>
  ({ type: 'tool-call', id, name, arguments: argumentsText }) as const;
const result = (toolCallId: string, value = 'ok'): Message => ({ role: 'tool', toolCallId, content: [text(value)] });
const HELLO = user(text('Hello'));
const LOOK = { name: 'look', parameters: { type: 'object' } } as const;
const SCHEMA = { type: 'object', properties: { city: { type: 'object', properties: {} } } } as const;

function build(request: Partial<ChatRequest>, model = CLAUDE, isStream = false) {
  const warnings: LossWarning[] = [];
  const warn = (warning: LossWarning): number => warnings.push(warning);
  const { body, answerKey } = buildConverseRequest({ messages: [HELLO], ...request }, { model, isStream, warn });
  return { body, answerKey, warnings, fields: warnings.map((warning) => `${warning.field} ${warning.kind}`) };
}

function refused(request: Partial<ChatRequest>, model = CLAUDE): GatewayError {
  try {
    build(request, model);
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error('the request was not refused');
}

const messagesOf = (...messages: Message[]) => build({ messages }).body.messages;

describe('buildConverseRequest', () => {
  it('sends nothing that was not asked for', () => {
    expect(build({}).body).toEqual({ messages: [{ role: 'user', content: [{ text: 'Hello' }] }] });
  });

  describe('turns', () => {
    it('B01/B02/B04: collects the leading system texts, one block each, without blank ones', () => {
      const { body } = build({ messages: [system('one', ' '), system('two'), HELLO] });
      expect(body.system).toEqual([{ text: 'one' }, { text: 'two' }]);
      expect(build({ messages: [system(''), HELLO] }).body.system).toBeUndefined();
    });

    it('B03: turns a later system message into a user text and says so', () => {
      const { body, fields } = build({ messages: [HELLO, assistant(text('Hi')), system('mind'), user(text('Go'))] });
      expect(body.messages?.[2]).toEqual({ role: 'user', content: [{ text: 'mind' }, { text: 'Go' }] });
      expect(fields).toEqual(['messages[2] approximated']);
    });

    it('B05/B06/B08: merges neighbours of one role and drops what is blank', () => {
      expect(
        messagesOf(HELLO, user(text('again')), assistant(text('a')), assistant(text(' ')), assistant(text('b'))),
      ).toEqual([
        { role: 'user', content: [{ text: 'Hello' }, { text: 'again' }] },
        { role: 'assistant', content: [{ text: 'a' }, { text: 'b' }] },
      ]);
    });

    it('B07: leaves out an assistant message without content', () => {
      expect(messagesOf(HELLO, assistant(text('')), user(text('again')))).toHaveLength(1);
    });

    it('B11: trims the end of a prefill, and only there', () => {
      const messages = messagesOf(HELLO, assistant(text('kept ')), HELLO, assistant(text('trimmed \n')));
      expect(messages?.[1]?.content).toEqual([{ text: 'kept ' }]);
      expect(messages?.[3]?.content).toEqual([{ text: 'trimmed' }]);
    });

    it('B12/B13/B14/B15/B21: puts all results of a turn into one message, before its texts', () => {
      const calls = assistant(text('Let me see.'), toolCall('c1', '{"city":"Rome"}'), toolCall('c2', ''));
      expect(messagesOf(HELLO, calls, user(text('quick')), result('c1', 'sun'), result('c2'))?.slice(1)).toEqual([
        {
          role: 'assistant',
          content: [
            { text: 'Let me see.' },
            { toolUse: { toolUseId: 'c1', name: 'look', input: { city: 'Rome' } } },
            { toolUse: { toolUseId: 'c2', name: 'look', input: {} } },
          ],
        },
        {
          role: 'user',
          content: [
            { toolResult: { toolUseId: 'c1', content: [{ text: 'sun' }] } },
            { toolResult: { toolUseId: 'c2', content: [{ text: 'ok' }] } },
            { text: 'quick' },
          ],
        },
      ]);
    });

    it('B17/B18: gives an empty result as {} and tells that a tool failed', () => {
      const empty: Message = { role: 'tool', toolCallId: 'c1', content: [text(' ')], isError: true };
      expect(messagesOf(HELLO, assistant(toolCall('c1')), empty)?.[2]?.content).toEqual([
        { toolResult: { toolUseId: 'c1', content: [{ json: {} }], status: 'error' } },
      ]);
    });

    it('B19: refuses a result that names no call', () => {
      expect(refused({ messages: [HELLO, result('')] })).toMatchObject({
        code: 'invalid_value',
        param: 'messages[1].tool_call_id',
      });
    });

    it.each(['{ "city": "Rome", }', '[1]', '"Rome"'])('B20: wraps arguments that are no object: %s', (raw) => {
      const { body, fields } = build({ messages: [HELLO, assistant(toolCall('c1', raw)), result('c1')] });
      expect(body.messages?.[1]?.content).toMatchObject([{ toolUse: { input: { rawInvalidInput: raw } } }]);
      expect(fields).toEqual(['messages[1].content[0].arguments approximated']);
    });

    it('gives call and result the same id when the id is not allowed', () => {
      const long = 'x'.repeat(65);
      const json = JSON.stringify(messagesOf(HELLO, assistant(toolCall(long)), result(long)));
      const ids = [...json.matchAll(/"toolUseId":"([^"]+)"/g)].map((match) => match[1]);
      expect(ids).toHaveLength(2);
      expect(new Set(ids).size).toBe(1);
      expect(ids[0]).toMatch(/^[a-zA-Z0-9_.:-]{1,64}$/);
    });

    it('B76/B77/B79/B80/B81: gives signed reasoning back and drops what cannot be', () => {
      const { body, fields } = build({
        messages: [
          HELLO,
          assistant(
            { type: 'reasoning', text: 'signed ', state: { issuer: 'anthropic-signature', value: 's:abc' } },
            { type: 'reasoning', text: '', state: { issuer: 'anthropic-signature', value: 'r:red' } },
            { type: 'reasoning', text: 'unsigned' },
            { type: 'reasoning', text: 'foreign', state: { issuer: 'gemini', value: 's:abc' } },
            text('Hi'),
          ),
        ],
      });
      expect(body.messages?.[1]?.content).toEqual([
        { reasoningContent: { reasoningText: { text: 'signed ', signature: 'abc' } } },
        { reasoningContent: { redactedContent: 'cmVk' } },
        { text: 'Hi' },
      ]);
      expect(fields).toEqual(['messages[1].content[2] dropped', 'messages[1].content[3] dropped']);
    });

    it('B10: keeps blank texts between reasoning that is given back, and no others', () => {
      const signed = (value: string) =>
        ({ type: 'reasoning', text: value, state: { issuer: 'anthropic-signature', value: `s:${value}` } }) as const;
      const content = [text(''), signed('a'), text(''), signed('b'), text(' '), text('Hi')];
      expect(messagesOf(HELLO, assistant(...content), HELLO)?.[1]?.content).toEqual([
        { reasoningContent: { reasoningText: { text: 'a', signature: 'a' } } },
        { text: '' },
        { reasoningContent: { reasoningText: { text: 'b', signature: 'b' } } },
        { text: 'Hi' },
      ]);
    });

    it('B09: removes blank texts beside calls', () => {
      const content = [text('\n\n'), toolCall('a'), text(' '), text('actual content')];
      expect(messagesOf(HELLO, assistant(...content))?.[1]?.content).toEqual([
        { toolUse: { toolUseId: 'a', name: 'look', input: {} } },
        { text: 'actual content' },
      ]);
    });

    it('B81: keeps reasoning and states of calls from models of another issuer', () => {
      const state = { issuer: 'anthropic-signature', value: 's:abc' };
      const content = [{ type: 'reasoning', text: 'Hm.', state } as const, { ...toolCall('a'), state }];
      const messages = [HELLO, assistant(...content), result('a')];
      const { body, fields } = build({ messages }, 'us.amazon.nova-2-lite-v1:0');
      expect(JSON.stringify(body)).not.toContain('abc');
      expect(fields).toEqual(['messages[1].content[0] dropped', 'messages[1].content[1] dropped']);
      const own = { type: 'reasoning', text: 'Hm.', state: { issuer: 'bedrock', value: 's:abc' } } as const;
      expect(build({ messages: [HELLO, assistant(own), HELLO] }, 'us.amazon.nova-2-lite-v1:0').fields).toEqual([]);
      expect(build({ messages: [HELLO, assistant(own), HELLO] }).fields).toEqual(['messages[1].content[0] dropped']);
    });

    it('B78: leaves out a message of nothing but unsigned reasoning', () => {
      expect(messagesOf(HELLO, assistant({ type: 'reasoning', text: 'unsigned' }))).toHaveLength(1);
    });

    it('gives a model that has only instructions a user turn', () => {
      const { body, fields } = build({ messages: [system('Greet.')] });
      expect(body).toEqual({ system: [{ text: 'Greet.' }], messages: [{ role: 'user', content: [{ text: '.' }] }] });
      expect(fields).toEqual(['messages approximated']);
    });
  });

  describe('media', () => {
    const image = (mediaType: string, data = 'dGVzdA==') =>
      ({ type: 'image', source: { type: 'base64', mediaType, data } }) as const;
    const file = (mediaType: string, filename?: string) =>
      ({
        type: 'file',
        source: { type: 'base64', mediaType, data: 'AA==' },
        ...(filename === undefined ? {} : { filename }),
      }) as const;

    it.each([
      [image('image/jpeg'), 'jpeg'],
      [image('image/jpg'), 'jpeg'],
      [image('image/PNG'), 'png'],
      [image('image/*', '/9j/4AAQ'), 'jpeg'],
      [image('', 'R0lGODlh'), 'gif'],
      [image('application/octet-stream', 'UklGRiQA'), 'webp'],
    ])('B41/B44/B45: tells the format of an image', (part, format) => {
      expect(messagesOf(user(part))?.[0]?.content).toMatchObject([
        { image: { format, source: { bytes: part.source.data } } },
      ]);
    });

    it('B42/B43: keeps an address in S3 and refuses any other', () => {
      const at = (url: string): Message => user({ type: 'image', source: { type: 'url', url } });
      expect(messagesOf(at('s3://bucket/cat.png'))?.[0]?.content).toEqual([
        { image: { format: 'png', source: { s3Location: { uri: 's3://bucket/cat.png' } } } },
      ]);
      expect(refused({ messages: [at('https://example.com/cat.png')] })).toMatchObject({
        code: 'unsupported_parameter',
        status: 400,
        param: 'messages[0].content[0]',
      });
    });

    it.each([image('image/tiff'), image('image/*', 'AAAA'), file('application/rtf'), file('audio/x-unknown')])(
      'B44/B50: refuses a format Bedrock does not know',
      (part) => expect(refused({ messages: [user(part)] }).code).toBe('invalid_value'),
    );

    it('B46/B47/B48/B50/B51: names documents after their files, each once, and adds a text', () => {
      const parts = [
        file('application/pdf', 'a.b c.pdf'),
        file('text/csv', 'a.b c.csv'),
        file('text/plain'),
        file('', 'x.docx'),
      ];
      expect(messagesOf(user(...parts))?.[0]?.content).toMatchObject([
        { text: 'See the document.' },
        { document: { format: 'pdf', name: 'a-b c' } },
        { document: { format: 'csv', name: 'a-b c-2' } },
        { document: { format: 'txt', name: 'document-1' } },
        { document: { format: 'docx', name: 'x' } },
      ]);
    });

    it('B93: sends images, videos and sounds as what they are', () => {
      const parts = [
        file('image/png'),
        file('video/quicktime'),
        { type: 'audio', source: file('audio/mpeg').source } as const,
      ];
      expect(messagesOf(user(...parts))?.[0]?.content).toMatchObject([
        { image: { format: 'png' } },
        { video: { format: 'mov' } },
        { audio: { format: 'mp3' } },
      ]);
    });
  });

  describe('parameters', () => {
    it('B35/B36/B38: sends sampling and limits, within the range of Converse', () => {
      const asked = { maxOutputTokens: 7, temperature: 1.5, topP: 0.3, stop: ['a', ''] };
      const { body, fields } = build(asked);
      expect(body.inferenceConfig).toEqual({ maxTokens: 7, temperature: 1, topP: 0.3, stopSequences: ['a'] });
      expect(fields).toEqual(['temperature approximated']);
    });

    it('B39: refuses more than one choice', () => {
      expect(refused({ choices: 2 })).toMatchObject({ code: 'unsupported_parameter', param: 'n' });
    });

    it('B39/B95: reports every parameter Converse has no field for', () => {
      const { body, fields } = build(
        {
          seed: 1,
          presencePenalty: 0,
          frequencyPenalty: 1,
          logprobs: { top: 2 },
          logitBias: { '1': 1 },
          endUser: 'u',
          serviceTier: 'scale',
          extra: { store: true, thinking: { type: 'disabled' } },
        },
        NOVA,
      );
      expect(Object.keys(body)).toEqual(['messages']);
      const reported = [
        'serviceTier',
        'seed',
        'presencePenalty',
        'frequencyPenalty',
        'logprobs',
        'logitBias',
        'endUser',
        'store',
        'thinking',
      ];
      expect(fields.toSorted()).toEqual(reported.map((field) => `${field} dropped`).toSorted());
    });

    it('B40: sends the service tier by its name and leaves "auto" out', () => {
      expect(build({ serviceTier: 'flex' }).body.serviceTier).toEqual({ type: 'flex' });
      const { body, warnings } = build({ serviceTier: 'auto' });
      expect(body).not.toHaveProperty('serviceTier');
      expect(warnings).toEqual([]);
    });

    it('B87/B94: passes fields of Converse on and merges those of the model', () => {
      const guardrailConfig = { guardrailIdentifier: 'g', guardrailVersion: '1' };
      const { body, warnings } = build({
        extra: { guardrailConfig, top_k: 5, additionalModelRequestFields: { anthropic_beta: ['x'] } },
      });
      expect(body).toMatchObject({
        guardrailConfig,
        additionalModelRequestFields: { top_k: 5, anthropic_beta: ['x'] },
      });
      expect(warnings).toEqual([]);
      expect(build({ extra: { top_k: 5 } }, NOVA).body.additionalModelRequestFields).toEqual({
        inferenceConfig: { topK: 5 },
      });
    });
  });

  describe('tools', () => {
    it('B24/B25/B26: declares tools, with a schema always and a description only when there is one', () => {
      const { body } = build({
        tools: [
          { name: 'a', description: ' ' },
          { ...LOOK, description: 'Looks.', strict: true },
        ],
      });
      expect(body.toolConfig).toEqual({
        tools: [
          { toolSpec: { name: 'a', inputSchema: { json: { type: 'object' } } } },
          {
            toolSpec: { name: 'look', description: 'Looks.', inputSchema: { json: { type: 'object' } }, strict: true },
          },
        ],
      });
    });

    it('B26: leaves "strict" out for models that do not know it and says so', () => {
      const { body, fields } = build({ tools: [{ ...LOOK, strict: true }] }, NOVA);
      expect(body.toolConfig?.tools?.[0]?.toolSpec).not.toHaveProperty('strict');
      expect(fields).toEqual(['tools.look.strict dropped']);
    });

    it.each([
      [{ type: 'auto' }, CLAUDE, { auto: {} }],
      [{ type: 'required' }, CLAUDE, { any: {} }],
      [{ type: 'tool', name: 'look' }, CLAUDE, { tool: { name: 'look' } }],
      [{ type: 'tool', name: 'look' }, 'mistral.mistral-large-2402-v1:0', { any: {} }],
      [{ type: 'required' }, LLAMA, undefined],
    ] as const)('B28: chooses %j with %s', (toolChoice, model, expected) => {
      expect(build({ tools: [LOOK, { name: 'b' }], toolChoice }, model).body.toolConfig?.toolChoice).toEqual(expected);
    });

    it('B31: leaves a model that cannot be told a name with the one tool', () => {
      const { body } = build({ tools: [LOOK, { name: 'b' }], toolChoice: { type: 'tool', name: 'b' } }, 'mistral.x');
      expect(body.toolConfig?.tools?.map((tool) => tool.toolSpec?.name)).toEqual(['b']);
    });

    it('B29/B30/B33: sends no tools for the choice "none", unless the turns need some', () => {
      expect(build({ tools: [LOOK], toolChoice: { type: 'none' } }).body.toolConfig).toBeUndefined();
      const messages = [HELLO, assistant(toolCall('c1')), result('c1')];
      const { body, fields } = build({ messages, tools: [LOOK], toolChoice: { type: 'none' } });
      expect(body.toolConfig?.tools?.map((tool) => tool.toolSpec?.name)).toEqual(['no_tool_available']);
      expect(fields).toEqual(['toolChoice approximated']);
    });

    it("B22: changes names that are not allowed, everywhere, and remembers the caller's", () => {
      const { body, answerKey } = build({
        messages: [HELLO, assistant(toolCall('c1', '{}', '$READ.FILE')), result('c1')],
        tools: [{ name: '$READ.FILE' }, { name: 'READFILE' }, { name: '$' }],
        toolChoice: { type: 'tool', name: '$READ.FILE' },
      });
      expect(body.toolConfig?.tools?.map((tool) => tool.toolSpec?.name)).toEqual(['READFILE_2', 'READFILE', '_']);
      expect(body.toolConfig?.toolChoice).toEqual({ tool: { name: 'READFILE_2' } });
      expect(body.messages?.[1]?.content).toMatchObject([{ toolUse: { name: 'READFILE_2' } }]);
      expect([...answerKey.renamedTools]).toEqual([
        ['READFILE_2', '$READ.FILE'],
        ['_', '$'],
      ]);
    });

    it('keeps two tools of earlier turns apart whose names become one', () => {
      const messages = [HELLO, assistant(toolCall('c1', '{}', '$A'), toolCall('c2', '{}', 'A'))];
      expect(build({ messages }).body.messages?.[1]?.content).toMatchObject([
        { toolUse: { name: 'A_2' } },
        { toolUse: { name: 'A' } },
      ]);
    });

    it('B34: forbids parallel calls where the model can, and says where it cannot', () => {
      const asked = { tools: [LOOK], parallelToolCalls: false };
      const choice = (model: string) => build(asked, model).body.additionalModelRequestFields;
      expect(choice(CLAUDE)).toEqual({ tool_choice: { type: 'auto', disable_parallel_tool_use: true } });
      expect(choice(OLD_CLAUDE)).toBeUndefined();
      expect(build(asked, OLD_CLAUDE).fields).toEqual(['parallelToolCalls dropped']);
    });
  });

  describe('answer formats', () => {
    const responseFormat = { type: 'json-schema', name: 'City', description: 'A city.', schema: SCHEMA } as const;

    it('B82/B83: sends a schema natively, every object closed', () => {
      const { body, warnings } = build({ responseFormat });
      const sent = body.outputConfig?.textFormat?.structure?.jsonSchema;
      expect(sent).toMatchObject({ name: 'City', description: 'A city.' });
      expect(JSON.parse(String(sent?.schema))).toEqual({
        type: 'object',
        properties: { city: { type: 'object', properties: {}, additionalProperties: false } },
        additionalProperties: false,
      });
      expect(warnings).toEqual([]);
    });

    it('B83: keeps objects that are open on purpose, and properties that are called like keywords', () => {
      const schema = {
        type: 'object',
        additionalProperties: true,
        properties: { items: { type: 'string' }, anyOf: { enum: [{}] } },
      };
      const { body } = build({ responseFormat: { type: 'json-schema', name: 'x', schema } });
      expect(JSON.parse(String(body.outputConfig?.textFormat?.structure?.jsonSchema?.schema))).toEqual(schema);
    });

    it('B84: forces a tool where there are no schemas', () => {
      const { body, answerKey, fields } = build({ responseFormat }, NOVA);
      expect(body.toolConfig).toEqual({
        tools: [{ toolSpec: { name: 'json_answer', description: 'A city.', inputSchema: { json: SCHEMA } } }],
        toolChoice: { tool: { name: 'json_answer' } },
      });
      expect(answerKey.jsonTool).toBe('json_answer');
      expect(fields).toEqual(['responseFormat emulated']);
    });

    it("B86: lets the model choose between that tool and the caller's", () => {
      const { body, answerKey } = build({ responseFormat, tools: [LOOK, { name: 'json_answer' }] }, NOVA);
      expect(body.toolConfig?.toolChoice).toEqual({ any: {} });
      expect(answerKey.jsonTool).toBe('json_answer_');
    });

    it.each([
      ['no tool can be forced', LLAMA, {}],
      ['thinking forbids forcing', OLD_CLAUDE, { reasoningEffort: 'low' }],
    ] as const)('B84: tells the schema in words where %s', (_why, model, more) => {
      const { body, answerKey } = build({ responseFormat, ...more }, model);
      expect(body.system?.[0]?.text).toContain(JSON.stringify(SCHEMA));
      expect(answerKey.jsonTool).toBeUndefined();
    });

    it('B85: asks for any JSON object in words, without a tool', () => {
      const { body, fields } = build({ responseFormat: { type: 'json-object' } }, NOVA);
      expect(body.system?.[0]?.text).toContain('JSON object');
      expect(body.toolConfig).toBeUndefined();
      expect(fields).toEqual(['responseFormat emulated']);
    });
  });

  describe('reasoning', () => {
    const fieldsOf = (request: Partial<ChatRequest>, model: string) =>
      build(request, model).body.additionalModelRequestFields;

    it.each([
      [NEW_CLAUDE, 'minimal', { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }],
      [NEW_CLAUDE, 'xhigh', { thinking: { type: 'adaptive' }, output_config: { effort: 'max' } }],
      ['anthropic.claude-opus-4-7', 'xhigh', { thinking: { type: 'adaptive' }, output_config: { effort: 'xhigh' } }],
      [OLD_CLAUDE, 'medium', { thinking: { type: 'enabled', budget_tokens: 2048 } }],
      [CLAUDE, 'xhigh', { thinking: { type: 'enabled', budget_tokens: 8192 } }],
      ['openai.gpt-oss-120b-1:0', 'medium', { reasoning_effort: 'medium' }],
      ['us.amazon.nova-2-lite-v1:0', 'high', { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } }],
      ['qwen.qwen3-32b-v1:0', 'high', { reasoning_config: 'high' }],
      [NEW_CLAUDE, 'none', undefined],
      [LLAMA, 'high', undefined],
    ] as const)('B68/B69/B70/B72/B73: makes %s reason with effort %s', (model, reasoningEffort, expected) => {
      expect(fieldsOf({ reasoningEffort }, model)).toEqual(expected);
    });

    it('reports an effort the model does not take', () => {
      expect(build({ reasoningEffort: 'high' }, LLAMA).fields).toEqual(['reasoningEffort dropped']);
    });

    it("B64/B65/B66: takes the caller's own thinking, with the least budget there is", () => {
      const thinking = { type: 'enabled', budget_tokens: 499 };
      expect(fieldsOf({ extra: { thinking } }, OLD_CLAUDE)).toEqual({
        thinking: { type: 'enabled', budget_tokens: 1024 },
      });
      expect(fieldsOf({ extra: { thinking: { type: 'disabled' } } }, OLD_CLAUDE)).toEqual({
        thinking: { type: 'disabled' },
      });
      expect(refused({ extra: { thinking: 'yes' } }).code).toBe('invalid_value');
    });

    it('B67: makes room for the budget in the output bound', () => {
      const thinking = { type: 'enabled', budget_tokens: 2000 };
      const { body, fields } = build({ maxOutputTokens: 100, extra: { thinking } }, OLD_CLAUDE);
      expect(body.inferenceConfig).toEqual({ maxTokens: 2100 });
      expect(fields).toEqual(['maxOutputTokens approximated']);
    });

    it('B74/B75: drops sampling and forced tools while the model thinks', () => {
      const { body, fields } = build(
        { reasoningEffort: 'high', temperature: 0, topP: 1, tools: [LOOK], toolChoice: { type: 'required' } },
        NEW_CLAUDE,
      );
      expect(body.inferenceConfig).toBeUndefined();
      expect(body.toolConfig?.toolChoice).toEqual({ auto: {} });
      expect(fields).toEqual(['toolChoice approximated', 'temperature dropped', 'topP dropped']);
    });

    it('does not think in the middle of a tool turn that was begun without', () => {
      const tools = [LOOK];
      const unsigned = [HELLO, assistant(toolCall('c1')), result('c1')];
      expect(fieldsOf({ messages: unsigned, tools, reasoningEffort: 'low' }, OLD_CLAUDE)).toBeUndefined();
      const thought = {
        type: 'reasoning',
        text: 'Hm.',
        state: { issuer: 'anthropic-signature', value: 's:x' },
      } as const;
      const signed = [HELLO, assistant(thought, toolCall('c1')), result('c1')];
      expect(fieldsOf({ messages: signed, tools, reasoningEffort: 'low' }, OLD_CLAUDE)).toHaveProperty('thinking');
    });
  });
});
