import type { AssistantPart, Message, UserPart } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import type { LossWarning } from '../../contract/provider.js';
import { toGeminiContents } from './messages.js';
import { geminiModel } from './model.js';
import type { GeminiService } from './service.js';

const SERVICE: GeminiService = { issuer: 'clouds', hasCallIds: true, hasTierField: true, secrets: [] };

const system = (...texts: string[]): Message => ({
  role: 'system',
  content: texts.map((text) => ({ type: 'text', text })),
});
const user = (...parts: (string | UserPart)[]): Message => ({
  role: 'user',
  content: parts.map((part) => (typeof part === 'string' ? { type: 'text', text: part } : part)),
});
const assistant = (...content: AssistantPart[]): Message => ({ role: 'assistant', content });
const text = (value: string): AssistantPart => ({ type: 'text', text: value });
const call = (id: string, changes: object = {}): AssistantPart => ({
  type: 'tool-call',
  id,
  name: `do_${id}`,
  arguments: '{"n":1}',
  ...changes,
});
const result = (toolCallId: string, value: string): Message => ({
  role: 'tool',
  toolCallId,
  content: [{ type: 'text', text: value }],
});

interface Outcome extends ReturnType<typeof toGeminiContents> {
  readonly warnings: LossWarning[];
}

function translate(messages: Message[], model = 'gemini-2.5-flash', service = SERVICE): Outcome {
  const warnings: LossWarning[] = [];
  return {
    ...toGeminiContents(messages, { model: geminiModel(model), service, warn: (loss) => warnings.push(loss) }),
    warnings,
  };
}

function refusal(messages: Message[]): GatewayError {
  try {
    translate(messages);
  } catch (error) {
    if (error instanceof GatewayError) return error;
  }
  throw new Error('the messages were accepted');
}

const callPart = (id: string): object => ({ functionCall: { id, name: `do_${id}`, args: { n: 1 } } });
const resultPart = (id: string, output: string): object => ({
  functionResponse: { id, name: `do_${id}`, response: { output } },
});

describe('system text', () => {
  it('G01: of the leading messages becomes the system instruction', () => {
    expect(translate([system('a'), system('b', 'c'), user('hi')])).toEqual({
      systemInstruction: { parts: [{ text: 'a' }, { text: 'b' }, { text: 'c' }] },
      contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
      warnings: [],
    });
  });

  it('G03: that is empty is left out', () => {
    expect(translate([system(''), user('hi')])).not.toHaveProperty('systemInstruction');
  });

  it('G02: after a turn becomes a user turn, with a warning', () => {
    const { contents, warnings } = translate([user('hi'), assistant(text('yo')), system('be brief')]);
    expect(contents.at(-1)).toEqual({ role: 'user', parts: [{ text: 'be brief' }] });
    expect(warnings).toEqual([expect.objectContaining({ field: 'messages[2]', kind: 'approximated' })]);
  });

  it('G39: stands before the first user text of a Gemma model', () => {
    const { contents, warnings, ...rest } = translate([system('rules'), user('hi')], 'gemma-3-27b-it');
    expect(contents).toEqual([{ role: 'user', parts: [{ text: 'rules\n\nhi' }] }]);
    expect(rest).toEqual({});
    expect(warnings).toHaveLength(1);
  });

  it('alone is sent as the user turn, with a warning', () => {
    const { contents, warnings } = translate([system('only')]);
    expect(contents).toEqual([{ role: 'user', parts: [{ text: 'only' }] }]);
    expect(warnings).toHaveLength(1);
  });
});

