import { type ErrorCode, GatewayError } from '../contract/errors.js';
import { moreTelling, repeatDelayMs } from './retry-policy.js';

const error = (code: ErrorCode, retryAfterMs?: number) =>
  new GatewayError(code, retryAfterMs === undefined ? {} : { retryAfterMs });

describe('repeatDelayMs', () => {
  it('spreads over the whole of a window that doubles and ends at two seconds', () => {
    const failure = error('provider_unreachable');
    expect(repeatDelayMs(failure, 0, () => 0)).toBe(0);
    expect(repeatDelayMs(failure, 0, () => 0.5)).toBe(50);
    expect(repeatDelayMs(failure, 1, () => 0.5)).toBe(100);
    expect(repeatDelayMs(failure, 30, () => 0.5)).toBe(1_000);
  });

  it.each(['provider_rate_limited', 'provider_timeout', 'provider_authentication', 'provider_stream_broken'] as const)(
    'does not repeat after %s',
    (code) => expect(repeatDelayMs(error(code), 0, () => 0)).toBeUndefined(),
  );

  it('waits as long as the provider asked for, and not at all when that is longer than ours may be', () => {
    expect(repeatDelayMs(error('provider_overloaded', 1_500), 0, () => 0.5)).toBe(1_500);
    expect(repeatDelayMs(error('provider_overloaded', 2_001), 0, () => 0.5)).toBeUndefined();
  });
});

describe('moreTelling', () => {
  const limited = error('provider_rate_limited', 3_000);

  it.each([
    ['a dated rate limit over what came later', [limited, error('provider_unreachable')], limited],
    ['a dated rate limit over an undated one', [limited, error('provider_rate_limited')], limited],
    ['the sooner of two rate limits', [limited, error('provider_rate_limited', 9_000)], limited],
    ['a dated rate limit over a dated overload', [error('provider_overloaded', 1), limited], limited],
  ] as const)('prefers %s', (_name, [earlier, later], expected) => {
    expect(moreTelling(earlier, later)).toBe(expected);
  });

  it('prefers the later of equals', () => {
    const later = error('provider_error');
    expect(moreTelling(error('provider_unreachable'), later)).toBe(later);
  });

  it('prefers anything over a refused credential', () => {
    const earlier = error('provider_unreachable');
    expect(moreTelling(earlier, error('provider_authentication'))).toBe(earlier);
  });

  it('takes the first failure as it is', () => {
    expect(moreTelling(undefined, limited)).toBe(limited);
  });
});
