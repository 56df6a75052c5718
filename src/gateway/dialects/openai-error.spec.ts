import { GatewayError } from '../../contract/errors.js';
import { openAiError } from './openai-error.js';

describe('an error in OpenAI’s shape', () => {
  it('has all four fields, and null where there is no parameter', () => {
    expect(openAiError(new GatewayError('rate_limit_exceeded'))).toEqual({
      error: {
        message: 'A rate limit was reached.',
        type: 'rate_limit_error',
        param: null,
        code: 'rate_limit_exceeded',
      },
    });
  });

  it('shows the field at fault, and a provider’s own code and further fields', () => {
    const error = new GatewayError('content_filter', {
      message: 'Filtered.',
      param: 'prompt',
      providerCode: 'ResponsibleAIPolicyViolation',
      extra: { innererror: { code: 'x' } },
    });
    expect(openAiError(error)).toEqual({
      error: {
        message: 'Filtered.',
        type: 'invalid_request_error',
        param: 'prompt',
        code: 'ResponsibleAIPolicyViolation',
        innererror: { code: 'x' },
      },
    });
  });

  it('never shows the cause', () => {
    const error = new GatewayError('internal_error', { cause: new Error('secret of ours') });
    expect(JSON.stringify(openAiError(error))).not.toContain('secret');
  });
});
