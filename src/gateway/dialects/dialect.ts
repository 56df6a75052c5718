import type { CallEnvelope } from '../../contract/call.js';
import type { ChatRequest } from '../../contract/chat-request.js';
import type { ChatPart, ChatResponse } from '../../contract/chat-response.js';
import type { EmbeddingsRequest, EmbeddingsResponse } from '../../contract/embeddings.js';
import type { GatewayError } from '../../contract/errors.js';
import type { JsonObject } from '../../contract/json.js';
import type { LossWarning } from '../../contract/provider.js';

/** What every dialect shares: the cheap reading of a body, and the native form of it. */
interface BaseDialect {
  /**
   * Reads and checks what routing and quota need, nothing more.
   * Throws GatewayError `invalid_value` with the field's path.
   */
  envelope(body: JsonObject, bodyBytes: number): CallEnvelope;
  /** The caller's name of a field of the canonical request: `maxOutputTokens` is `max_completion_tokens`. */
  fieldName(canonical: string): string;
  /**
   * The body to send to a provider that speaks this dialect: model set, usage of streams asked for, the gateway's own
   * additions taken out; `warn` hears of each of these. The caller's body is left as it is.
   */
  toNative(body: JsonObject, upstreamModel: string, warn: (warning: LossWarning) => void): JsonObject;
}

/** How an answer is labelled where the provider gives no value of its own. */
export interface PresentOptions {
  readonly requestId: string;
  /** The model as the caller asked for it. */
  readonly model: string;
  readonly nowSeconds: number;
}

/** A wire API for chat. */
export interface ChatDialect extends BaseDialect {
  readonly name: 'openai-chat';
  readonly operation: 'chat';
  /** Whole translation; warns of fields it has no place for. Throws GatewayError `invalid_value` with the field's path. */
  toCanonical(body: JsonObject, warn: (warning: LossWarning) => void): ChatRequest;
  present(response: ChatResponse, options: PresentOptions): string;
  /** UTF-8 bytes of what the model generated in an answer of this dialect; for estimates where usage is missing. */
  generatedBytes(answer: string): number;
  /** True when the caller wants the usage at the end of a stream. */
  wantsStreamUsage(body: JsonObject): boolean;
  presenter(options: PresentOptions & { readonly includeUsage: boolean }): StreamPresenter;
  readonly streamContentType: string;
  /** An error as an event inside a stream that has begun. */
  streamError(error: GatewayError): string;
  /** The mark of a whole stream, for a native stream whose provider left it out. */
  readonly streamTerminal: string;
}

/** Turns stream parts into the bytes of a dialect; `finish` includes the dialect's terminal mark. */
export interface StreamPresenter {
  /** '' when the parts show nothing in this dialect. Never called with an `error` part. */
  present(part: ChatPart): string;
}

/** A wire API for embeddings. */
export interface EmbeddingsDialect extends BaseDialect {
  readonly name: 'openai-embeddings';
  readonly operation: 'embeddings';
  toCanonical(body: JsonObject): EmbeddingsRequest;
  present(response: EmbeddingsResponse, body: JsonObject, options: PresentOptions): string;
}

export type AnyDialect = ChatDialect | EmbeddingsDialect;
