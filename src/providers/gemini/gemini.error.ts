import {
  GoogleGenerativeAIAbortError,
  GoogleGenerativeAIFetchError,
  GoogleGenerativeAIRequestInputError,
} from '@google/generative-ai';
import { GatewayError } from '../../contract/errors.js';
import type { JsonObject } from '../../contract/json.js';
import { toProviderError, type Secrets } from '../gemini-wire/error.js';

/**
 * What the SDK threw. It keeps the status and the details of an answer, but no headers; its texts name the URL, so
 * only the API's own message is cut out of them. Aborts are told apart by the caller, who made them.
 */
export function fromSdkError(thrown: unknown, secrets: Secrets): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (thrown instanceof GoogleGenerativeAIFetchError && thrown.status !== undefined) {
    return toProviderError({ status: thrown.status, error: sdkErrorObject(thrown) }, secrets);
  }
  if (thrown instanceof GoogleGenerativeAIRequestInputError)
    return new GatewayError('internal_error', { cause: thrown });
  if (thrown instanceof SyntaxError) return new GatewayError('provider_bad_response', { cause: thrown });
  // The body's own reader throws TypeError when the connection breaks after the headers.
  if (thrown instanceof TypeError) return new GatewayError('provider_stream_broken', { cause: thrown });
  if (thrown instanceof GoogleGenerativeAIAbortError) return new GatewayError('provider_timeout', { cause: thrown });
  return new GatewayError('provider_unreachable', { cause: thrown });
}

function sdkErrorObject(thrown: GoogleGenerativeAIFetchError): JsonObject {
  const details = thrown.errorDetails as JsonObject[] | undefined;
  const prefix = `[${thrown.status} ${thrown.statusText}] `;
  const at = thrown.message.indexOf(prefix);
  const tail = at < 0 ? '' : thrown.message.slice(at + prefix.length);
  const suffix = details === undefined ? '' : ` ${JSON.stringify(details)}`;
  const message = suffix !== '' && tail.endsWith(suffix) ? tail.slice(0, -suffix.length) : tail;
  return { message, ...(details === undefined ? {} : { details }) };
}
