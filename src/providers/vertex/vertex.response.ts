import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import { tokenCount } from '../../contract/usage.js';

/** A whole body as a JSON object; throws `provider_bad_response`. */
export function parseVertexAnswer(body: Buffer): JsonObject {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new GatewayError('provider_bad_response', { cause });
  }
  if (!isJsonObject(answer)) throw new GatewayError('provider_bad_response');
  return answer;
}

/** The answer to countTokens; throws `provider_bad_response`. */
export function readVertexCount(body: Buffer): { readonly promptTokens: number } {
  // A count of nothing is left out.
  const promptTokens = tokenCount(parseVertexAnswer(body)['totalTokens'] ?? 0);
  if (promptTokens === undefined) throw new GatewayError('provider_bad_response');
  return { promptTokens };
}
