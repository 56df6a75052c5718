import type { GatewayError } from './errors.js';
import type { ByteSource } from './byte-source.js';
import type { ChatRequest } from './chat-request.js';
import type { ChatPart, ChatResponse } from './chat-response.js';
import type { Dialect } from './dialect.js';
import type { EmbeddingsRequest, EmbeddingsResponse } from './embeddings.js';
import type { JsonObject } from './json.js';
import type { MeasuredUsage } from './usage.js';

/** Upper bounds of the parts of one upstream call, in milliseconds. */
export interface Timeouts {
  readonly connectMs: number;
  /** Until the first content event of a stream; not used for whole answers, whose first byte is the whole. */
  readonly firstContentMs: number;
  /** Longest silence inside a stream. */
  readonly idleMs: number;
  /** The whole call. */
  readonly totalMs: number;
}

/** What one upstream attempt is run under. */
export interface AttemptContext {
  /** Ours, never the client's. */
  readonly requestId: string;
  /** Aborts the upstream call at once; may be aborted already. */
  readonly signal: AbortSignal;
  readonly timeouts: Timeouts;
  /**
   * Called when the request is built and nothing was sent yet: throws when what would be lost may not be. The transport
   * calls it; a provider that sends by other means calls it itself.
   */
  readonly beforeSend?: () => void;
  /** Called when the first byte may have left for the provider: from then on the call may be billed. */
  readonly onDispatch: () => void;
}

/** A parameter that did not reach the model as asked. */
export interface LossWarning {
  /** The parameter, by its name in the canonical request (`seed`, `messages[2].content[0]`). */
  readonly field: string;
  readonly kind: 'dropped' | 'approximated' | 'emulated';
  /** What happened instead, in a few words. */
  readonly detail: string;
}

/** One call translated through the canonical contract. */
export interface AbilityCall<Request> {
  readonly request: Request;
  /** The name by which the provider knows the model (an Azure deployment, a Bedrock model id). */
  readonly model: string;
  readonly context: AttemptContext;
  /** Collects what was lost; the provider calls it before it sends. */
  readonly warn: (warning: LossWarning) => void;
}

/**
 * Receives the parts of a stream in batches: parts that arrived together come together. The last part of the last
 * batch is the one `finish` or `error`. Returns false to ask for a pause until `resume()`.
 */
export type PartSink = (parts: readonly ChatPart[]) => boolean;

/** A started answer: the provider has accepted the request, no part was delivered yet. */
export interface PartStream {
  start(sink: PartSink): void;
  resume(): void;
  /** Closes the upstream at once; no part follows. */
  destroy(): void;
  /** The last usage the provider told so far; absent = none yet. */
  usageSoFar(): MeasuredUsage | undefined;
}

/** Chat through the canonical contract. One call is exactly one upstream attempt; it rejects only with GatewayError. */
export interface ChatAbility {
  complete(call: AbilityCall<ChatRequest>): Promise<ChatResponse>;
  /** Resolves when the provider has answered with success headers. */
  stream(call: AbilityCall<ChatRequest>): Promise<PartStream>;
}

/** Embeddings through the canonical contract; rejects only with GatewayError. */
export interface EmbeddingsAbility {
  embed(call: AbilityCall<EmbeddingsRequest>): Promise<EmbeddingsResponse>;
}

/** Counting by the provider's own tokeniser, without generating; rejects only with GatewayError. */
export interface TokenCountAbility {
  /** `promptTokens` = what a chat with this request would read: messages, system text and tools. */
  count(call: AbilityCall<ChatRequest>): Promise<{ readonly promptTokens: number }>;
}

/** What one native event was; bits, so that one event can be several. */
export const NATIVE_EVENT = {
  /** Nothing of interest. */
  none: 0,
  /** Carries something the model generated: the answer is committed. */
  content: 1,
  /** Carries nothing but usage: dropped unless the caller asked for it. */
  usageOnly: 2,
  /** The provider's mark that the stream is whole. */
  terminal: 4,
  /** The provider reports a failure in the stream. */
  error: 8,
  /** Could not be understood; it is passed on. */
  malformed: 16,
} as const;

/** Reads a native stream beside its bytes. It never throws. */
export interface NativeTap {
  /** `data` is one SSE event's data field. Returns NATIVE_EVENT bits. */
  event(data: string): number;
  /** The last usage told, whatever came after; absent = none. */
  usage(): MeasuredUsage | undefined;
  /** The failure reported in the stream; absent = none. */
  failure(): GatewayError | undefined;
  /** True when every choice has its finish reason, or the terminal mark came. */
  isComplete(): boolean;
  /** UTF-8 bytes of what the model generated so far (text, tool arguments, reasoning); for estimates. */
  generatedBytes(): number;
}

/** A native answer: bytes in the dialect asked for. */
export type NativeResponse =
  | {
      readonly type: 'whole';
      readonly body: Buffer;
      readonly headers: Readonly<Record<string, string>>;
      readonly usage?: MeasuredUsage;
    }
  | {
      readonly type: 'stream';
      readonly source: ByteSource;
      readonly headers: Readonly<Record<string, string>>;
      readonly tap: NativeTap;
    };

/** One call forwarded in a dialect the provider speaks itself. */
export interface NativeCall {
  readonly dialect: Dialect;
  readonly model: string;
  readonly stream: boolean;
  /** The caller's parsed body, model and stream options already set by the dialect. */
  readonly body: JsonObject;
  readonly context: AttemptContext;
  /** Collects what the provider takes out of the body because it cannot do it; called before it sends. Absent = nobody asks. */
  readonly warn?: (warning: LossWarning) => void;
}

/** Forwarding of bodies in the provider's own dialects; rejects only with GatewayError. */
export interface NativeAbility {
  readonly dialects: ReadonlySet<Dialect>;
  send(call: NativeCall): Promise<NativeResponse>;
}

/** A configured account at one provider. An absent ability is declared absence, never discovered. */
export interface Provider {
  /** Its name in the configuration. */
  readonly name: string;
  readonly kind: string;
  /** What a vanished client means upstream: `abort` stops generation and billing, `drain` reads on because all is billed. */
  readonly onDisconnect: 'abort' | 'drain';
  readonly chat?: ChatAbility;
  readonly embeddings?: EmbeddingsAbility;
  readonly tokenCount?: TokenCountAbility;
  readonly native?: NativeAbility;
  /** Releases connections and credentials; calls in flight are finished by then. */
  close(): Promise<void>;
}

/** What a provider kind's service offers: settings in, a provider out. */
export interface ProviderKind<Settings> {
  readonly kind: string;
  create(name: string, settings: Settings): Provider;
}
