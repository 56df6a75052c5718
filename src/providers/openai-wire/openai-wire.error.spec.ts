import type { WholeResponse } from '../../transport/upstream.js';
import { errorOfEvent, errorOfResponse } from './openai-wire.error.js';

function response(status: number, body: unknown, headers: WholeResponse['headers'] = {}): WholeResponse {
  return { status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) };
}

describe('errorOfResponse', () => {
  it('keeps code, param and innererror of a filtered prompt', () => {
    const innererror = { code: 'ResponsibleAIPolicyViolation', content_filter_result: { hate: { filtered: true } } };
    const error = {
      message: 'Filtered.',
      type: null,
      param: 'prompt',
      code: 'content_filter',
      status: 400,
      innererror,
    };
    expect(errorOfResponse(response(400, { error }))).toMatchObject({
      code: 'content_filter',
      status: 400,
      message: 'Filtered.',
      param: 'prompt',
      providerCode: 'content_filter',
      extra: { innererror },
      retryable: false,
    });
  });

  it('keeps what the caller did wrong', () => {
    const error = {
      message: "Unsupported parameter: 'max_tokens'.",
      type: 'invalid_request_error',
      param: 'max_tokens',
      code: 'unsupported_parameter',
    };
    expect(errorOfResponse(response(400, { error }))).toMatchObject({
      code: 'provider_rejected',
      status: 400,
      message: error.message,
      param: 'max_tokens',
      providerCode: 'unsupported_parameter',
    });
  });

  it.each([413, 415, 422])('keeps the status %d', (status) => {
    expect(errorOfResponse(response(status, { error: { message: 'No.' } }))).toMatchObject({
      code: 'provider_rejected',
      status,
      message: 'No.',
    });
  });

  it.each([
    ['a number as code', { error: { code: '401', message: 'Access denied due to invalid subscription key.' } }],
    ["the API management's own form", { statusCode: 401, message: 'Access denied due to missing subscription key.' }],
    ['a text', 'Unauthorized'],
    ['nothing', ''],
  ])('says nothing of our credentials, whatever 401 comes with: %s', (_name, body) => {
    const error = errorOfResponse(response(401, body));
    expect(error).toMatchObject({ code: 'provider_authentication', status: 502, providerCode: undefined });
    expect(error.message).toBe('The provider refused the credential of the gateway.');
  });

  it('takes a missing deployment for our own configuration', () => {
    const body = {
      error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' },
    };
    expect(errorOfResponse(response(404, body))).toMatchObject({ code: 'provider_not_found', status: 502 });
  });

  it.each([
    [302, 'provider_error'],
    [408, 'provider_timeout'],
    [409, 'provider_error'],
    [500, 'provider_error'],
    [502, 'provider_error'],
    [503, 'provider_overloaded'],
    [504, 'provider_timeout'],
    [529, 'provider_overloaded'],
  ])('maps %d to %s', (status, code) => {
    expect(errorOfResponse(response(status, { error: { message: 'secret' } }))).toMatchObject({ code });
  });

  it('takes when to try again from the headers, milliseconds first', () => {
    const headers = { 'retry-after': '2', 'retry-after-ms': '1200' };
    expect(errorOfResponse(response(429, '', headers)).retryAfterMs).toBe(1_200);
    expect(errorOfResponse(response(503, '', { 'retry-after': '2' })).retryAfterMs).toBe(2_000);
  });

  it('takes secrets out of a text that is shown, and shortens it', () => {
    const message = `See https://res.openai.azure.com with key k-123. ${'x'.repeat(5_000)}`;
    const error = errorOfResponse(response(400, { error: { message } }), ['res.openai.azure.com', 'k-123']);
    expect(error.message).toMatch(/^See https:\/\/\*\*\* with key \*\*\*\./);
    expect(error.message.length).toBeLessThanOrEqual(2_000);
  });

  it('has a text of its own when the provider gives none', () => {
    expect(errorOfResponse(response(400, '<html>')).message).toBe('The provider refused the request.');
    expect(errorOfResponse(response(400, { error: 'Plain words.' })).message).toBe('Plain words.');
  });
});

describe('errorOfEvent', () => {
  it.each([
    [{ code: 'content_filter', message: 'Filtered.' }, 'content_filter'],
    [{ code: 'context_length_exceeded', message: 'Too long.' }, 'context_length_exceeded'],
    [{ code: 'rate_limit_exceeded' }, 'provider_rate_limited'],
    [{ code: '429' }, 'provider_rate_limited'],
    [{ code: 503 }, 'provider_overloaded'],
    [{ code: 'server_error', message: 'The server had an error.' }, 'provider_error'],
    ['words', 'provider_error'],
    [17, 'provider_error'],
  ])('maps %j to %s', (error, code) => {
    expect(errorOfEvent(error)).toMatchObject({ code });
  });

  it('shows only what is the caller’s own fault', () => {
    expect(errorOfEvent({ code: 'content_filter', message: 'Filtered.' }).message).toBe('Filtered.');
    expect(errorOfEvent({ code: 'server_error', message: 'node 7' }).message).toBe('The provider failed to answer.');
  });
});
