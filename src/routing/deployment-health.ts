import { ERRORS, type GatewayError } from '../contract/errors.js';

/*
 * The health of a deployment, as this process has seen it:
 * 1. A refusal for load (429, or 503 with Retry-After) cools the deployment for exactly the time told, at most an
 *    hour; a 429 without a time cools it for a second.
 * 2. The third failure in a row, and each one after it, cools it for ten seconds.
 * 3. A success ends the row. It also ends the cool-down, unless its attempt began before the cool-down did: an old
 *    answer says nothing about the limit that was hit since.
 * 4. Only failures of the provider count; a caller's mistake or a vanished client says nothing.
 * Invariant: a cool-down is never shortened by a failure.
 */

const FAILURES_IN_A_ROW = 3;
const FAILURE_COOL_MS = 10_000;
const RATE_LIMIT_COOL_MS = 1_000;
const MAX_COOL_MS = 3_600_000;

/** What is remembered of a deployment; times are of the runtime's monotonic clock. */
export interface DeploymentHealth {
  readonly failuresInARow: number;
  /** When the cool-down began; meaningless without one. */
  readonly cooledAtMs: number;
  /** Until when other deployments are preferred; 0 = no cool-down. */
  readonly coolUntilMs: number;
}

export const HEALTHY: DeploymentHealth = { failuresInARow: 0, cooledAtMs: 0, coolUntilMs: 0 };

/** True while other deployments are to be preferred. */
export function isCool(health: DeploymentHealth, nowMs: number): boolean {
  return health.coolUntilMs > nowMs;
}

/** True when the failure is evidence about the deployment. */
export function isEvidence(error: GatewayError): boolean {
  return ERRORS[error.code].domain === 'provider' && error.retryable;
}

/** The health after a failed attempt, by rules 1, 2 and 4. */
export function afterFailure(health: DeploymentHealth, error: GatewayError, nowMs: number): DeploymentHealth {
  if (!isEvidence(error)) return health;
  const failuresInARow = health.failuresInARow + 1;
  const coolMs = Math.max(loadCoolMs(error), failuresInARow >= FAILURES_IN_A_ROW ? FAILURE_COOL_MS : 0);
  const coolUntilMs = nowMs + Math.min(coolMs, MAX_COOL_MS);
  if (coolMs === 0 || coolUntilMs <= health.coolUntilMs) return { ...health, failuresInARow };
  return { failuresInARow, cooledAtMs: nowMs, coolUntilMs };
}

/** The health after an answer to an attempt that began at `startedAtMs`, by rule 3. */
export function afterSuccess(health: DeploymentHealth, startedAtMs: number): DeploymentHealth {
  if (startedAtMs >= health.cooledAtMs) return HEALTHY;
  return { ...health, failuresInARow: 0 };
}

function loadCoolMs(error: GatewayError): number {
  if (error.code === 'provider_rate_limited') return error.retryAfterMs ?? RATE_LIMIT_COOL_MS;
  if (error.code === 'provider_overloaded') return error.retryAfterMs ?? 0;
  return 0;
}
