import { tokenCount } from '../../contract/usage.js';
import { badResponse } from './error.js';
import { parseAnswer } from './response.js';
import type { MessagesBody } from './wire.js';

/** What the counting call takes of a body. */
const COUNTED = [
  ...(['messages', 'system', 'tools', 'tool_choice', 'thinking', 'output_config', 'cache_control'] as const),
] as const satisfies readonly (keyof MessagesBody)[];
const COUNTED_FIELDS: ReadonlySet<string> = new Set([...COUNTED, 'context_management', 'mcp_servers', 'speed']);

export type CountBody = Pick<MessagesBody, (typeof COUNTED)[number]>;

/** A body for generating as one for counting, less `model`. */
export function toCountBody(body: MessagesBody): CountBody {
  return Object.fromEntries(Object.entries(body).filter(([key]) => COUNTED_FIELDS.has(key))) as CountBody;
}

/** The answer to a counting call; throws GatewayError `provider_bad_response`. */
export function readTokenCount(body: Buffer): { readonly promptTokens: number } {
  const promptTokens = tokenCount(parseAnswer(body)['input_tokens']);
  if (promptTokens === undefined) throw badResponse('the answer has no "input_tokens"');
  return { promptTokens };
}