describe('turns', () => {
  it('G04/G05/G12: of one role are merged and empty ones dropped', () => {
    const messages = [user('a'), assistant(text('')), user('b', ''), assistant(text('c')), assistant(text('d'))];
    expect(translate(messages).contents).toEqual([
      { role: 'user', parts: [{ text: 'a' }, { text: 'b' }] },
      { role: 'model', parts: [{ text: 'c' }, { text: 'd' }] },
    ]);
  });

  it('without any content are refused', () => {
    expect(refusal([user('')])).toMatchObject({ code: 'invalid_value', param: 'messages' });
  });

  it('G13/G14/G15/G18: carry images, sounds and files', () => {
    const { contents, warnings } = translate([
      user(
        { type: 'image', source: { type: 'base64', mediaType: 'image/jpg', data: 'QUJD' } },
        { type: 'image', source: { type: 'url', url: 'https://images.example/cat.PNG?size=1' } },
        { type: 'image', source: { type: 'url', url: 'gs://bucket/cat' } },
        { type: 'audio', source: { type: 'base64', mediaType: 'audio/wav', data: 'QUJD' } },
        { type: 'file', source: { type: 'base64', mediaType: 'application/pdf', data: 'QUJD' }, filename: 'a.pdf' },
      ),
    ]);
    expect(contents[0]?.parts).toEqual([
      { inlineData: { mimeType: 'image/jpeg', data: 'QUJD' } },
      { fileData: { mimeType: 'image/png', fileUri: 'https://images.example/cat.PNG?size=1' } },
      { fileData: { mimeType: 'image/jpeg', fileUri: 'gs://bucket/cat' } },
      { inlineData: { mimeType: 'audio/wav', data: 'QUJD' } },
      { inlineData: { mimeType: 'application/pdf', data: 'QUJD' } },
    ]);
    expect(warnings).toEqual([]);
  });

  it('G38: report refusals, which they cannot carry', () => {
    const { contents, warnings } = translate([user('hi'), assistant({ type: 'refusal', text: 'no' })]);
    expect(contents).toHaveLength(1);
    expect(warnings.map(({ field }) => field)).toEqual(['messages[1].content[0]']);
  });

  it.each<UserPart>([
    { type: 'image', source: { type: 'url', url: '' } },
    { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: '' } },
  ])('G16: refuse the empty content %j instead of leaving it out', (part) => {
    expect(refusal([user('look', part)])).toMatchObject({ code: 'invalid_value', param: 'messages[0].content[1]' });
  });
});

describe('tool calls and results', () => {
  it('G05/G07/G08: keep their ids, and results stand together in the order of the calls', () => {
    const calls = assistant(text('wait'), call('a'), call('b'), call('c'));
    const { contents } = translate([
      user('go'),
      calls,
      result('c', '3'),
      result('a', '1'),
      result('b', '2'),
      user('and?'),
    ]);
    expect(contents.slice(1)).toEqual([
      { role: 'model', parts: [{ text: 'wait' }, callPart('a'), callPart('b'), callPart('c')] },
      { role: 'user', parts: [resultPart('a', '1'), resultPart('b', '2'), resultPart('c', '3')] },
      { role: 'user', parts: [{ text: 'and?' }] },
    ]);
  });

  it('G06/G10: name the tool that was called, join the texts of a result and tell failures apart', () => {
    const parts = ['x', 'y'].map((value) => ({ type: 'text', text: value }) as const);
    const failed: Message = { role: 'tool', toolCallId: 'a', content: parts, isError: true };
    expect(translate([user('go'), assistant(call('a')), failed]).contents.at(-1)?.parts).toEqual([
      { functionResponse: { id: 'a', name: 'do_a', response: { error: 'xy' } } },
    ]);
  });

  it.each([
    ['gemini-3-flash-preview', 1, 0],
    ['gemini-2.5-flash', 2, 1],
  ])('carry media of a result the way %s takes it', (model, parts, warned) => {
    const image = { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'QUJD' } } as const;
    const told: Message = { role: 'tool', toolCallId: 'a', content: [image] };
    const { contents, warnings } = translate([user('go'), assistant(call('a')), told], model);
    expect(contents.at(-1)?.parts).toHaveLength(parts);
    expect(JSON.stringify(contents.at(-1))).toContain('image/png');
    expect(warnings).toHaveLength(warned);
  });

  it('G11: without arguments get an empty object', () => {
    const { contents } = translate([user('go'), assistant(call('a', { arguments: '' }))]);
    expect(contents[1]?.parts[0]?.functionCall?.args).toEqual({});
  });

  it.each(['{"n":', '[1]', '"x"'])('G11: refuse the arguments %s', (args) => {
    expect(refusal([user('go'), assistant(call('a', { arguments: args }))])).toMatchObject({
      code: 'invalid_value',
      param: 'messages[1].content[0]',
    });
  });

  it('G09: are sent without ids to a service that knows none', () => {
    const { contents } = translate([user('go'), assistant(call('a')), result('a', '1')], 'gemini-2.5-flash', {
      ...SERVICE,
      hasCallIds: false,
    });
    expect(contents.slice(1).flatMap(({ parts }) => parts)).toEqual([
      { functionCall: { name: 'do_a', args: { n: 1 } } },
      { functionResponse: { name: 'do_a', response: { output: '1' } } },
    ]);
  });

  it('refuse a result that answers no call', () => {
    expect(refusal([user('go'), result('nope', '1')])).toMatchObject({ param: 'messages[1].tool_call_id' });
  });
});

