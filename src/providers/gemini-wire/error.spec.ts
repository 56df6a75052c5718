import { fromErrorAnswer } from './error.js';

const SECRETS = ['secret-key', 'gemini.example'];

function refused(status: number, error: object | undefined, headers: Record<string, string> = {}) {
  const body = Buffer.from(error === undefined ? '' : JSON.stringify({ error }));
  return fromErrorAnswer({ status, headers, body }, SECRETS);
}

describe('fromErrorAnswer', () => {
  it.each([
    [400, 'provider_rejected', 400],
    [401, 'provider_authentication', 502],
    [403, 'provider_authentication', 502],
    [404, 'provider_not_found', 502],
    [408, 'provider_timeout', 504],
    [409, 'provider_error', 502],
    [413, 'provider_rejected', 413],
    [422, 'provider_rejected', 422],
    [429, 'provider_rate_limited', 429],
    [500, 'provider_error', 502],
    [503, 'provider_overloaded', 503],
    [504, 'provider_timeout', 504],
    [529, 'provider_overloaded', 503],
  ])('H24: takes %i for %s', (status, code, answered) => {
    expect(refused(status, { code: status, message: 'why', status: 'X' })).toMatchObject({ code, status: answered });
  });

  it('H24: shows the words of a 400 without key or host, and no others', () => {
    const message = 'bad value for secret-key at gemini.example';
    expect(refused(400, { message }).message).toBe('bad value for [redacted] at [redacted]');
    expect(refused(403, { message: 'key secret-key is suspended' }).message).not.toContain('suspended');
    expect(refused(500, { message: 'stack trace' }).message).not.toContain('stack');
  });

  it.each([
    [{ message: 'x', details: [{ reason: 'API_KEY_INVALID' }] }, 'provider_authentication'],
    [{ message: 'API key expired. Please renew the API key.' }, 'provider_authentication'],
    [{ message: 'User location is not supported.', status: 'FAILED_PRECONDITION' }, 'provider_error'],
    [
      { message: 'The input token count (9) exceeds the maximum number of tokens allowed (8).' },
      'context_length_exceeded',
    ],
  ])('tells the 400 of %j apart', (error, code) => {
    expect(refused(400, error).code).toBe(code);
  });

  it.each<[string, object, Record<string, string>, number | undefined]>([
    ['RetryInfo', { details: [{ links: [] }, { retryDelay: '34.4s' }] }, {}, 34_400],
    ['RetryInfo before the header', { details: [{ retryDelay: '2s' }] }, { 'retry-after': '9' }, 2_000],
    ['the header', {}, { 'retry-after': '9' }, 9_000],
    ['at most an hour', { details: [{ retryDelay: '86400s' }] }, {}, 3_600_000],
    ['nothing from nonsense', { details: [{ retryDelay: 'soon' }, 7] }, {}, undefined],
  ])('H25: takes the delay from %s', (_name, error, headers, expected) => {
    expect(refused(429, error, headers).retryAfterMs).toBe(expected);
  });

  it.each(['', '<html>bad gateway</html>', '[]', '7'])(
    'H26: takes the body %j for the failure of its status',
    (body) => {
      expect(fromErrorAnswer({ status: 502, headers: {}, body: Buffer.from(body) }, SECRETS).code).toBe(
        'provider_error',
      );
    },
  );
});
