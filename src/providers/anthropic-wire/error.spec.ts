import { errorOfEvent, errorOfResponse } from './error.js';

function failure(status: number, body: unknown, headers: Record<string, string> = {}) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return errorOfResponse({ status, headers, body: bytes }, ['api.example.com', 'sk-secret']);
}

const told = (type: string, message: string) => ({
  type: 'error',
  error: { type, details: null, message },
  request_id: 'req_1',
});

describe('a failure', () => {
  it.each([
    [400, 'invalid_request_error', 'provider_rejected', 400],
    [401, 'authentication_error', 'provider_authentication', 502],
    [402, 'billing_error', 'provider_authentication', 502],
    [403, 'permission_error', 'provider_authentication', 502],
    [404, 'not_found_error', 'provider_not_found', 502],
    [413, 'request_too_large', 'provider_rejected', 413],
    [429, 'rate_limit_error', 'provider_rate_limited', 429],
    [500, 'api_error', 'provider_error', 502],
    [504, 'timeout_error', 'provider_timeout', 504],
    [529, 'overloaded_error', 'provider_overloaded', 503],
    [400, 'something_new', 'provider_rejected', 400],
    [500, 'overloaded_error', 'provider_overloaded', 503],
    [500, 'invalid_request_error', 'provider_error', 502],
  ])('N21: %d %s is %s', (status, type, code, shown) => {
    expect(failure(status, told(type, 'Words.'))).toMatchObject({ code, status: shown });
  });

  it('shows the words where the request was at fault, without names of ours or the provider’s', () => {
    const message =
      'messages.0: bad. See https://docs.example/x at api.example.com with sk-secret (request id: req_011Ab).';
    const shown = failure(400, told('invalid_request_error', message)).message;
    expect(shown).toBe('messages.0: bad. See the address at *** with ***.');
    expect(failure(529, told('overloaded_error', 'Our cluster.')).message).toBe('The provider is overloaded.');
  });

  it.each([
    ['prompt is too long: 210000 tokens > 200000 maximum', 'context_length_exceeded'],
    ['input length and `max_tokens` exceed context limit: 199000 + 20000 > 200000', 'context_length_exceeded'],
    ['Output blocked by content filtering policy', 'content_filter'],
    ['Your credit balance is too low to access the Anthropic API.', 'provider_authentication'],
    ['This model does not support effort level "xhigh"', 'provider_rejected'],
  ])('means by its words: %s', (message, code) => {
    expect(failure(400, told('invalid_request_error', message)).code).toBe(code);
  });

  it('waits as long as it is told', () => {
    expect(failure(429, told('rate_limit_error', 'x'), { 'retry-after': '7' }).retryAfterMs).toBe(7_000);
  });

  it.each(['<html>', '', '[]', '{}', '{"error":"text"}', '[{"error":{"type":"overloaded_error"}}]'])(
    'is read from the status where the body is not the API’s: %s',
    (body) => {
      expect(failure(529, body).code).toBe('provider_overloaded');
      expect(failure(400, body).status).toBeGreaterThanOrEqual(400);
    },
  );

  it('N21: inside a stream is told by its type', () => {
    const code = (event: object): string => errorOfEvent({ type: 'error', ...event }).code;
    expect(code({ error: { type: 'overloaded_error', message: 'Overloaded' } })).toBe('provider_overloaded');
    expect(code({ error: { type: 'invalid_request_error', message: 'x' } })).toBe('provider_rejected');
    expect(code({ error: { type: 'new' } })).toBe('provider_error');
    expect(code({})).toBe('provider_error');
  });
});
