import type { ChatRequest, ReasoningEffort } from '../../contract/chat-request.js';
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

/** The most that models of generation 2.5 may think. */
const MOST = { flash: 24_576, pro: 32_768 } as const;

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

type Warn = (warning: LossWarning) => void;

/**
 * How much to think, as the model's generation puts it: a budget in generation 2.5, a level from 3 on; undefined =
 * nothing to send. A budget asked for wins over an effort.
 */
export function toThinking(
  { reasoningEffort: effort, reasoningBudgetTokens: tokens }: ChatRequest,
  model: GeminiModel,
  warn: Warn,
): GeminiThinking | undefined {
  if (effort === undefined && tokens === undefined) return undefined;
  const field = tokens === undefined ? 'reasoningEffort' : 'reasoningBudgetTokens';
  if (model.isGemma || model.generation < 2.5) {
    const isAsked = tokens === undefined ? effort !== 'none' : tokens > 0;
    if (isAsked) warn({ field, kind: 'dropped', detail: 'the model does not reason' });
    return undefined;
  }
  if (tokens !== undefined) return model.generation < 3 ? ofTokens(tokens, model, warn) : levelOf(tokens, model, warn);
  if (effort === undefined) return undefined;
  return model.generation < 3 ? budget(effort, model, warn) : level(effort, model, warn);
}

function ofTokens(tokens: number, model: GeminiModel, warn: Warn): GeminiThinking {
  const least = model.isFlash ? 0 : LEAST_PRO_BUDGET;
  const most = model.isFlash ? MOST.flash : MOST.pro;
  const thinkingBudget = Math.min(Math.max(tokens, least), most);
  if (thinkingBudget !== tokens) warn(approximated('reasoningBudgetTokens', `the model takes ${least} to ${most}`));
  return { thinkingBudget, includeThoughts: tokens > 0 };
}

/** The least level whose budget in generation 2.5 holds as many tokens. */
function levelOf(tokens: number, model: GeminiModel, warn: Warn): GeminiThinking {
  const effort = (['none', 'low', 'medium'] as const).find((known) => tokens <= BUDGETS[known]) ?? 'high';
  const thinking = level(effort, model, () => undefined);
  warn(approximated('reasoningBudgetTokens', `the model takes levels; sent as ${thinking.thinkingLevel}`));
  return thinking;
}

function budget(effort: ReasoningEffort, model: GeminiModel, warn: Warn): GeminiThinking {
  if (effort === 'none' && !model.isFlash) {
    warn(
      approximated(
        'reasoningEffort',
        `the model cannot stop reasoning; sent its least budget, ${LEAST_PRO_BUDGET} tokens`,
      ),
    );
    return { thinkingBudget: LEAST_PRO_BUDGET, includeThoughts: false };
  }
  if (effort === 'xhigh') warn(approximated('reasoningEffort', 'sent as high'));
  return { thinkingBudget: BUDGETS[effort], includeThoughts: effort !== 'none' };
}

function level(effort: ReasoningEffort, model: GeminiModel, warn: Warn): GeminiThinking & { thinkingLevel: string } {
  let thinkingLevel: GeminiThinkingLevel = model.isFlash ? FLASH_LEVELS[effort] : PRO_LEVELS[effort];
  // The first pro model of generation 3 knows low and high only.
  if (thinkingLevel === 'medium' && !model.isFlash && model.generation === 3) thinkingLevel = 'high';
  if (thinkingLevel !== effort) warn(approximated('reasoningEffort', `sent as ${thinkingLevel}`));
  return { thinkingLevel, includeThoughts: effort !== 'none' };
}

function approximated(field: string, detail: string): LossWarning {
  return { field, kind: 'approximated', detail };
}
