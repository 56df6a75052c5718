import { GoogleGenerativeAIFetchError } from '@google/generative-ai';
import { fromSdkError } from './gemini.error.js';

const SECRETS = ['secret-key', 'gemini.example'];

describe('fromSdkError', () => {
  const prefix = 'Error fetching from https://gemini.example/v1beta/models/x:countTokens: ';

  it("cuts the API's own words out of the SDK's", () => {
    const details = [{ '@type': 'x', reason: 'BAD' }];
    const text = `${prefix}[400 Bad Request] dimension too large ${JSON.stringify(details)}`;
    const thrown = new GoogleGenerativeAIFetchError(text, 400, 'Bad Request', details);
    expect(fromSdkError(thrown, SECRETS)).toMatchObject({ code: 'provider_rejected', message: 'dimension too large' });
  });

  it('keeps the delay of RetryInfo', () => {
    const details = [{ '@type': 'x', retryDelay: '3s' }];
    const text = `${prefix}[429 ] slow ${JSON.stringify(details)}`;
    const thrown = new GoogleGenerativeAIFetchError(text, 429, '', details);
    expect(fromSdkError(thrown, SECRETS)).toMatchObject({ code: 'provider_rate_limited', retryAfterMs: 3_000 });
  });

  it.each([
    [new SyntaxError('Unexpected token'), 'provider_bad_response'],
    [new TypeError('terminated'), 'provider_stream_broken'],
    [new Error(`${prefix}fetch failed`), 'provider_unreachable'],
  ])('takes %s for %s', (thrown, code) => {
    expect(fromSdkError(thrown, SECRETS)).toMatchObject({ code, cause: thrown });
  });
});
