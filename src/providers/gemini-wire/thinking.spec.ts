import type { ReasoningEffort } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';
import { geminiModel } from './model.js';
import { toThinking } from './thinking.js';

function think(model: string, effort: ReasoningEffort): { thinking: unknown; warnings: LossWarning['kind'][] } {
  const warnings: LossWarning['kind'][] = [];
  const thinking = toThinking(effort, geminiModel(model), ({ kind }) => warnings.push(kind));
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
  ])('%s at %s', (model, effort, thinking, warnings) => {
    expect(think(model, effort)).toEqual({ thinking, warnings });
  });

  it.each(['gemini-2.0-flash', 'gemini-1.5-pro', 'gemini-pro', 'gemma-3-27b-it'])('reports that %s cannot', (model) => {
    expect(think(model, 'low')).toEqual({ thinking: undefined, warnings: ['dropped'] });
    expect(think(model, 'none')).toEqual({ thinking: undefined, warnings: [] });
  });
});
