import { GatewayError } from '../../contract/errors.js';
import { abortError, failureOf } from './sandbox.error.js';

describe('failureOf', () => {
  it.each([
    ['400', 'provider_rejected', 400],
    ['401', 'provider_authentication', 502],
    ['403', 'provider_authentication', 502],
    ['404', 'provider_not_found', 502],
    ['408', 'provider_timeout', 504],
    ['413', 'provider_rejected', 413],
    ['422', 'provider_rejected', 422],
    ['429', 'provider_rate_limited', 429],
    ['500', 'provider_error', 502],
    ['503', 'provider_overloaded', 503],
    ['504', 'provider_timeout', 504],
    ['529', 'provider_overloaded', 503],
    ['unreachable', 'provider_unreachable', 502],
    ['content_filter', 'content_filter', 400],
    ['context_length', 'context_length_exceeded', 400],
  ])('makes %s a %s answered with %i', (what, code, status) => {
    expect(failureOf({ what })).toMatchObject({ code, status });
  });

  it('carries when to try again', () => {
    expect(failureOf({ what: '429', retryAfterMs: 2_000 })?.retryAfterMs).toBe(2_000);
  });

  it.each(['200', '399', '600', 'nonsense', 'constructor'])('has none for %s', (what) => {
    expect(failureOf({ what })).toBeUndefined();
  });
});

it('ends an aborted call with the reason of the signal, else client_closed', () => {
  const reason = new GatewayError('server_shutting_down');
  expect(abortError(AbortSignal.abort(reason))).toBe(reason);
  expect(abortError(AbortSignal.abort())).toMatchObject({ code: 'client_closed' });
});
