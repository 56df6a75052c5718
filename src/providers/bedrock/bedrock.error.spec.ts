import { readFailure, readStreamFailure } from './bedrock.error.js';

function failure(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = { status, headers, body: Buffer.from(text) };
  return readFailure(response, { secrets: ['hush', ''], now: Date.parse('2026-01-01T00:00:00Z') });
}

const named = (name: string) => ({
  'x-amzn-errortype': `${name}:http://internal.amazon.com/coral/com.amazon.bedrock/`,
});

describe('readFailure', () => {
  it.each([
    [429, 'ThrottlingException', 'provider_rate_limited', 429],
    [429, 'ModelNotReadyException', 'provider_rate_limited', 429],
    [400, 'ServiceQuotaExceededException', 'provider_rate_limited', 429],
    [400, 'ValidationException', 'provider_rejected', 400],
    [403, 'AccessDeniedException', 'provider_authentication', 502],
    [403, 'ExpiredTokenException', 'provider_authentication', 502],
    [400, 'UnrecognizedClientException', 'provider_authentication', 502],
    [404, 'ResourceNotFoundException', 'provider_not_found', 502],
    [408, 'ModelTimeoutException', 'provider_timeout', 504],
    [424, 'ModelErrorException', 'provider_error', 502],
    [500, 'InternalServerException', 'provider_error', 502],
    [503, 'ServiceUnavailableException', 'provider_overloaded', 503],
  ])('C14/C15: reads %d %s as %s', (status, name, code, ours) => {
    expect(failure(status, { message: 'm' }, named(name))).toMatchObject({ code, status: ours });
  });

  it.each([
    [401, 'provider_authentication'],
    [404, 'provider_not_found'],
    [408, 'provider_timeout'],
    [422, 'provider_rejected'],
    [429, 'provider_rate_limited'],
    [502, 'provider_error'],
    [504, 'provider_timeout'],
    [529, 'provider_overloaded'],
  ])('C16/C17: reads %d without a name as %s', (status, code) => {
    expect(failure(status, 'no JSON at all').code).toBe(code);
  });

  it('C16: believes the body before the header', () => {
    const body = { __type: 'com.amazon.coral.service#ThrottlingException', message: 'm' };
    expect(failure(400, body, named('ValidationException')).code).toBe('provider_rate_limited');
  });

  it.each([
    'Input is too long for requested model.',
    'The model returned the following errors: prompt is too long: 215000 tokens > 200000 maximum',
    'The maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.',
    'input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000',
    'Too many input tokens. Max input tokens: 8192, request input token count: 9000',
    'expected maxLength: 50000, actual: 60000, please reformat your input: #/inputText',
  ])('tells that the context is too long: %s', (message) => {
    expect(failure(400, { message }, named('ValidationException'))).toMatchObject({
      code: 'context_length_exceeded',
      status: 400,
    });
  });

  it.each([
    ['The provided model identifier is invalid.', 'provider_not_found'],
    ["Invocation of model ID x with on-demand throughput isn't supported.", 'provider_not_found'],
    ['This request has been blocked by our content filters.', 'content_filter'],
  ])('reads "%s" as %s', (message, code) => {
    expect(failure(400, { message }, named('ValidationException')).code).toBe(code);
  });

  it("shows what is the caller's own fault, without names of resources and addresses", () => {
    const message =
      'Bad hush field. See https://docs.example.com/x for arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc.';
    expect(failure(400, { message }, named('ValidationException')).message).toBe(
      'Bad *** field. See the address for the resource',
    );
  });

  it("keeps what is not the caller's fault to the log", () => {
    const message = 'User: arn:aws:iam::123456789012:user/x is not authorized';
    const error = failure(403, { message }, named('AccessDeniedException'));
    expect(error.message).not.toContain('123456789012');
    expect(String((error.cause as Error).message)).toContain(message);
  });

  it.each([
    [{ 'retry-after': '3' }, 3_000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:05 GMT' }, 5_000],
    [{ 'retry-after-ms': '120' }, 120],
    [{}, undefined],
  ])('C14: reads when to try again from %j', (headers, expected) => {
    expect(failure(429, {}, headers).retryAfterMs).toBe(expected);
  });
});

describe('readStreamFailure', () => {
  it('shows the text of a validation failure alone', () => {
    const payload = Buffer.from('{"message":"why"}');
    expect(readStreamFailure('validationException', payload, ['y'])).toMatchObject({
      code: 'provider_rejected',
      message: 'wh***',
    });
    expect(readStreamFailure('internalServerException', payload, []).message).not.toContain('why');
    expect(readStreamFailure('somethingNew', Buffer.alloc(0), []).code).toBe('provider_error');
  });
});
