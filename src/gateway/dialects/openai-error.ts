import type { GatewayError } from '../../contract/errors.js';

/** An error in OpenAI's shape (source: OpenAI API reference, "Error codes"). */
export function openAiError(error: GatewayError): object {
  return {
    error: {
      message: error.message,
      type: error.type,
      param: error.param ?? null,
      code: error.providerCode ?? error.code,
      ...error.extra,
    },
  };
}
