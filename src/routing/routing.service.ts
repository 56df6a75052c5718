import { Inject, Injectable } from '@nestjs/common';
import { type ConfigSnapshot, ConfigStore } from '../config/config.store.js';
import type { CallEnvelope } from '../contract/call.js';
import type { Caller } from '../contract/caller.js';
import type { Operation } from '../contract/dialect.js';
import { GatewayError } from '../contract/errors.js';
import type { Deployment, Model, Plan } from '../contract/plan.js';
import { ProviderRegistry } from '../providers/provider.registry.js';
import { attemptPath } from './attempt-path.js';
import { Catalog, type CatalogEntry } from './catalog.js';
import { HealthBook } from './health.book.js';
import { orderAttempts } from './planner.js';
import { ROUTING_RUNTIME, type RoutingRuntime } from './runtime.js';

/** Longest part of an asked name that is repeated in a refusal. */
const MAX_QUOTED_NAME = 128;

/** Wishes beyond the call itself. */
export interface PlanOptions {
  /** Only deployments that carry all of these; absent = any. */
  readonly labels?: readonly string[];
}

/** Decides who may use which model and which deployments are tried, in which order. It makes no calls. */
@Injectable()
export class RoutingService {
  private catalog: Catalog | undefined;
  private compiledFor: ConfigSnapshot | undefined;

  constructor(
    private readonly config: ConfigStore,
    private readonly providers: ProviderRegistry,
    private readonly health: HealthBook,
    @Inject(ROUTING_RUNTIME) private readonly runtime: RoutingRuntime,
  ) {}

  /**
   * The attempts for a call. `plan.model.name` is the configured name, also when an alias was asked for.
   * Throws `model_not_found` (unknown, or outside the caller's or the organisation's allow-list), `invalid_request`
   * (the model is for another operation), `not_supported` (no provider of the model can do this), `no_deployment`
   * (none carries the labels, or no provider of the model could be created).
   */
  plan(call: CallEnvelope, caller: Caller, options: PlanOptions = {}): Plan {
    const model = this.currentCatalog().find(call.model, caller);
    if (model === undefined) throw modelNotFound(call.model);
    if (model.operation !== call.operation) throw wrongOperation(call, model.operation);
    const usable = usableDeployments(model, call, options.labels);
    const attempts = orderAttempts(usable, {
      isCool: (deployment) => this.health.isCool(deployment),
      random: this.runtime.random,
      maxAttempts: model.maxAttempts,
    });
    return { model, attempts };
  }

  /** Every name the caller may use, aliases as entries of their own: chat first, then by name. */
  models(caller: Caller): readonly CatalogEntry[] {
    return this.currentCatalog().list(caller);
  }

  /** Compiled at the first use of a snapshot, so after the registry has heard of it. */
  private currentCatalog(): Catalog {
    const snapshot = this.config.current;
    if (this.catalog !== undefined && this.compiledFor === snapshot) return this.catalog;
    this.catalog = Catalog.compile(snapshot.config, {
      providerOf: (name) => this.providers.find(name),
      nowSeconds: Math.floor(Date.now() / 1_000),
      ...(this.catalog === undefined ? {} : { previous: this.catalog }),
    });
    this.compiledFor = snapshot;
    this.health.keepOnly(this.catalog.deployments());
    return this.catalog;
  }
}

function usableDeployments(model: Model, call: CallEnvelope, labels: readonly string[] = []): readonly Deployment[] {
  if (model.deployments.length === 0) throw new GatewayError('no_deployment');
  const able = model.deployments.filter(
    ({ provider }) => attemptPath(provider, call.operation, call.dialect) !== undefined,
  );
  if (able.length === 0) throw new GatewayError('not_supported', { param: 'model' });
  if (labels.length === 0) return able;
  const labelled = able.filter((deployment) => labels.every((label) => deployment.labels.includes(label)));
  if (labelled.length === 0) throw new GatewayError('no_deployment');
  return labelled;
}

function modelNotFound(name: string): GatewayError {
  const message = `The model \`${quoted(name)}\` does not exist or you do not have access to it.`;
  return new GatewayError('model_not_found', { message, param: 'model' });
}

function wrongOperation({ model, operation }: CallEnvelope, other: Operation): GatewayError {
  const message = `The model \`${quoted(model)}\` is for ${other} and cannot be used for ${operation}.`;
  return new GatewayError('invalid_request', { message, param: 'model' });
}

function quoted(name: string): string {
  return name.length <= MAX_QUOTED_NAME ? name : `${name.slice(0, MAX_QUOTED_NAME)}…`;
}
