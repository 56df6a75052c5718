import type { ChatRequest } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';
import type { ClaudeTraits } from './model.js';
import type { Reasoning } from './reasoning.js';
import type { MessagesBody } from './wire.js';

type Warn = (warning: LossWarning) => void;

export interface ParameterRules {
  readonly traits: ClaudeTraits;
  readonly reasoning: Reasoning;
  readonly warn: Warn;
}

/** Parameters the API has no field for; each is reported when it is asked for. */
const WITHOUT_FIELD = [
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'logprobs',
  'logitBias',
] as const satisfies readonly (keyof ChatRequest)[];

/** The least `top_p` beside thinking. */
const MIN_THINKING_TOP_P = 0.95;

type Sampling = Pick<MessagesBody, 'temperature' | 'top_p' | 'top_k'>;

/**
 * The sampling parameters as far as the model takes them: newer ones none, thinking ones hardly any, most not both of
 * temperature and top_p. What equals the API's default can be left out without loss.
 */
export function sampling(request: ChatRequest, { traits, reasoning, warn }: ParameterRules): Sampling {
  const drop = (field: string, detail: string): undefined => void warn({ field, kind: 'dropped', detail });
  const topK = request.extra?.['top_k'];
  const asked = {
    temperature: clamp('temperature', request.temperature, warn),
    topP: clamp('topP', request.topP, warn),
    topK: typeof topK === 'number' ? topK : undefined,
  };
  if (traits.sampling === 'none') {
    const detail = 'the model takes no sampling parameters';
    if (asked.temperature !== undefined && asked.temperature !== 1) drop('temperature', detail);
    if (asked.topP !== undefined && asked.topP !== 1) drop('topP', detail);
    if (asked.topK !== undefined) drop('top_k', detail);
    return {};
  }
  let { temperature, topP, topK: sentTopK } = asked;
  if (reasoning.isThinking) {
    const detail = 'a model that thinks does not take it';
    if (temperature !== undefined && temperature !== 1) temperature = drop('temperature', detail);
    if (topP !== undefined && topP < MIN_THINKING_TOP_P) topP = drop('topP', detail);
    if (sentTopK !== undefined) sentTopK = drop('top_k', detail);
  }
  if (traits.sampling === 'one' && temperature !== undefined && topP !== undefined) {
    if (topP !== 1) drop('topP', 'the model takes temperature or top_p, not both');
    topP = undefined;
  }
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(sentTopK === undefined ? {} : { top_k: sentTopK }),
  };
}

function clamp(field: 'temperature' | 'topP', value: number | undefined, warn: Warn): number | undefined {
  if (value === undefined || (value >= 0 && value <= 1)) return value;
  const sent = value > 1 ? 1 : 0;
  warn({ field, kind: 'approximated', detail: `sent as ${sent}: the range is 0 to 1` });
  return sent;
}

/** The API refuses blank sequences. */
export function stopSequences(stop: readonly string[] | undefined, warn: Warn): string[] | undefined {
  const kept = (stop ?? []).filter((text) => text.trim() !== '');
  if ((stop ?? []).some((text) => text !== '' && text.trim() === '')) {
    warn({ field: 'stop', kind: 'dropped', detail: 'a stop sequence must not be blank' });
  }
  return kept.length === 0 ? undefined : kept;
}

/** OpenAI's names and the API's own. Priority capacity is used where there is any unless it is forbidden. */
export function serviceTier(asked: string | undefined, warn: Warn): MessagesBody['service_tier'] {
  switch (asked) {
    case undefined:
      return undefined;
    case 'auto':
    case 'standard_only':
      return asked;
    case 'default':
      return 'standard_only';
    case 'priority':
      warn({ field: 'serviceTier', kind: 'approximated', detail: 'sent as auto: priority where there is capacity' });
      return 'auto';
    default:
      warn({ field: 'serviceTier', kind: 'dropped', detail: 'the provider knows auto, default and priority' });
      return undefined;
  }
}

export interface LossRules extends ParameterRules {
  /** Extra fields that are sent as they are. */
  readonly passed: ReadonlySet<string>;
  readonly hasTools: boolean;
}

/** Reports what is nowhere in the body. */
export function reportLosses(request: ChatRequest, { passed, hasTools, warn }: LossRules): void {
  for (const field of WITHOUT_FIELD) {
    if (request[field] !== undefined) {
      warn({ field, kind: 'dropped', detail: 'the Messages API has no such parameter' });
    }
  }
  if (!hasTools && (request.toolChoice?.type === 'required' || request.toolChoice?.type === 'tool')) {
    warn({ field: 'toolChoice', kind: 'dropped', detail: 'there is no tool to choose' });
  }
  for (const field of Object.keys(request.extra ?? {})) {
    if (passed.has(field) || field === 'thinking' || field === 'top_k') continue;
    warn({ field, kind: 'dropped', detail: 'the Messages API has no such parameter' });
  }
}
