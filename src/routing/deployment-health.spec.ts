import { GatewayError } from '../contract/errors.js';
import { afterFailure, afterSuccess, type DeploymentHealth, HEALTHY, isCool } from './deployment-health.js';

const NOW = 1_000;
const unreachable = new GatewayError('provider_unreachable');

function coolForMs(error: GatewayError, health = HEALTHY): number {
  return Math.max(0, afterFailure(health, error, NOW).coolUntilMs - NOW);
}

function failures(count: number): DeploymentHealth {
  return Array.from({ length: count }).reduce<DeploymentHealth>(
    (health) => afterFailure(health, unreachable, NOW),
    HEALTHY,
  );
}

describe('deployment health', () => {
  it.each([
    ['a rate limit for exactly the time told', 'provider_rate_limited', 2_345, 2_345],
    ['a rate limit without a time for a second', 'provider_rate_limited', undefined, 1_000],
    ['a rate limit for an hour at most', 'provider_rate_limited', 86_400_000, 3_600_000],
    ['an overload for exactly the time told', 'provider_overloaded', 700, 700],
    ['an overload without a time not at all', 'provider_overloaded', undefined, 0],
    ['a single unreachable attempt not at all', 'provider_unreachable', undefined, 0],
  ] as const)('cools %s', (_name, code, retryAfterMs, expected) => {
    expect(coolForMs(new GatewayError(code, retryAfterMs === undefined ? {} : { retryAfterMs }))).toBe(expected);
  });

  it('cools for ten seconds at the third failure in a row, not before', () => {
    expect(isCool(failures(2), NOW)).toBe(false);
    expect(failures(3).coolUntilMs).toBe(NOW + 10_000);
  });

  it('is warm again at the end of the cool-down, and cools at once when it fails again', () => {
    const health = failures(3);
    expect(isCool(health, NOW + 9_999)).toBe(true);
    expect(isCool(health, NOW + 10_000)).toBe(false);
    expect(afterFailure(health, unreachable, NOW + 20_000).coolUntilMs).toBe(NOW + 30_000);
  });

  it('never shortens a cool-down by a further failure', () => {
    const long = afterFailure(HEALTHY, new GatewayError('provider_rate_limited', { retryAfterMs: 60_000 }), NOW);
    expect(coolForMs(new GatewayError('provider_rate_limited', { retryAfterMs: 5 }), long)).toBe(60_000);
  });

  it.each(['provider_rejected', 'content_filter', 'client_closed', 'deadline_exceeded', 'internal_error'] as const)(
    'takes %s for no evidence',
    (code) => expect(afterFailure(HEALTHY, new GatewayError(code), NOW)).toBe(HEALTHY),
  );

  it('is cleared by a success', () => {
    expect(afterSuccess(failures(3), NOW + 1)).toBe(HEALTHY);
    expect(afterSuccess(failures(2), NOW - 1)).toBe(HEALTHY);
  });

  it('keeps a cool-down when the success began before it, but ends the row of failures', () => {
    const health = afterSuccess(failures(3), NOW - 1);
    expect(isCool(health, NOW)).toBe(true);
    expect(health.failuresInARow).toBe(0);
  });
});
