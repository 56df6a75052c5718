import type { Feature } from './openai-compatible.features.js';

/** In what a server differs from OpenAI's own. */
export interface Differences {
  /** What the bound of generated tokens is called; absent = as the caller wrote it. */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens';
  /** What the seed is called. */
  readonly seedField: 'seed' | 'random_seed';
  /** Whether a stream may be asked for its usage; false = the server tells it unasked, or never. */
  readonly streamUsage: boolean;
  /** The field that takes earlier reasoning back. */
  readonly reasoningField: 'reasoning_content' | 'reasoning' | 'none';
  /** What instructions are called, whatever the caller called them; absent = as the caller wrote it. */
  readonly systemRole?: 'system' | 'developer';
  /** How vectors are given; none = the server has no embeddings. */
  readonly embeddings: 'float' | 'base64' | 'none';
  /** What the server cannot do: taken out of a request, with a warning. */
  readonly unsupported: readonly Feature[];
}

/** What a server named by no preset is taken for: one that does as OpenAI does, and gives vectors as plain numbers. */
export const PLAIN: Differences = {
  seedField: 'seed',
  streamUsage: true,
  reasoningField: 'none',
  embeddings: 'float',
  unsupported: [],
};

interface Preset extends Partial<Differences> {
  /** Where the service is; absent = wherever it was installed. */
  readonly baseUrl?: string;
}

/** Servers by name. A table to read beside each service's own reference; settings win over it. */
export const PRESETS = {
  deepseek: {
    baseUrl: 'https://api.deepseek.com/v1',
    maxTokensField: 'max_tokens',
    systemRole: 'system',
    reasoningField: 'reasoning_content',
    embeddings: 'none',
    unsupported: ['seed', 'n', 'logit_bias', 'json_schema', 'parallel_tool_calls', 'service_tier', 'user'],
  },
  groq: {
    baseUrl: 'https://api.groq.com/openai/v1',
    maxTokensField: 'max_completion_tokens',
    systemRole: 'system',
    reasoningField: 'reasoning',
    embeddings: 'none',
    unsupported: ['n', 'logit_bias', 'logprobs'],
  },
  mistral: {
    baseUrl: 'https://api.mistral.ai/v1',
    maxTokensField: 'max_tokens',
    seedField: 'random_seed',
    streamUsage: false,
    systemRole: 'system',
    unsupported: ['logit_bias', 'logprobs', 'service_tier', 'user'],
  },
  ollama: {
    baseUrl: 'http://127.0.0.1:11434/v1',
    maxTokensField: 'max_tokens',
    systemRole: 'system',
    reasoningField: 'reasoning',
    unsupported: ['n', 'logit_bias', 'parallel_tool_calls', 'service_tier', 'tool_choice', 'user'],
  },
  openrouter: { baseUrl: 'https://openrouter.ai/api/v1', reasoningField: 'reasoning' },
  vllm: {
    systemRole: 'system',
    reasoningField: 'reasoning_content',
    embeddings: 'base64',
    unsupported: ['service_tier'],
  },
  xai: {
    baseUrl: 'https://api.x.ai/v1',
    maxTokensField: 'max_completion_tokens',
    systemRole: 'system',
    embeddings: 'none',
    unsupported: ['logit_bias', 'service_tier'],
  },
} as const satisfies Record<string, Preset>;

/** A name of the table. */
export type PresetName = keyof typeof PRESETS;

/** The names of the table, for the settings' schema. */
export const PRESET_NAMES = Object.keys(PRESETS) as [PresetName, ...PresetName[]];

/** The preset of a name; nothing where none is named. */
export function presetOf(name: PresetName | undefined): Preset {
  return name === undefined ? {} : PRESETS[name];
}
