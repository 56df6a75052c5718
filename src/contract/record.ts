import type { Caller } from './caller.js';
import type { Dialect, Operation } from './dialect.js';
import type { ErrorCode } from './errors.js';
import type { Plane } from './plane.js';
import type { LossWarning } from './provider.js';
import type { MeasuredUsage } from './usage.js';

/** One upstream attempt as it went. */
export interface AttemptRecord {
  readonly deployment: string;
  readonly provider: string;
  readonly kind: string;
  readonly path: 'native' | 'translated';
  /** Absent = it succeeded. */
  error?: ErrorCode;
  /** Milliseconds from its start to its end, or to commit where it won. */
  durationMs: number;
}

/** How a request ended. */
export type Outcome = 'completed' | 'refused' | 'failed' | 'client-abort' | 'drain-cut';

/**
 * What is known of one request. It is opened by the first middleware, filled in on the way, closed exactly once
 * when the response is finished or its connection closed, and then handed to the observers. It never holds prompts,
 * answers or credentials.
 */
export interface RequestRecord {
  readonly requestId: string;
  /** The client's own id, for the log only; truncated. */
  clientRequestId?: string;
  readonly startedAtMs: number;
  /** The listener it came in by; absent = data. Probes and scrapes (`metrics`) are not counted as requests. */
  readonly plane?: Plane;
  readonly method: string;
  /** The matched route's template; absent = no route matched. */
  route?: string;
  operation?: Operation;
  dialect?: Dialect;
  /** The peer's address, by the trusted proxies' word. */
  address: string;
  caller?: Caller;
  /** The model asked for, by its configured name; absent = none or unknown. */
  model?: string;
  stream: boolean;
  status: number;
  outcome: Outcome;
  error?: ErrorCode;
  /** For a failure of ours: what was thrown. Logged, never shown. */
  cause?: unknown;
  readonly attempts: AttemptRecord[];
  /** The deployment that answered; absent = none did. */
  deployment?: string;
  provider?: string;
  usage: MeasuredUsage;
  /** Milliseconds from opening to the first content byte handed to the client. */
  timeToFirstTokenMs?: number;
  /** Milliseconds spent waiting for providers, so that the rest is ours. */
  upstreamMs: number;
  durationMs: number;
  bytesIn: number;
  bytesOut: number;
  readonly warnings: LossWarning[];
  /** Events of a provider's stream that were passed on though they could not be understood; absent = none. */
  malformedEvents?: number;
  /** True when usage came from an estimate or counts were invalid. */
  usageEstimated: boolean;
}

/** Hears of every closed record. It must not throw and must not wait. */
export interface RequestObserver {
  opened?(record: RequestRecord): void;
  closed(record: RequestRecord): void;
}

/** Injection token of the list of observers. */
export const REQUEST_OBSERVERS = Symbol('REQUEST_OBSERVERS');
