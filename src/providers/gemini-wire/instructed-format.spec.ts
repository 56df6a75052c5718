import type { ChatRequest } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';
import { withInstructedFormat } from './instructed-format.js';
import { geminiModel } from './model.js';

const REQUEST: ChatRequest = {
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
  tools: [{ name: 'f' }],
  responseFormat: { type: 'json-schema', name: 'n', schema: { type: 'object' } },
};

function told(request: ChatRequest, model: string) {
  const warnings: LossWarning[] = [];
  const result = withInstructedFormat(request, geminiModel(model), (warning) => warnings.push(warning));
  return { result, warnings };
}

describe('JSON beside functions', () => {
  it('is asked for in words of models before generation 3, and said to be emulated', () => {
    const { result, warnings } = told(REQUEST, 'gemini-2.5-flash');
    expect(result.responseFormat).toBeUndefined();
    expect(result.messages[0]).toMatchObject({
      role: 'system',
      content: [{ text: expect.stringContaining('{"type":"object"}') }],
    });
    expect(warnings).toEqual([expect.objectContaining({ field: 'responseFormat', kind: 'emulated' })]);
  });

  it.each([
    ['a model that takes both', REQUEST, 'gemini-3-pro-preview'],
    ['no functions', { ...REQUEST, tools: [] }, 'gemini-2.5-flash'],
    ['functions that must not be called', { ...REQUEST, toolChoice: { type: 'none' } } as const, 'gemini-2.5-flash'],
    ['plain text', { ...REQUEST, responseFormat: { type: 'text' } } as const, 'gemini-2.5-flash'],
  ])('is left alone with %s', (_name, request, model) => {
    const { result, warnings } = told(request, model);
    expect(result).toBe(request);
    expect(warnings).toEqual([]);
  });
});
