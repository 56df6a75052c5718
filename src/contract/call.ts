import type { Dialect, Operation } from './dialect.js';

/** What routing, quota and guardrails need of a request, read cheaply from its body. */
export interface CallEnvelope {
  readonly operation: Operation;
  readonly dialect: Dialect;
  /** The model's public name, as asked for. */
  readonly model: string;
  /** True when the answer is to be streamed. */
  readonly stream: boolean;
  /** Bytes of the body as UTF-8; the prompt estimate is made of it. */
  readonly bodyBytes: number;
  /** The caller's own bound on generated tokens, per choice; absent = none given. */
  readonly maxOutputTokens?: number;
  /** How many choices are asked for; 1 by default. */
  readonly choices: number;
}
