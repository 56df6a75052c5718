import type { ChatRequest } from '../../src/contract/chat-request.js';
import type { FinishReason } from '../../src/contract/chat-response.js';
import type { Provider } from '../../src/contract/provider.js';
import type { Usage } from '../../src/contract/usage.js';
import type { FakeRecord, FakeUpstream, Failure } from '../support/fake-upstream.ts';
import type { Capabilities } from './capabilities.ts';

/**
 * What a kind can express beyond text, system, turns, tools and limits. The suite tests each declared feature, and
 * of each undeclared one that a request using it is reported: by a LossWarning or a refusal.
 */
export type Feature =
  | 'image-data'
  | 'image-url'
  | 'audio-data'
  | 'file-data'
  | 'file-url'
  | 'citations'
  | 'json-object'
  | 'json-schema'
  | 'tool-choice'
  | 'parallel-tool-calls'
  | 'strict-tools'
  | 'tool-result-image'
  | 'tool-error'
  | 'late-system'
  | 'cache'
  | 'stop'
  | 'seed'
  | 'penalties'
  | 'choices'
  | 'logprobs'
  | 'logit-bias'
  | 'reasoning-effort'
  | 'reasoning-budget'
  | 'service-tier'
  | 'end-user';

/** What a kind's answers can carry beyond text, tool calls and prompt and completion tokens. */
export type AnswerFeature = 'cached-usage' | 'cache-write-usage' | 'reasoning-usage' | 'reasoning' | 'refusal';

/** One turn of a request as it went over the wire, in no wire's words. */
export interface SeenTurn {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  /** Texts of the turn, joined without separator; '' = none. */
  readonly text: string;
  /** Media types of inline images, or their addresses. */
  readonly images?: readonly string[];
  /** Calls the assistant made, arguments parsed. */
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: unknown }[];
  /** Results given back, in order; turns of the canonical role `tool` may be merged or split by a wire. */
  readonly toolResults?: readonly string[];
}

/** A chat request as it went over the wire. Absent = it was not sent. */
export interface SeenChat {
  /** All system texts, joined without separator; '' = none. */
  readonly system: string;
  /** Every other turn, in order. */
  readonly turns: readonly SeenTurn[];
  readonly tools?: readonly { readonly name: string; readonly description?: string; readonly parameters?: unknown }[];
  /** 'auto', 'none', 'required', or the tool's name after 'tool:'. */
  readonly toolChoice?: string;
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  /** The JSON schema of the answer. */
  readonly schema?: unknown;
}

/** An answer as the official SDK, driven at the same fake, tells it. */
export interface OracleAnswer {
  readonly text: string;
  readonly toolCalls: readonly { readonly name: string; readonly arguments: unknown }[];
  readonly finishReason: FinishReason;
  /** Absent = the SDK told none. Counts in the contract's sense: totals contain their parts. */
  readonly usage?: Usage;
}

/** A provider of the kind, on a fake of its own. */
export interface ProviderUnderTest {
  readonly provider: Provider;
  readonly fake: FakeUpstream;
  readonly chatModel: string;
  /** Absent = the kind has no embeddings. */
  readonly embeddingsModel?: string;
  seen(record: FakeRecord): SeenChat;
  /** Drives the pure SDK at the fake with one user message and, for streams, reads it to the end. */
  oracle(prompt: string, stream: boolean): Promise<OracleAnswer>;
  /** Closes the provider, its transport and the fake. */
  stop(): Promise<void>;
}

/** What a kind's spec hands to `describeProviderContract`. */
export interface ProviderHarness {
  readonly features: ReadonlySet<Feature>;
  readonly answers: ReadonlySet<AnswerFeature>;
  /** All the table of docs/providers.md says of the kind; absent = it is not in the table, `features` alone are held. */
  readonly capabilities?: Capabilities;
  /** Called before each test. */
  start(): Promise<ProviderUnderTest>;
  /** What the provider answers to a request beyond its context window. */
  readonly contextLength: Failure;
  /** What it answers to a prompt its filter refuses; absent = it answers 200 with a finish reason instead. */
  readonly contentFilter?: Failure;
  /** Texts that must never reach a caller: the credential, the host. Looked for in every error. */
  readonly secrets: readonly string[];
  /** Extra fields of a request the kind expresses in a way worth a test of its own; run through `complete`. */
  readonly extraRequests?: readonly {
    readonly name: string;
    readonly request: ChatRequest;
    readonly check: (record: FakeRecord) => void;
  }[];
}
