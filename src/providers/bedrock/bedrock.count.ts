import { isJsonObject } from '../../contract/json.js';
import { tokenCount } from '../../contract/usage.js';
import { badResponse } from './bedrock.error.js';
import { foundationModel } from './bedrock.model.js';
import type { ConverseBody } from './bedrock.wire.js';

/** Body of CountTokens for a Converse request: what of it the model reads. */
export function countBody({ messages, system, toolConfig, additionalModelRequestFields }: ConverseBody): string {
  return JSON.stringify({ input: { converse: { messages, system, toolConfig, additionalModelRequestFields } } });
}

/** The model CountTokens is asked of: an inference profile of the system counts as the model it leads to. */
export function countedModel(model: string): string {
  if (model.startsWith('arn:') && !/:(inference-profile|foundation-model)\//.test(model)) return model;
  return foundationModel(model);
}

/** Reads the answer of CountTokens. Throws GatewayError `provider_bad_response`. */
export function readCount(body: Buffer): number {
  const count = tokenCount(field(body));
  if (count === undefined) throw badResponse('the answer has no "inputTokens"');
  return count;
}

function field(body: Buffer): unknown {
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'));
    return isJsonObject(answer) ? answer['inputTokens'] : undefined;
  } catch {
    return undefined;
  }
}
