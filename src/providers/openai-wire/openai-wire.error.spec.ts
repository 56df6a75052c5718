import type { WholeResponse } from '../../transport/upstream.js';
import { errorOfEvent, errorOfResponse, statusOfError } from './openai-wire.error.js';

function response(status: number, body: unknown, headers: WholeResponse['headers'] = {}): WholeResponse {
  return { status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) };
}

describe('errorOfResponse', () => {
  it('O03: keeps code, param and innererror of a filtered prompt', () => {
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

  it('O09: keeps what the caller did wrong', () => {
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

  it('O12: keeps what a model that reasons does not take', () => {
    const error = {
      message: "Unsupported value: 'temperature' does not support 0.5 with this model.",
      type: 'invalid_request_error',
      param: 'temperature',
      code: 'unsupported_value',
    };
    expect(errorOfResponse(response(400, { error }))).toMatchObject({
      code: 'provider_rejected',
      status: 400,
      message: error.message,
      param: 'temperature',
      providerCode: 'unsupported_value',
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
  ])('O04: says nothing of our credentials, whatever 401 comes with: %s', (_name, body) => {
    const error = errorOfResponse(response(401, body));
    expect(error).toMatchObject({ code: 'provider_authentication', status: 502, providerCode: undefined });
    expect(error.message).toBe('The provider refused the credential of the gateway.');
  });

  it('O04, O11: takes a missing deployment for our own configuration', () => {
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

describe('errors of other servers', () => {
  it.each([
    ['OpenAI', 400, { error: { code: 'empty_array', param: 'messages', message: 'Empty.' } }, 'Empty.'],
    [
      'Mistral',
      400,
      { object: 'error', message: 'Bad role.', type: 'invalid_request_error', code: '3051' },
      'Bad role.',
    ],
    [
      "Mistral's validation",
      422,
      {
        object: 'error',
        message: {
          detail: [{ type: 'extra_forbidden', loc: ['body', 'seed'], msg: 'Not permitted', input: 'a prompt' }],
        },
      },
      'body.seed: Not permitted',
    ],
    [
      'FastAPI',
      422,
      { detail: [{ loc: ['body'], msg: 'Field required' }, { msg: 'And this' }] },
      'body: Field required; And this',
    ],
    ['FastAPI, as text', 400, { detail: 'No such thing.' }, 'No such thing.'],
    ['xAI', 400, { code: 'Client specified an invalid argument', error: 'Bad stop.' }, 'Bad stop.'],
    ['Ollama', 400, { error: 'invalid format' }, 'invalid format'],
    ['Google', 400, [{ error: { code: 400, message: 'Bad field.', status: 'INVALID_ARGUMENT' } }], 'Bad field.'],
  ])('%s says what was wrong', (_name, status, body, message) => {
    const error = errorOfResponse(response(status, body));
    expect(error).toMatchObject({ code: 'provider_rejected', status, message });
    expect(error.message).not.toContain('a prompt');
  });

  it.each([
    ["This model's maximum context length is 65536 tokens. However, you requested 70000 tokens."],
    ["This model's maximum prompt length is 131072 but the request contains 150000 tokens."],
    ["This endpoint's maximum context length is 8192 tokens."],
    ['Prompt contains 40000 tokens, too large for model with 32768 maximum context length'],
  ])('knows a prompt that is too long by its words: %s', (message) => {
    expect(errorOfResponse(response(400, { message, code: 400 }))).toMatchObject({
      code: 'context_length_exceeded',
      status: 400,
      message,
    });
  });

  it.each([
    [400, { code: 'Client specified an invalid argument', error: 'Incorrect API key provided: ab***yz.' }],
    [400, [{ error: { code: 400, message: 'API key not valid. Please pass a valid API key.' } }]],
    [400, { error: { code: 'invalid_api_key', message: 'Wrong key sk-1.' } }],
  ])('takes a refused key for our own fault though the status is %d', (status, body) => {
    const error = errorOfResponse(response(status, body));
    expect(error).toMatchObject({ code: 'provider_authentication', status: 502, providerCode: undefined });
    expect(error.message).toBe('The provider refused the credential of the gateway.');
  });

  it('tells a flagged prompt from a refused credential, and does not repeat the prompt', () => {
    const metadata = { reasons: ['violence'], flagged_input: 'the prompt', provider_name: 'OpenAI' };
    const error = { code: 403, message: 'Your input was flagged', metadata };
    const found = errorOfResponse(response(403, { error }));
    expect(found).toMatchObject({ code: 'content_filter', status: 400, message: 'Your input was flagged' });
    expect(JSON.stringify(found.extra ?? {})).not.toContain('the prompt');
  });

  it('gives back what a model wrote instead of a tool call', () => {
    const error = { code: 'tool_use_failed', message: 'No tool was called', failed_generation: 'maybe' };
    expect(errorOfResponse(response(400, { error }))).toMatchObject({
      providerCode: 'tool_use_failed',
      extra: { failed_generation: 'maybe' },
    });
  });

  it('takes an exhausted tier for an overloaded provider', () => {
    expect(errorOfResponse(response(498, ''))).toMatchObject({ code: 'provider_overloaded', status: 503 });
  });

  it.each([
    ['{"error":{"code":"content_filter","status":400}}', 400],
    ['{"error":{"code":429,"message":"m"}}', 429],
    ['{"error":{"code":"429"}}', 500],
    ['{"error":"words"}', 500],
    ['<html>', 500],
  ])('reads the status of an error that came with a success: %s', (body, status) => {
    expect(statusOfError(Buffer.from(body))).toBe(status);
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
