import { Inject, Injectable } from '@nestjs/common';
import type { GatewayError } from '../contract/errors.js';
import type { Deployment } from '../contract/plan.js';
import { afterFailure, afterSuccess, type DeploymentHealth, HEALTHY, isCool } from './deployment-health.js';
import { ROUTING_RUNTIME, type RoutingRuntime } from './runtime.js';

/**
 * Remembers the health of deployments in this process. One upstream model of one provider account has one health,
 * whatever public models lead to it. Healthy ones are not stored, so the book is empty on a good day.
 */
@Injectable()
export class HealthBook {
  private readonly troubled = new Map<string, DeploymentHealth>();

  constructor(@Inject(ROUTING_RUNTIME) private readonly runtime: RoutingRuntime) {}

  /** True while other deployments are to be preferred. */
  isCool(deployment: Deployment): boolean {
    if (this.troubled.size === 0) return false;
    const health = this.troubled.get(keyOf(deployment));
    return health !== undefined && isCool(health, this.runtime.now());
  }

  /** Notes an answer to an attempt that began at `startedAtMs` of the runtime's clock. */
  succeeded(deployment: Deployment, startedAtMs: number): void {
    if (this.troubled.size === 0) return;
    const key = keyOf(deployment);
    const health = this.troubled.get(key);
    if (health !== undefined) this.remember(key, afterSuccess(health, startedAtMs));
  }

  /** Notes a failure; those that say nothing about the deployment are ignored. */
  failed(deployment: Deployment, error: GatewayError): void {
    const key = keyOf(deployment);
    this.remember(key, afterFailure(this.troubled.get(key) ?? HEALTHY, error, this.runtime.now()));
  }

  /** Forgets deployments that no configuration names any more. */
  keepOnly(deployments: readonly Deployment[]): void {
    const keys = new Set(deployments.map(keyOf));
    for (const key of this.troubled.keys()) if (!keys.has(key)) this.troubled.delete(key);
  }

  private remember(key: string, health: DeploymentHealth): void {
    if (health === HEALTHY) this.troubled.delete(key);
    else this.troubled.set(key, health);
  }
}

function keyOf({ provider, upstreamModel }: Deployment): string {
  return `${provider.name}/${upstreamModel}`;
}
