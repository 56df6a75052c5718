/** How a model is made to reason. */
export type ReasoningStyle = 'claude-adaptive' | 'claude-budget' | 'effort' | 'nova' | 'config' | 'none';

/** What a family of models can do over Converse. */
export interface ModelTraits {
  /** Short name, for warnings. */
  readonly family: string;
  /** `native` = `outputConfig`; `tool` = a forced tool call stands in; `prompt` = an instruction stands in. */
  readonly jsonSchema: 'native' | 'tool' | 'prompt';
  /** Whether `toolSpec.strict` is accepted. */
  readonly strictTools: boolean;
  /** Strongest tool choice accepted: a named tool, any tool, or none but `auto`. */
  readonly toolChoice: 'tool' | 'any' | 'auto';
  readonly reasoning: ReasoningStyle;
  /** Whether parallel tool calls can be switched off. */
  readonly parallelControl: boolean;
  /** Whether `reasoning_effort` of this family knows `xhigh`. */
  readonly extraHighEffort: boolean;
  /** Whether thinking can be given a budget in tokens. */
  readonly thinkingBudget: boolean;
  /** Where cache points may stand: after system texts and turns, after tools too, or nowhere. */
  readonly cachePoints: 'turns' | 'all' | 'none';
  /** Whether a cache point may say how long it lives. */
  readonly cacheTtl: boolean;
  /** Whether documents can be cited. */
  readonly citations: boolean;
}

const PLAIN: ModelTraits = {
  family: 'other',
  jsonSchema: 'prompt',
  strictTools: false,
  toolChoice: 'auto',
  reasoning: 'none',
  parallelControl: false,
  extraHighEffort: false,
  thinkingBudget: false,
  cachePoints: 'none',
  cacheTtl: false,
  citations: false,
};

const NATIVE = { jsonSchema: 'native', strictTools: true } as const;
const NOVA = { jsonSchema: 'tool', toolChoice: 'tool', cachePoints: 'turns' } as const;

/** The first pattern that matches the id without its region prefix decides. */
const FAMILIES: readonly (readonly [pattern: RegExp, traits: Partial<ModelTraits>])[] = [
  [/^amazon\.nova-2/, { ...NOVA, family: 'nova-2', reasoning: 'nova' }],
  [/^amazon\.nova-/, { ...NOVA, family: 'nova' }],
  [/^openai\./, { family: 'gpt-oss', ...NATIVE, reasoning: 'effort' }],
  [/^qwen\./, { family: 'qwen', ...NATIVE, reasoning: 'config' }],
  [/^deepseek\.(v3|v[4-9])/, { family: 'deepseek', ...NATIVE }],
  [/^google\.gemma-3-(12|27)b/, { family: 'gemma', ...NATIVE }],
  [/^minimax\./, { family: 'minimax', ...NATIVE }],
  [/^moonshot(ai)?\./, { family: 'kimi', ...NATIVE }],
  [/^nvidia\./, { family: 'nemotron', ...NATIVE }],
  [/^zai\./, { family: 'glm', ...NATIVE }],
  [/^mistral\.(magistral|ministral-3|mistral-large-3|voxtral)/, { family: 'mistral', ...NATIVE, toolChoice: 'any' }],
  [/^mistral\./, { family: 'mistral', toolChoice: 'any' }],
];

const REGION_PREFIX = /^(us|eu|ap|apac|jp|au|ca|sa|me|af|il|mx|us-gov|global)\./;

/** The foundation model's own id: without ARN and region prefix, in lower case. */
export function foundationModel(model: string): string {
  const id = model.startsWith('arn:') ? model.slice(model.indexOf('/') + 1) : model;
  return id.toLowerCase().replace(REGION_PREFIX, '');
}

/** What the model named can do; a model nobody knows gets what every model has. */
export function traitsOf(model: string): ModelTraits {
  const id = foundationModel(model);
  if (id.startsWith('anthropic.')) return claudeTraits(id);
  const match = FAMILIES.find(([pattern]) => pattern.test(id));
  return match === undefined ? PLAIN : { ...PLAIN, ...match[1] };
}

/** Claude's ids carry the version after the name since 4 (`claude-sonnet-4-5`), before it up to 3.7 (`claude-3-7-sonnet`). */
function claudeTraits(id: string): ModelTraits {
  const version = claudeVersion(id);
  const isNative = version >= 4.5;
  return {
    family: 'claude',
    jsonSchema: isNative ? 'native' : version >= 3 ? 'tool' : 'prompt',
    strictTools: isNative,
    toolChoice: version >= 3 ? 'tool' : 'auto',
    reasoning: version >= 4.6 ? 'claude-adaptive' : version >= 3.7 ? 'claude-budget' : 'none',
    parallelControl: isNative,
    extraHighEffort: version >= 4.7,
    thinkingBudget: version >= 3.7 && version < 4.7,
    cachePoints: version >= 3.5 ? 'all' : 'none',
    cacheTtl: isNative,
    citations: version >= 3.5,
  };
}

function claudeVersion(id: string): number {
  const match =
    /claude-(?:v|instant-v)?(\d)(?:[-.:](\d)(?!\d))?/.exec(id) ?? /claude-[a-z]+-(\d)(?:-(\d)(?!\d))?/.exec(id);
  return match === null ? 0 : Number(`${match[1]}.${match[2] ?? 0}`);
}
