import type { Dialect } from '../../src/contract/dialect.js';
import type { AnswerFeature, Feature, ProviderHarness } from './provider-harness.ts';

/** What a kind can do, and how the contract suite holds it to that. The table of docs/providers.md is made of these. */
export interface Capabilities {
  /** The kind's name in the configuration. */
  readonly kind: string;
  /** Which of the kind's servers or model families the column is about; absent = all alike. */
  readonly of?: string;
  /** Reaches the model as asked, without a warning. */
  readonly native: readonly Feature[];
  /** Done by other means or only nearly, with a warning. */
  readonly emulated: readonly Feature[];
  readonly answers: readonly AnswerFeature[];
  readonly embeddings: boolean;
  readonly tokenCount: boolean;
  /** Dialects whose bodies are forwarded as they came. */
  readonly dialects: readonly Dialect[];
  readonly onDisconnect: 'abort' | 'drain';
}

const OPENAI_WIRE = {
  native: [
    ...(['image-data', 'image-url', 'audio-data', 'file-data', 'json-object', 'json-schema', 'tool-choice'] as const),
    ...(['parallel-tool-calls', 'strict-tools', 'late-system', 'stop', 'seed', 'penalties', 'choices'] as const),
    ...(['logprobs', 'logit-bias', 'reasoning-effort', 'service-tier', 'end-user'] as const),
  ],
  emulated: ['cache', 'reasoning-budget'],
  answers: ['cached-usage', 'reasoning-usage', 'reasoning', 'refusal'],
  embeddings: true,
  tokenCount: false,
  dialects: ['openai-chat', 'openai-embeddings'],
  onDisconnect: 'abort',
} as const satisfies Omit<Capabilities, 'kind'>;

const CLAUDE = {
  native: [
    ...([
      'image-data',
      'image-url',
      'file-data',
      'file-url',
      'citations',
      'tool-choice',
      'parallel-tool-calls',
    ] as const),
    ...(['tool-result-image', 'tool-error', 'cache', 'stop', 'reasoning-budget', 'end-user'] as const),
  ],
  emulated: ['json-object', 'json-schema', 'late-system', 'reasoning-effort', 'service-tier'],
  answers: ['cached-usage', 'cache-write-usage', 'reasoning-usage', 'reasoning'],
  tokenCount: true,
  dialects: [],
  onDisconnect: 'abort',
} as const satisfies Omit<Capabilities, 'kind' | 'embeddings'>;

const GEMINI = {
  native: [
    ...(['image-data', 'image-url', 'audio-data', 'file-data', 'file-url', 'json-object', 'json-schema'] as const),
    ...(['tool-choice', 'strict-tools', 'tool-error', 'stop', 'seed', 'penalties', 'choices', 'logprobs'] as const),
    ...(['reasoning-effort', 'reasoning-budget', 'service-tier'] as const),
  ],
  emulated: ['tool-result-image', 'late-system'],
  answers: ['cached-usage', 'reasoning-usage', 'reasoning'],
  embeddings: true,
  tokenCount: true,
  dialects: [],
  onDisconnect: 'abort',
} as const satisfies Omit<Capabilities, 'kind'>;

/** The wire of OpenAI at a server that lacks some of it; what form its vectors have is only known of OpenAI's own. */
function openAIWireWithout(...features: readonly Feature[]): Omit<Capabilities, 'kind'> {
  const native = OPENAI_WIRE.native.filter((feature) => !features.includes(feature));
  return { ...OPENAI_WIRE, native, dialects: ['openai-chat'] };
}

/** Every kind the suite runs against, in the order of the table; several entries where a kind is not all of one piece. */
export const CAPABILITIES = {
  anthropic: { kind: 'anthropic', ...CLAUDE, embeddings: false },
  'azure-ai-foundry': { kind: 'azure-ai-foundry', ...openAIWireWithout() },
  'azure-openai': { kind: 'azure-openai', ...OPENAI_WIRE },
  bedrock: {
    kind: 'bedrock',
    of: 'Claude 4.5',
    native: [
      ...(['image-data', 'audio-data', 'file-data', 'citations', 'json-schema', 'tool-choice'] as const),
      ...(['parallel-tool-calls', 'strict-tools', 'tool-result-image', 'tool-error', 'cache', 'stop'] as const),
      ...(['reasoning-budget', 'service-tier'] as const),
    ],
    emulated: ['json-object', 'late-system', 'reasoning-effort'],
    answers: ['cached-usage', 'cache-write-usage', 'reasoning'],
    embeddings: true,
    tokenCount: true,
    dialects: [],
    onDisconnect: 'drain',
  },
  gemini: { kind: 'gemini', of: 'Gemini 2.5', ...GEMINI },
  openai: { kind: 'openai', ...OPENAI_WIRE },
  'openai-compatible': { kind: 'openai-compatible', of: 'plain', ...openAIWireWithout() },
  'openai-compatible, mistral': {
    kind: 'openai-compatible',
    of: 'preset mistral',
    ...openAIWireWithout('logprobs', 'logit-bias', 'service-tier', 'end-user'),
  },
  'openai-compatible, deepseek': {
    kind: 'openai-compatible',
    of: 'preset deepseek',
    ...openAIWireWithout(
      ...(['json-schema', 'parallel-tool-calls', 'seed', 'choices', 'logit-bias', 'service-tier', 'end-user'] as const),
    ),
    embeddings: false,
  },
  'vertex, Claude': { kind: 'vertex', of: 'Claude', ...CLAUDE, embeddings: true },
  'vertex, Gemini': { kind: 'vertex', of: 'Gemini', ...GEMINI },
} as const satisfies Readonly<Record<string, Capabilities>>;

/** The part of a harness that declares. */
export interface Declaration extends Pick<ProviderHarness, 'features' | 'answers'> {
  readonly capabilities: Capabilities;
}

/** A declaration by its name in the table; spread it into the harness. */
export function declared(name: keyof typeof CAPABILITIES): Declaration {
  const capabilities: Capabilities = CAPABILITIES[name];
  return {
    features: new Set([...capabilities.native, ...capabilities.emulated]),
    answers: new Set(capabilities.answers),
    capabilities,
  };
}
