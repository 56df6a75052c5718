import type { ChatRequest, ResponseFormat, Tool } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';
import { toGeminiRequest } from './request.js';
import type { GeminiService } from './service.js';
import type { GeminiRequest } from './wire.js';

const service: GeminiService = { issuer: 'clouds', hasCallIds: true, hasTierField: true, secrets: [] };
const messages: ChatRequest['messages'] = [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }];

function translate(
  changes: Partial<ChatRequest>,
  model = 'gemini-2.5-flash',
): { body: GeminiRequest; warnings: LossWarning[] } {
  const warnings: LossWarning[] = [];
  return {
    body: toGeminiRequest({ messages, ...changes }, { model, service, warn: (loss) => warnings.push(loss) }),
    warnings,
  };
}

const schema = { type: 'object', properties: { city: { type: 'string' } }, additionalProperties: false };
const tool: Tool = { name: 'weather', description: 'Tells it.', parameters: schema };

describe('toGeminiRequest', () => {
  it('sends nothing that was not asked for', () => {
    expect(translate({})).toEqual({ body: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }, warnings: [] });
  });

  it.each<[Partial<ChatRequest>, object]>([
    [{ maxOutputTokens: 5 }, { maxOutputTokens: 5 }],
    [
      { temperature: 0, topP: 0.5, seed: 0 },
      { temperature: 0, topP: 0.5, seed: 0 },
    ],
    [
      { presencePenalty: -1, frequencyPenalty: 0 },
      { presencePenalty: -1, frequencyPenalty: 0 },
    ],
    [{ choices: 2 }, { candidateCount: 2 }],
    [{ stop: ['a', 'b'] }, { stopSequences: ['a', 'b'] }],
    [{ logprobs: { top: 3 } }, { responseLogprobs: true, logprobs: 3 }],
    [{ logprobs: { top: 0 } }, { responseLogprobs: true }],
    [{ responseFormat: { type: 'text' } }, { responseMimeType: 'text/plain' }],
    [{ responseFormat: { type: 'json-object' } }, { responseMimeType: 'application/json' }],
    [{ reasoningEffort: 'low' }, { thinkingConfig: { thinkingBudget: 1_024, includeThoughts: true } }],
    [{ extra: { top_k: 7 } }, { topK: 7 }],
  ])('G19-G23: writes %j as generation settings', (changes, expected) => {
    expect(translate(changes)).toEqual({ body: expect.objectContaining({ generationConfig: expected }), warnings: [] });
  });

  it.each<[Partial<ChatRequest>, string]>([
    [{ logitBias: { '1': 5 } }, 'logitBias'],
    [{ serviceTier: 'scale' }, 'serviceTier'],
    [{ endUser: 'u' }, 'endUser'],
    [{ extra: { metadata: {} } }, 'metadata'],
    [{ tools: [tool], parallelToolCalls: false }, 'parallelToolCalls'],
  ])('reports %j as lost', (changes, field) => {
    expect(translate(changes).warnings).toEqual([expect.objectContaining({ field, kind: 'dropped' })]);
  });

  it.each([
    ['flex', 'flex'],
    ['priority', 'priority'],
    ['default', undefined],
    ['auto', undefined],
  ])('writes the tier %s as %s', (serviceTier, expected) => {
    const { body, warnings } = translate({ serviceTier });
    expect(body.serviceTier).toBe(expected);
    expect(warnings).toEqual([]);
  });

  it('leaves the tier out of the body for a service that takes it elsewhere', () => {
    const target = { model: 'gemini-2.5-flash', service: { ...service, hasTierField: false }, warn: () => undefined };
    expect(toGeminiRequest({ messages, serviceTier: 'flex' }, target)).not.toHaveProperty('serviceTier');
  });

  it('reports where prompts were to be cached, names and citations, one warning each', () => {
    const cache = {};
    const source = { type: 'base64', mediaType: 'application/pdf', data: 'QUJD' } as const;
    const { warnings } = translate({
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'be brief', cache }] },
        { role: 'user', name: 'ann', content: [{ type: 'file', source, filename: 'a.pdf', citations: true, cache }] },
        { role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'f', arguments: '', cache }] },
        { role: 'tool', toolCallId: 'a', content: [{ type: 'text', text: '1' }], cache },
      ],
      tools: [{ ...tool, cache }],
    });
    expect(warnings.map(({ field }) => field)).toEqual([
      'messages[0].content[0].cache',
      'messages[1].name',
      'messages[1].content[0].cache',
      'messages[1].content[0].filename',
      'messages[1].content[0].citations',
      'messages[2].content[0].cache',
      'messages[3].cache',
      'tools[0].cache',
    ]);
    expect(new Set(warnings.map(({ kind }) => kind))).toEqual(new Set(['dropped']));
  });

  it('G25: refuses a schema an older model cannot be given', () => {
    const format: ResponseFormat = { type: 'json-schema', name: 'x', schema: { allOf: [{}, {}] } };
    expect(() => translate({ responseFormat: format }, 'gemini-1.5-flash')).toThrow(
      expect.objectContaining({ code: 'invalid_value', param: 'response_format.json_schema.schema' }),
    );
  });

  it('G24/G26: sends JSON Schema as it is to generation 2 and later', () => {
    const format = { type: 'json-schema', name: 'city', schema } as const;
    const { body, warnings } = translate({ responseFormat: format }, 'gemini-2.0-flash');
    expect(translate({ tools: [tool] }, 'gemini-2.0-flash').body.tools).toEqual([
      { functionDeclarations: [{ name: 'weather', description: 'Tells it.', parametersJsonSchema: schema }] },
    ]);
    expect(body.generationConfig).toEqual({ responseMimeType: 'application/json', responseJsonSchema: schema });
    expect(warnings).toEqual([]);
  });

  it('G24/G26: rewrites schemas for older models and reports what is lost', () => {
    const strict = { ...schema, properties: { city: { type: 'string', uniqueItems: true } } };
    const format = { type: 'json-schema', name: 'city', schema: strict } as const;
    const { body, warnings } = translate({ responseFormat: format }, 'gemini-1.5-flash');
    expect(
      translate({ tools: [tool] }, 'gemini-1.5-flash').body.tools?.[0]?.functionDeclarations[0]?.parameters,
    ).toEqual({
      type: 'object',
      properties: { city: { type: 'string' } },
    });
    expect(body.generationConfig).toEqual({
      responseMimeType: 'application/json',
      responseSchema: { type: 'object', properties: { city: { type: 'string' } }, propertyOrdering: ['city'] },
    });
    expect(warnings).toEqual([
      { field: 'responseFormat.schema', kind: 'approximated', detail: 'schema keywords dropped: uniqueItems' },
    ]);
  });

  it('G27: declares a tool without parameters by its name', () => {
    expect(translate({ tools: [{ name: 'now', description: '' }] }).body.tools).toEqual([
      { functionDeclarations: [{ name: 'now' }] },
    ]);
  });

  it.each<[Partial<ChatRequest>, object | undefined]>([
    [{}, undefined],
    [{ toolChoice: { type: 'auto' } }, { mode: 'AUTO' }],
    [{ toolChoice: { type: 'none' } }, { mode: 'NONE' }],
    [{ toolChoice: { type: 'required' } }, { mode: 'ANY' }],
    [{ toolChoice: { type: 'tool', name: 'weather' } }, { mode: 'ANY', allowedFunctionNames: ['weather'] }],
    [{ tools: [{ ...tool, strict: true }] }, { mode: 'VALIDATED' }],
  ])('G28/G29: writes the choice of %j', (changes, expected) => {
    expect(translate({ tools: [tool], ...changes }).body.toolConfig?.functionCallingConfig).toEqual(expected);
  });

  it('sends no tool choice without tools', () => {
    expect(translate({ toolChoice: { type: 'required' } }).body).not.toHaveProperty('toolConfig');
  });

  it.each<[('low' | 'high' | 'auto')[], string | undefined, number]>([
    [['auto'], undefined, 0],
    [['low', 'low'], 'MEDIA_RESOLUTION_LOW', 0],
    [['low', 'high'], 'MEDIA_RESOLUTION_HIGH', 1],
  ])('G17: sends one resolution for images of detail %j', (details, expected, warned) => {
    const source = { type: 'base64', mediaType: 'image/png', data: 'QUJD' } as const;
    const content = details.map((detail) => ({ type: 'image', source, detail }) as const);
    const { body, warnings } = translate({ messages: [{ role: 'user', content }] });
    expect(body.generationConfig?.mediaResolution).toBe(expected);
    expect(warnings).toHaveLength(warned);
  });
});
