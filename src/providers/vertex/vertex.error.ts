import type { GatewayError } from '../../contract/errors.js';
import type { WholeResponse } from '../../transport/upstream.js';
import { errorOfResponse } from '../anthropic-wire/error.js';
import { errorObject, fromErrorAnswer } from '../gemini-wire/error.js';

/** A refusal, in the words of whoever gave it: the publisher names a type of error, the cloud itself does not. */
export function vertexError(answer: WholeResponse, secrets: readonly string[]): GatewayError {
  return isPublishers(answer.body) ? errorOfResponse(answer, secrets) : fromErrorAnswer(answer, secrets);
}

function isPublishers(body: Buffer): boolean {
  try {
    return typeof errorObject(JSON.parse(body.toString('utf8')))?.['type'] === 'string';
  } catch {
    return false;
  }
}
