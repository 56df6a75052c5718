import { isJsonObject, type JsonValue } from '../../contract/json.js';

interface FeatureEntry {
  /** The parameter in the canonical request, for warnings. */
  readonly field: string;
  /** The fields of the body that ask for it. */
  readonly wire: readonly string[];
  /** True for a value that asks for no more than a server does anyway: it goes without a warning. Absent = none does. */
  readonly isIdle?: (value: JsonValue) => boolean;
}

const is =
  (...idle: readonly JsonValue[]) =>
  (value: JsonValue): boolean =>
    idle.includes(value);

const hasType =
  (type: string) =>
  (value: JsonValue): boolean =>
    !isJsonObject(value) || value['type'] !== type;

/** What a server can be declared not to support. */
export const FEATURES = {
  frequency_penalty: { field: 'frequencyPenalty', wire: ['frequency_penalty'], isIdle: is(0) },
  logit_bias: { field: 'logitBias', wire: ['logit_bias'] },
  logprobs: { field: 'logprobs', wire: ['logprobs', 'top_logprobs'], isIdle: is(false, 0) },
  n: { field: 'choices', wire: ['n'], isIdle: is(1) },
  parallel_tool_calls: { field: 'parallelToolCalls', wire: ['parallel_tool_calls'], isIdle: is(true) },
  presence_penalty: { field: 'presencePenalty', wire: ['presence_penalty'], isIdle: is(0) },
  reasoning_effort: { field: 'reasoningEffort', wire: ['reasoning_effort'] },
  seed: { field: 'seed', wire: ['seed'] },
  service_tier: { field: 'serviceTier', wire: ['service_tier'], isIdle: is('auto', 'default') },
  stop: { field: 'stop', wire: ['stop'] },
  tool_choice: { field: 'toolChoice', wire: ['tool_choice'], isIdle: is('auto') },
  user: { field: 'endUser', wire: ['user'] },
  json_object: { field: 'responseFormat', wire: ['response_format'], isIdle: hasType('json_object') },
  json_schema: { field: 'responseFormat', wire: ['response_format'], isIdle: hasType('json_schema') },
} as const satisfies Record<string, FeatureEntry>;

/** A feature by OpenAI's name for it. */
export type Feature = keyof typeof FEATURES;

/** Every feature, for the settings' schema. */
export const FEATURE_NAMES = Object.keys(FEATURES) as [Feature, ...Feature[]];

/** What is known of a feature. */
export function featureOf(name: Feature): FeatureEntry {
  return FEATURES[name];
}
