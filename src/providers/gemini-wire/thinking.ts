import type { ReasoningEffort } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';
import type { GeminiModel } from './model.js';
import type { GeminiThinking, GeminiThinkingLevel } from './wire.js';

/** Token budgets of generation 2.5, as the provider's own OpenAI-compatible endpoint documents them. */
const BUDGETS = {
  none: 0,
  minimal: 1_024,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 24_576,
} as const satisfies Record<ReasoningEffort, number>;

/** The least budget the pro models accept: they cannot be kept from thinking. */
const LEAST_PRO_BUDGET = 128;

const FLASH_LEVELS = {
  none: 'minimal',
  minimal: 'minimal',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
} as const satisfies Record<ReasoningEffort, GeminiThinkingLevel>;

const PRO_LEVELS = {
  ...FLASH_LEVELS,
  none: 'low',
  minimal: 'low',
} as const satisfies Record<ReasoningEffort, GeminiThinkingLevel>;

/** An effort as the model's generation puts it; undefined = nothing to send. */
export function toThinking(
  effort: ReasoningEffort,
  model: GeminiModel,
  warn: (warning: LossWarning) => void,
): GeminiThinking | undefined {
  if (model.isGemma || model.generation < 2.5) {
    if (effort !== 'none') warn(loss('dropped', 'the model does not reason'));
    return undefined;
  }
  return model.generation < 3 ? budget(effort, model, warn) : level(effort, model, warn);
}

function budget(effort: ReasoningEffort, model: GeminiModel, warn: (warning: LossWarning) => void): GeminiThinking {
  if (effort === 'none' && !model.isFlash) {
    warn(loss('approximated', `the model cannot stop reasoning; sent its least budget, ${LEAST_PRO_BUDGET} tokens`));
    return { thinkingBudget: LEAST_PRO_BUDGET, includeThoughts: false };
  }
  if (effort === 'xhigh') warn(loss('approximated', 'sent as high'));
  return { thinkingBudget: BUDGETS[effort], includeThoughts: effort !== 'none' };
}

function level(effort: ReasoningEffort, model: GeminiModel, warn: (warning: LossWarning) => void): GeminiThinking {
  let thinkingLevel: GeminiThinkingLevel = model.isFlash ? FLASH_LEVELS[effort] : PRO_LEVELS[effort];
  // The first pro model of generation 3 knows low and high only.
  if (thinkingLevel === 'medium' && !model.isFlash && model.generation === 3) thinkingLevel = 'high';
  if (thinkingLevel !== effort) warn(loss('approximated', `sent as ${thinkingLevel}`));
  return { thinkingLevel, includeThoughts: effort !== 'none' };
}

function loss(kind: LossWarning['kind'], detail: string): LossWarning {
  return { field: 'reasoningEffort', kind, detail };
}
