import type { ChatRequest, ReasoningEffort } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import type { ModelTraits } from './bedrock.model.js';
import type { WireMessage } from './bedrock.wire.js';

/** What reasoning adds to a request. */
export interface Reasoning {
  /** Fields for `additionalModelRequestFields`. */
  readonly fields: JsonObject;
  /** True when Claude thinks: sampling and forced tools are then refused. */
  readonly isThinking: boolean;
  /** Tokens the thinking may take out of the output bound; absent = no fixed share. */
  readonly budgetTokens?: number;
}

const NONE: Reasoning = { fields: {}, isThinking: false };
type Effort = Exclude<ReasoningEffort, 'none'>;

/** Thinking budgets of the Claude models that take one, in tokens; 1,024 is the least accepted. */
const BUDGETS = { minimal: 1_024, low: 1_024, medium: 2_048, high: 4_096, xhigh: 8_192 } as const satisfies Record<
  Effort,
  number
>;
const MIN_BUDGET_TOKENS = 1_024;

/** Efforts of models that know three. */
const THREE_EFFORTS = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
} as const satisfies Record<Effort, string>;

interface ReasoningRules {
  readonly traits: ModelTraits;
  readonly messages: readonly WireMessage[];
  readonly warn: (warning: LossWarning) => void;
}

/** How the model is made to reason as asked: by the caller's own `thinking` field, else by the budget, else by the effort. */
export function buildReasoning(request: ChatRequest, rules: ReasoningRules): Reasoning {
  const thinking = thinkingOf(request.extra);
  const isOwn = thinking !== undefined && rules.traits.family === 'claude';
  const { field, reasoning } = isOwn ? ownThinking(thinking, rules) : asked(request, rules);
  return isEnabled(reasoning) && isUnsignedToolTurn(rules.messages) ? dropThinking(field, rules) : reasoning;
}

/** The caller's own `thinking`, by itself or among the model's fields; undefined = none. */
function thinkingOf(extra: ChatRequest['extra']): JsonValue | undefined {
  const own = extra?.['additionalModelRequestFields'];
  return extra?.['thinking'] ?? (isJsonObject(own) ? own['thinking'] : undefined);
}

interface Asked {
  /** The field that asked for it, for warnings. */
  readonly field: string;
  readonly reasoning: Reasoning;
}

function asked({ reasoningBudgetTokens: budget, reasoningEffort: effort }: ChatRequest, rules: ReasoningRules): Asked {
  const field = budget === undefined ? 'reasoningEffort' : 'reasoningBudgetTokens';
  if (budget !== undefined) return { field, reasoning: budget <= 0 ? NONE : byBudget(budget, rules) };
  return { field, reasoning: effort === undefined || effort === 'none' ? NONE : byEffort(effort, field, rules) };
}

function byBudget(budget: number, rules: ReasoningRules): Reasoning {
  const field = 'reasoningBudgetTokens';
  if (!rules.traits.thinkingBudget) return byEffort(effortFor(budget), field, rules);
  const budgetTokens = leastBudget(budget, field, rules);
  return { fields: { thinking: { type: 'enabled', budget_tokens: budgetTokens } }, isThinking: true, budgetTokens };
}

/** The effort whose budget is the first that holds as many tokens. */
function effortFor(budget: number): Effort {
  if (budget <= BUDGETS.low) return 'low';
  if (budget <= BUDGETS.medium) return 'medium';
  return budget <= BUDGETS.high ? 'high' : 'xhigh';
}

function leastBudget(budget: number, field: string, { warn }: ReasoningRules): number {
  if (budget >= MIN_BUDGET_TOKENS) return budget;
  warn({ field, kind: 'approximated', detail: `raised to ${MIN_BUDGET_TOKENS}, the least` });
  return MIN_BUDGET_TOKENS;
}

function ownThinking(thinking: JsonValue, rules: ReasoningRules): Asked {
  const field = 'thinking';
  if (!isJsonObject(thinking)) {
    throw new GatewayError('invalid_value', { param: field, message: '"thinking" must be an object.' });
  }
  if (thinking['type'] === 'disabled') return { field, reasoning: { fields: { thinking }, isThinking: false } };
  const budget = thinking['budget_tokens'];
  if (typeof budget !== 'number') return { field, reasoning: { fields: { thinking }, isThinking: true } };
  const budgetTokens = leastBudget(budget, 'thinking.budget_tokens', rules);
  const fields = { thinking: { ...thinking, budget_tokens: budgetTokens } };
  return { field, reasoning: { fields, isThinking: true, budgetTokens } };
}

function byEffort(effort: Effort, field: string, { traits, warn }: ReasoningRules): Reasoning {
  const approximate = (sent: string): void => {
    if (sent !== effort || field !== 'reasoningEffort')
      warn({ field, kind: 'approximated', detail: `sent as ${sent}` });
  };
  switch (traits.reasoning) {
    case 'claude-adaptive': {
      const sent = effort === 'minimal' ? 'low' : effort === 'xhigh' && !traits.extraHighEffort ? 'max' : effort;
      approximate(sent);
      return { fields: { thinking: { type: 'adaptive' }, output_config: { effort: sent } }, isThinking: true };
    }
    case 'claude-budget': {
      const budgetTokens = BUDGETS[effort];
      warn({ field, kind: 'approximated', detail: `sent as a budget of ${budgetTokens} tokens` });
      return { fields: { thinking: { type: 'enabled', budget_tokens: budgetTokens } }, isThinking: true, budgetTokens };
    }
    case 'effort':
      approximate(THREE_EFFORTS[effort]);
      return { fields: { reasoning_effort: THREE_EFFORTS[effort] }, isThinking: false };
    case 'nova':
      approximate(THREE_EFFORTS[effort]);
      return {
        fields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: THREE_EFFORTS[effort] } },
        isThinking: false,
      };
    case 'config':
      approximate(THREE_EFFORTS[effort]);
      return { fields: { reasoning_config: THREE_EFFORTS[effort] }, isThinking: false };
    case 'none':
      warn({ field, kind: 'dropped', detail: 'the model cannot be made to reason' });
      return NONE;
  }
}

function dropThinking(field: string, { warn }: ReasoningRules): Reasoning {
  warn({
    field,
    kind: 'dropped',
    detail: 'the tool calls under way were made without reasoning that could be given back',
  });
  return NONE;
}

function isEnabled({ fields: { thinking } }: Reasoning): boolean {
  return isJsonObject(thinking) && thinking['type'] === 'enabled';
}

/**
 * True when the last turn answers tool calls whose turn holds no signed thinking. Claude with a thinking budget then
 * refuses to think: "Expected `thinking` or `redacted_thinking`, but found `tool_use`".
 */
function isUnsignedToolTurn(messages: readonly WireMessage[]): boolean {
  const last = messages.at(-1);
  if (last?.role !== 'user' || last.content?.some((block) => 'toolResult' in block) !== true) return false;
  const before = messages.at(-2);
  return before?.content?.some((block) => 'reasoningContent' in block) !== true;
}