describe('thought signatures', () => {
  const state = { issuer: 'clouds', value: 'c2ln' };

  it('G33: go back on the call they came with', () => {
    const { contents } = translate([user('go'), assistant(call('a', { state }), call('b'))], 'gemini-3-flash-preview');
    expect(contents[1]?.parts.map(({ thoughtSignature }) => thoughtSignature)).toEqual(['c2ln', undefined]);
  });

  it('G34: are replaced on the first call of generation 3 when there is none', () => {
    const messages = [user('go'), assistant(call('a'), call('b'))];
    const signatures = (model: string): unknown[] =>
      translate(messages, model).contents[1]?.parts.map(({ thoughtSignature }) => thoughtSignature) ?? [];
    expect(signatures('gemini-3-pro-preview')).toEqual(['skip_thought_signature_validator', undefined]);
    expect(signatures('gemini-2.5-flash')).toEqual([undefined, undefined]);
  });

  it('G37: go back with the thought, or with the text they followed', () => {
    const { contents } = translate([
      user('go'),
      assistant({ type: 'reasoning', text: 'hm', state }, { type: 'reasoning', text: '', state }, text('so')),
    ]);
    expect(contents[1]?.parts).toEqual([
      { text: 'hm', thought: true, thoughtSignature: 'c2ln' },
      { text: 'so', thoughtSignature: 'c2ln' },
    ]);
  });

  it('G34: are not invented where the first call of a round is signed', () => {
    const { contents } = translate([user('go'), assistant(call('a', { state }), call('b'))], 'gemini-3-pro-preview');
    expect(JSON.stringify(contents)).not.toContain('skip_thought_signature_validator');
  });

  it('G36: leave unsigned text and a signed call in one turn', () => {
    const { contents } = translate([user('go'), assistant(text('so'), call('a', { state }))]);
    expect(contents[1]?.parts).toEqual([{ text: 'so' }, { ...callPart('a'), thoughtSignature: 'c2ln' }]);
  });

  it('G37: are no condition for a thought to go back, and a thought of nothing is left out', () => {
    const { contents } = translate([
      user('go'),
      assistant({ type: 'reasoning', text: 'hm' }, { type: 'reasoning', text: '' }, text('so')),
    ]);
    expect(contents[1]?.parts).toEqual([{ text: 'hm', thought: true }, { text: 'so' }]);
  });

  it('stand alone when the turn has no text', () => {
    const { contents } = translate([user('go'), assistant({ type: 'reasoning', text: '', state })]);
    expect(contents[1]?.parts).toEqual([{ text: '', thoughtSignature: 'c2ln' }]);
  });

  it('H16: of another provider are dropped with their thought, with a warning', () => {
    const foreign = { issuer: 'elsewhere', value: 'c2ln' };
    const { contents, warnings } = translate([
      user('go'),
      assistant({ type: 'reasoning', text: 'hm', state: foreign }, text('so')),
    ]);
    expect(contents[1]?.parts).toEqual([{ text: 'so' }]);
    expect(warnings).toEqual([expect.objectContaining({ field: 'messages[1].content[0]', kind: 'dropped' })]);
  });

  it('G35: that are no base64 are refused', () => {
    const broken = { issuer: 'clouds', value: 'not base64!' };
    expect(refusal([user('go'), assistant(call('a', { state: broken }))])).toMatchObject({ code: 'invalid_value' });
  });
});
