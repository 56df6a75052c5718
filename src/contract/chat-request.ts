import type { JsonObject, JsonValue } from './json.js';

/** Binary content: inline bytes as base64, or an address the provider may fetch itself. */
export type MediaSource =
  | { readonly type: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly type: 'url'; readonly url: string; readonly mediaType?: string };

/** Asks the provider to cache the prompt up to and including what carries it. */
export interface CacheBreakpoint {
  /** How long the cache should live; absent = the provider's default. */
  readonly ttl?: '5m' | '1h';
}

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
  readonly cache?: CacheBreakpoint;
}

export interface ImagePart {
  readonly type: 'image';
  readonly source: MediaSource;
  readonly cache?: CacheBreakpoint;
  /** How closely to look; absent = the provider's choice. */
  readonly detail?: 'low' | 'high' | 'auto';
}

export interface AudioPart {
  readonly type: 'audio';
  readonly source: MediaSource;
}

export interface FilePart {
  readonly type: 'file';
  readonly source: MediaSource;
  readonly filename?: string;
  /** True = the answer should cite it; absent = the provider's default. */
  readonly citations?: boolean;
  readonly cache?: CacheBreakpoint;
}

/** A call the model asked for in an earlier turn. */
export interface ToolCallPart {
  readonly type: 'tool-call';
  readonly id: string;
  readonly name: string;
  /** JSON text as the model wrote it; '' means no arguments. */
  readonly arguments: string;
  /** Opaque state the issuing provider wants back with this call; absent = none. */
  readonly state?: ProviderState;
  readonly cache?: CacheBreakpoint;
}

/** Reasoning of an earlier turn, given back to its issuer. Redacted reasoning has state and no text. */
export interface ReasoningPart {
  readonly type: 'reasoning';
  readonly text: string;
  readonly state?: ProviderState;
}

/** Text the model refused with in an earlier turn. */
export interface RefusalPart {
  readonly type: 'refusal';
  readonly text: string;
}

/** Opaque state of one provider kind (a thinking signature); sent back to that kind only. */
export interface ProviderState {
  readonly issuer: string;
  readonly value: string;
}

export type UserPart = TextPart | ImagePart | AudioPart | FilePart;
export type AssistantPart = TextPart | ReasoningPart | RefusalPart | ToolCallPart;
export type ToolResultPart = TextPart | ImagePart | FilePart;

/** One turn, in the caller's order. */
export type Message =
  | { readonly role: 'system'; readonly content: readonly TextPart[] }
  | { readonly role: 'user'; readonly content: readonly UserPart[]; readonly name?: string }
  | { readonly role: 'assistant'; readonly content: readonly AssistantPart[]; readonly name?: string }
  | {
      readonly role: 'tool';
      readonly toolCallId: string;
      readonly content: readonly ToolResultPart[];
      /** True when the tool failed. */
      readonly isError?: boolean;
      /** A breakpoint after the whole result. */
      readonly cache?: CacheBreakpoint;
    };

export interface Tool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments, kept verbatim; absent = no arguments. */
  readonly parameters?: JsonObject;
  /** True when the model must follow the schema exactly; absent = not asked. */
  readonly strict?: boolean;
  readonly cache?: CacheBreakpoint;
}

export type ToolChoice =
  | { readonly type: 'auto' }
  | { readonly type: 'none' }
  | { readonly type: 'required' }
  | { readonly type: 'tool'; readonly name: string };

export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json-object' }
  | {
      readonly type: 'json-schema';
      readonly name: string;
      readonly description?: string;
      readonly schema: JsonObject;
      readonly strict?: boolean;
    };

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh';

/**
 * A chat request without any wire's habits. Absent = not asked for, so the provider's default holds.
 * Whatever a provider cannot express it reports as a LossWarning, never drops in silence.
 */
export interface ChatRequest {
  readonly messages: readonly Message[];
  readonly tools?: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  /** False = at most one tool call a turn; absent = the provider's default. */
  readonly parallelToolCalls?: boolean;
  readonly responseFormat?: ResponseFormat;
  /** Upper bound of generated tokens per choice. */
  readonly maxOutputTokens?: number;
  /** Tokens the model may think with; says more exactly what `reasoningEffort` says roughly, and wins over it. */
  readonly reasoningBudgetTokens?: number;
  /** 0 to 2. */
  readonly temperature?: number;
  /** 0 to 1. */
  readonly topP?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  /** -2 to 2. */
  readonly presencePenalty?: number;
  /** -2 to 2. */
  readonly frequencyPenalty?: number;
  /** How many answers; absent = 1. */
  readonly choices?: number;
  /** Log probabilities of the tokens chosen; `top` (0 to 20) alternatives each. */
  readonly logprobs?: { readonly top: number };
  /** Token id (as text) to bias (-100 to 100). */
  readonly logitBias?: Readonly<Record<string, number>>;
  readonly reasoningEffort?: ReasoningEffort;
  /** The provider's service tier, by its public name. */
  readonly serviceTier?: string;
  /** A stable id of the end user, for the provider's abuse monitoring. */
  readonly endUser?: string;
  /** Fields of the caller's dialect this contract has no word for; a provider uses or reports each. */
  readonly extra?: Readonly<Record<string, JsonValue>>;
}
