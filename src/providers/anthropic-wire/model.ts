import type { WireEffort } from './wire.js';

/** What a Claude model can do over the Messages API. */
export interface ClaudeTraits {
  /** Most tokens one answer can have; sent where the caller gives no bound, as one is required. */
  readonly maxOutputTokens: number;
  /** `native` = `output_config.format`; `tool` = a forced tool call stands in. */
  readonly jsonSchema: 'native' | 'tool';
  /** Whether a tool's `strict` is accepted. */
  readonly strictTools: boolean;
  /** How it is made to think: by a budget of tokens, by itself (adaptive), by either, or not at all. */
  readonly thinking: 'none' | 'budget' | 'either' | 'adaptive';
  /** What it takes not to think: nothing, a switch, or it always thinks. */
  readonly rest: 'silence' | 'switch' | 'never';
  /** Values of `output_config.effort`, weakest first; empty = none is taken. */
  readonly efforts: readonly WireEffort[];
  /** How many of `temperature` and `top_p` are accepted together. */
  readonly sampling: 'both' | 'one' | 'none';
  /** Whether a tool call can be forced when no budget is thought with. */
  readonly forcedTools: boolean;
  /** Whether instructions may stand between the turns. */
  readonly laterSystem: boolean;
}

const EFFORTS: readonly WireEffort[] = ['low', 'medium', 'high', 'xhigh', 'max'];

/** Models remembered; far more than a configuration names. */
const MAX_KNOWN = 1_024;
const known = new Map<string, ClaudeTraits>();

/** What the model named can do. A name without a version gets what every model has. */
export function traitsOf(model: string): ClaudeTraits {
  const remembered = known.get(model);
  if (remembered !== undefined) return remembered;
  const traits = workOut(model);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(model, traits);
  return traits;
}

function workOut(model: string): ClaudeTraits {
  const name = model.toLowerCase();
  const version = claudeVersion(name);
  // These two families always think, and cannot be forced to call a tool.
  const isDeep = /claude-(fable|mythos)/.test(name);
  const isLate = version >= 5.5 || isDeep;
  return {
    maxOutputTokens: maxOutputTokens(name, version),
    jsonSchema: version >= 4.5 ? 'native' : 'tool',
    strictTools: version >= 4.5,
    thinking: thinkingOf(version),
    rest: isLate ? 'never' : version >= 5 ? 'switch' : 'silence',
    efforts: effortsOf(name, version),
    sampling: version >= 4.7 ? 'none' : version >= 4.5 || /opus-4-1/.test(name) ? 'one' : 'both',
    forcedTools: !isLate,
    laterSystem: version >= 4.8,
  };
}

/** The version stands after the family's name since 4 (`claude-sonnet-4-5@20250929`), before it up to 3.7. */
function claudeVersion(name: string): number {
  if (name.includes('mythos-preview')) return 4.7;
  const match =
    /claude-(?:v|instant-v)?(\d)(?:[-.:](\d)(?!\d))?/.exec(name) ?? /claude-[a-z]+-(\d)(?:[-.](\d)(?!\d))?/.exec(name);
  return match === null ? 0 : Number(`${match[1]}.${match[2] ?? 0}`);
}

/** A model newer than this table gets the least of its generation: too much is refused, too little is not. */
function maxOutputTokens(name: string, version: number): number {
  if (version >= 4.6) return /haiku/.test(name) ? 64_000 : 128_000;
  if (version >= 4) return /opus-4(?!-5)/.test(name) ? 32_000 : 64_000;
  if (version >= 3.7) return 64_000;
  return version >= 3.5 ? 8_192 : 4_096;
}

function thinkingOf(version: number): ClaudeTraits['thinking'] {
  if (version >= 4.7) return 'adaptive';
  if (version >= 4.6) return 'either';
  return version >= 3.7 ? 'budget' : 'none';
}

function effortsOf(name: string, version: number): readonly WireEffort[] {
  if (version >= 4.7) return EFFORTS;
  if (version >= 4.6) return EFFORTS.filter((effort) => effort !== 'xhigh');
  return /opus-4-5/.test(name) ? ['low', 'medium', 'high'] : [];
}
