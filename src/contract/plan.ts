import type { Operation } from './dialect.js';
import type { Provider, Timeouts } from './provider.js';

/** One concrete model at one provider account. Compiled once per configuration. */
export interface Deployment {
  /** Unique in the configuration: model/provider/upstream model. */
  readonly id: string;
  readonly provider: Provider;
  /** The name by which the provider knows the model. */
  readonly upstreamModel: string;
  /** Share of traffic within its priority group; at least 0. */
  readonly weight: number;
  /** Lower is tried first. */
  readonly priority: number;
  readonly labels: readonly string[];
}

/** A model as callers see it. */
export interface Model {
  readonly name: string;
  readonly operation: Operation;
  readonly deployments: readonly Deployment[];
  /** True = a request that would lose anything in translation is refused. */
  readonly strict: boolean;
  /** Bound of generated tokens assumed when the caller gives none. */
  readonly defaultOutputTokens: number;
  readonly timeouts: Timeouts;
  /** Upper bound of attempts for one request, the first included. */
  readonly maxAttempts: number;
}

/** The attempts that may be made for one call, in order. */
export interface Plan {
  readonly model: Model;
  /** At least one. */
  readonly attempts: readonly Deployment[];
}
