import type { GatewayError } from './errors.js';
import type { ProviderState } from './chat-request.js';
import type { JsonValue } from './json.js';
import type { MeasuredUsage } from './usage.js';

/** Why a choice ended. */
export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter';

/**
 * What a stream consists of. Parts of one choice come in order; `choice` is 0 by default.
 * A stream begins with at most one `start`, has `choice-finish` once a choice, and ends with exactly one
 * `finish` or one `error`.
 */
export type ChatPart =
  | { readonly type: 'start'; readonly id?: string; readonly model?: string; readonly createdSeconds?: number }
  | { readonly type: 'text-delta'; readonly text: string; readonly choice?: number; readonly logprobs?: JsonValue }
  | {
      readonly type: 'reasoning-delta';
      readonly text: string;
      readonly choice?: number;
      readonly state?: ProviderState;
    }
  | { readonly type: 'refusal-delta'; readonly text: string; readonly choice?: number }
  | {
      /** `index` counts the tool calls of the choice: 0, 1, … */
      readonly type: 'tool-call-start';
      readonly index: number;
      readonly id: string;
      readonly name: string;
      readonly choice?: number;
      readonly state?: ProviderState;
    }
  | { readonly type: 'tool-call-delta'; readonly index: number; readonly arguments: string; readonly choice?: number }
  /** A citation or another remark on the text so far, in OpenAI's form (`{type: 'url_citation', url_citation: {...}}`). */
  | { readonly type: 'annotation'; readonly annotation: JsonValue; readonly choice?: number }
  | { readonly type: 'choice-finish'; readonly reason: FinishReason; readonly choice?: number }
  /** The end of a whole answer; `usage` absent = the provider told none. */
  | { readonly type: 'finish'; readonly usage?: MeasuredUsage }
  /** The end of a broken answer; nothing follows. */
  | { readonly type: 'error'; readonly error: GatewayError };

/** One block of a whole answer. */
export type ContentBlock =
  | {
      readonly type: 'text';
      readonly text: string;
      /** Citations and other remarks on this text, in OpenAI's form; absent = none. */
      readonly annotations?: readonly JsonValue[];
    }
  | { readonly type: 'reasoning'; readonly text: string; readonly state?: ProviderState }
  | { readonly type: 'refusal'; readonly text: string }
  | {
      readonly type: 'tool-call';
      readonly id: string;
      readonly name: string;
      /** JSON text; '{}' where the model gave no arguments. */
      readonly arguments: string;
      readonly state?: ProviderState;
    };

export interface ChatChoice {
  readonly content: readonly ContentBlock[];
  readonly finishReason: FinishReason;
  /** In OpenAI's form `{content: [...]}`; absent = not asked for or not given. */
  readonly logprobs?: JsonValue;
}

/** A whole answer. */
export interface ChatResponse {
  /** The provider's own id; absent = it gives none. */
  readonly id?: string;
  /** The concrete model that answered; absent = not told. */
  readonly model?: string;
  readonly createdSeconds?: number;
  /** At least one. */
  readonly choices: readonly ChatChoice[];
  /** Absent = the provider told none. */
  readonly usage?: MeasuredUsage;
}
