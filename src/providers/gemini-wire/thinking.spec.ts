import type { ChatRequest, ReasoningEffort } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';
import { geminiModel } from './model.js';
import { toThinking } from './thinking.js';

function think(model: string, asked: Partial<ChatRequest>): { thinking: unknown; warnings: LossWarning['kind'][] } {
  const warnings: LossWarning['kind'][] = [];
  const thinking = toThinking({ messages: [], ...asked }, geminiModel(model), ({ kind }) => warnings.push(kind));
  return { thinking, warnings };
}

describe('toThinking', () => {
  it.each<[string, ReasoningEffort, object, LossWarning['kind'][]]>([
    ['gemini-2.5-flash', 'none', { thinkingBudget: 0, includeThoughts: false }, []],
    ['gemini-2.5-flash', 'minimal', { thinkingBudget: 1_024, includeThoughts: true }, []],
    ['gemini-2.5-flash', 'low', { thinkingBudget: 1_024, includeThoughts: true }, []],
    ['gemini-2.5-pro', 'medium', { thinkingBudget: 8_192, includeThoughts: true }, []],
    ['gemini-2.5-pro', 'high', { thinkingBudget: 24_576, includeThoughts: true }, []],
    ['gemini-2.5-pro', 'xhigh', { thinkingBudget: 24_576, includeThoughts: true }, ['approximated']],
    ['gemini-2.5-pro', 'none', { thinkingBudget: 128, includeThoughts: false }, ['approximated']],
    ['gemini-3-flash-preview', 'none', { thinkingLevel: 'minimal', includeThoughts: false }, ['approximated']],
    ['gemini-3-flash-preview', 'minimal', { thinkingLevel: 'minimal', includeThoughts: true }, []],
    ['gemini-3-flash-preview', 'medium', { thinkingLevel: 'medium', includeThoughts: true }, []],
    ['gemini-3-pro-preview', 'low', { thinkingLevel: 'low', includeThoughts: true }, []],
    ['gemini-3-pro-preview', 'minimal', { thinkingLevel: 'low', includeThoughts: true }, ['approximated']],
    ['gemini-3-pro-preview', 'medium', { thinkingLevel: 'high', includeThoughts: true }, ['approximated']],
    ['gemini-3.1-pro-preview', 'medium', { thinkingLevel: 'medium', includeThoughts: true }, []],
    ['models/gemini-3-pro-preview', 'xhigh', { thinkingLevel: 'high', includeThoughts: true }, ['approximated']],
    ['gemini-flash-latest', 'high', { thinkingLevel: 'high', includeThoughts: true }, []],
  ])('G30/G31: %s at effort %s', (model, reasoningEffort, thinking, warnings) => {
    expect(think(model, { reasoningEffort })).toEqual({ thinking, warnings });
  });

  it.each(['gemini-2.0-flash', 'gemini-1.5-pro', 'gemini-pro', 'gemma-3-27b-it'])(
    'G30/G31: reports that %s cannot reason',
    (model) => {
      expect(think(model, { reasoningEffort: 'low' })).toEqual({ thinking: undefined, warnings: ['dropped'] });
      expect(think(model, { reasoningEffort: 'none' })).toEqual({ thinking: undefined, warnings: [] });
    },
  );

  it.each<[string, number, object | undefined, LossWarning['kind'][]]>([
    ['gemini-2.5-flash', 0, { thinkingBudget: 0, includeThoughts: false }, []],
    ['gemini-2.5-flash', 5_000, { thinkingBudget: 5_000, includeThoughts: true }, []],
    ['gemini-2.5-flash', 30_000, { thinkingBudget: 24_576, includeThoughts: true }, ['approximated']],
    ['gemini-2.5-pro', 30_000, { thinkingBudget: 30_000, includeThoughts: true }, []],
    ['gemini-2.5-pro', 1, { thinkingBudget: 128, includeThoughts: true }, ['approximated']],
    ['gemini-3-flash-preview', 900, { thinkingLevel: 'low', includeThoughts: true }, ['approximated']],
    ['gemini-3-flash-preview', 8_192, { thinkingLevel: 'medium', includeThoughts: true }, ['approximated']],
    ['gemini-3-flash-preview', 60_000, { thinkingLevel: 'high', includeThoughts: true }, ['approximated']],
    ['gemini-2.0-flash', 1_024, undefined, ['dropped']],
    ['gemini-2.0-flash', 0, undefined, []],
  ])('G31: %s with %i tokens to think', (model, reasoningBudgetTokens, thinking, warnings) => {
    expect(think(model, { reasoningBudgetTokens })).toEqual({ thinking, warnings });
  });

  it('lets a budget win over an effort', () => {
    const asked = { reasoningBudgetTokens: 2_000, reasoningEffort: 'high' } as const;
    expect(think('gemini-2.5-pro', asked).thinking).toMatchObject({ thinkingBudget: 2_000 });
  });
});
