import type { ChatRequest, ReasoningEffort } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';
import type { ClaudeTraits } from './model.js';
import type { WireEffort, WireMessage, WireThinking } from './wire.js';

/** What reasoning adds to a request. */
export interface Reasoning {
  /** Absent = the model's default. */
  readonly thinking?: WireThinking;
  /** For `output_config`; absent = the model's default. */
  readonly effort?: WireEffort;
  /** True when the model thinks: sampling is then restricted. */
  readonly isThinking: boolean;
  /** Tokens the thinking may take out of the output bound; absent = no fixed share. Tools then cannot be forced. */
  readonly budgetTokens?: number;
}

export interface ReasoningRules {
  readonly traits: ClaudeTraits;
  readonly messages: readonly WireMessage[];
  readonly warn: (warning: LossWarning) => void;
}

type Effort = Exclude<ReasoningEffort, 'none'>;

const NONE: Reasoning = { isThinking: false };
const MIN_BUDGET_TOKENS = 1_024;

/** Budgets of the models that take one, in tokens. */
const BUDGETS = { minimal: 1_024, low: 1_024, medium: 2_048, high: 4_096, xhigh: 8_192 } as const satisfies Record<
  Effort,
  number
>;

/** Up to which budget, in tokens, an effort stands for it. */
const EFFORTS_OF_BUDGETS: readonly (readonly [atMost: number, effort: WireEffort])[] = [
  [2_048, 'low'],
  [8_192, 'medium'],
  [Infinity, 'high'],
];

/** How the model is made to reason as asked: by the caller's own `thinking` field, a budget, or an effort. */
export function buildReasoning(request: ChatRequest, rules: ReasoningRules): Reasoning {
  const { reasoningBudgetTokens: budget, reasoningEffort: effort } = request;
  const own = request.extra?.['thinking'];
  if (own !== undefined) return ownThinking(own, request, rules);
  if (budget !== undefined && budget > 0) return byBudget(budget, rules);
  if (budget === 0 || effort === 'none') return resting(rules);
  return effort === undefined ? NONE : byEffort(effort, rules);
}

/** A form of `thinking` the contract has no words for goes as it came, an effort beside it. */
function ownThinking(own: unknown, request: ChatRequest, rules: ReasoningRules): Reasoning {
  if (!isJsonObject(own) || typeof own['type'] !== 'string') {
    throw new GatewayError('invalid_value', {
      param: 'thinking',
      message: '"thinking" must be an object with a type.',
    });
  }
  const { reasoningEffort: asked } = request;
  const effort = asked === undefined || asked === 'none' ? undefined : sentEffort(asked, rules);
  const thinking = own as JsonObject & WireThinking;
  return { thinking, isThinking: own['type'] !== 'disabled', ...(effort === undefined ? {} : { effort }) };
}

function byBudget(asked: number, rules: ReasoningRules): Reasoning {
  const { traits, warn } = rules;
  const field = 'reasoningBudgetTokens';
  if (traits.thinking === 'none') return unable(field, rules);
  if (traits.thinking === 'adaptive') {
    const effort = EFFORTS_OF_BUDGETS.find(([atMost]) => asked <= atMost)?.[1] ?? 'high';
    warn({ field, kind: 'approximated', detail: `the model thinks by itself; sent as effort ${effort}` });
    return adaptive(effort, traits);
  }
  const budgetTokens = Math.max(asked, MIN_BUDGET_TOKENS);
  if (budgetTokens !== asked) {
    warn({ field, kind: 'approximated', detail: `raised to ${MIN_BUDGET_TOKENS}, the least` });
  }
  return withBudget(budgetTokens, field, rules);
}

function byEffort(effort: Effort, rules: ReasoningRules): Reasoning {
  const { traits, warn } = rules;
  if (traits.thinking === 'none') return unable('reasoningEffort', rules);
  const sent = sentEffort(effort, rules);
  if (traits.thinking !== 'budget') return adaptive(sent, traits);
  const budgetTokens = BUDGETS[effort];
  if (sent === undefined) {
    warn({ field: 'reasoningEffort', kind: 'approximated', detail: `sent as a budget of ${budgetTokens} tokens` });
  }
  return { ...withBudget(budgetTokens, 'reasoningEffort', rules), ...(sent === undefined ? {} : { effort: sent }) };
}

/** The model's own word for an effort; undefined = it takes none. */
function sentEffort(effort: Effort, { traits: { efforts }, warn }: ReasoningRules): WireEffort | undefined {
  if (efforts.length === 0) return undefined;
  const wanted = effort === 'minimal' ? 'low' : effort;
  const sent = efforts.includes(wanted) ? wanted : (efforts.at(-1) ?? 'high');
  if (sent !== effort) warn({ field: 'reasoningEffort', kind: 'approximated', detail: `sent as ${sent}` });
  return sent;
}

/** Models that know nothing but adaptive thinking leave its text out unless it is asked for. */
function adaptive(effort: WireEffort | undefined, { thinking }: ClaudeTraits): Reasoning {
  return {
    thinking: { type: 'adaptive', ...(thinking === 'adaptive' ? { display: 'summarized' } : {}) },
    ...(effort === undefined ? {} : { effort }),
    isThinking: true,
  };
}

function withBudget(budgetTokens: number, field: string, rules: ReasoningRules): Reasoning {
  if (isUnsignedToolTurn(rules.messages)) {
    const detail = 'the tool calls under way were made without reasoning that could be given back';
    rules.warn({ field, kind: 'dropped', detail });
    return NONE;
  }
  return { thinking: { type: 'enabled', budget_tokens: budgetTokens }, isThinking: true, budgetTokens };
}

function resting({ traits, warn }: ReasoningRules): Reasoning {
  if (traits.rest === 'silence') return NONE;
  if (traits.rest === 'switch') return { thinking: { type: 'disabled' }, isThinking: false };
  warn({ field: 'reasoningEffort', kind: 'approximated', detail: 'the model always thinks; sent as effort low' });
  return { effort: 'low', isThinking: true };
}

function unable(field: string, { warn }: ReasoningRules): Reasoning {
  warn({ field, kind: 'dropped', detail: 'the model does not think' });
  return NONE;
}

/**
 * True when the last turn answers tool calls whose turn does not begin with thinking. A model with a budget then
 * refuses to think: "Expected `thinking` or `redacted_thinking`, but found `tool_use`".
 */
function isUnsignedToolTurn(messages: readonly WireMessage[]): boolean {
  const last = messages.findLastIndex(({ role }) => role !== 'system');
  if (messages[last]?.content.some(({ type }) => type === 'tool_result') !== true) return false;
  const calls = messages.slice(0, last).findLast(({ role }) => role === 'assistant');
  const first = calls?.content[0]?.type;
  return first !== 'thinking' && first !== 'redacted_thinking';
}
