import type { ChatRequest, ReasoningEffort } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
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

/** How the model is made to reason as asked: by the caller's own `thinking` field, or by the effort. */
export function buildReasoning(request: ChatRequest, rules: ReasoningRules): Reasoning {
  const thinking = request.extra?.['thinking'];
  if (thinking !== undefined && rules.traits.family === 'claude') return ownThinking(thinking, rules);
  const effort = request.reasoningEffort;
  if (effort === undefined || effort === 'none') return NONE;
  const reasoning = byStyle(effort, rules);
  return reasoning.isThinking && isUnsignedToolTurn(rules) ? dropThinking('reasoningEffort', rules) : reasoning;
}

function ownThinking(thinking: unknown, rules: ReasoningRules): Reasoning {
  if (!isJsonObject(thinking)) {
    throw new GatewayError('invalid_value', { param: 'thinking', message: '"thinking" must be an object.' });
  }
  if (thinking['type'] === 'disabled') return { fields: { thinking }, isThinking: false };
  if (isUnsignedToolTurn(rules)) return dropThinking('thinking', rules);
  const budget = thinking['budget_tokens'];
  if (typeof budget !== 'number') return { fields: { thinking }, isThinking: true };
  const budgetTokens = Math.max(budget, MIN_BUDGET_TOKENS);
  if (budgetTokens !== budget) {
    rules.warn({
      field: 'thinking.budget_tokens',
      kind: 'approximated',
      detail: `raised to ${MIN_BUDGET_TOKENS}, the least`,
    });
  }
  return { fields: { thinking: { ...thinking, budget_tokens: budgetTokens } }, isThinking: true, budgetTokens };
}

function byStyle(effort: Effort, { traits, warn }: ReasoningRules): Reasoning {
  const approximate = (sent: string): void => {
    if (sent !== effort) warn({ field: 'reasoningEffort', kind: 'approximated', detail: `sent as ${sent}` });
  };
  switch (traits.reasoning) {
    case 'claude-adaptive': {
      const sent = effort === 'minimal' ? 'low' : effort === 'xhigh' && !traits.extraHighEffort ? 'max' : effort;
      approximate(sent);
      return { fields: { thinking: { type: 'adaptive' }, output_config: { effort: sent } }, isThinking: true };
    }
    case 'claude-budget': {
      const budgetTokens = BUDGETS[effort];
      warn({ field: 'reasoningEffort', kind: 'approximated', detail: `sent as a budget of ${budgetTokens} tokens` });
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
      warn({ field: 'reasoningEffort', kind: 'dropped', detail: 'the model takes no reasoning effort' });
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

/**
 * True when the last turn answers tool calls whose turn holds no signed thinking. Claude with a thinking budget then
 * refuses to think: "Expected `thinking` or `redacted_thinking`, but found `tool_use`".
 */
function isUnsignedToolTurn({ traits, messages }: ReasoningRules): boolean {
  if (traits.reasoning !== 'claude-budget') return false;
  const last = messages.at(-1);
  if (last?.role !== 'user' || last.content?.some((block) => 'toolResult' in block) !== true) return false;
  const before = messages.at(-2);
  return before?.content?.some((block) => 'reasoningContent' in block) !== true;
}
