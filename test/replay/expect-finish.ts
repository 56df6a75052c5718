import type { ExpectedFinish } from './expect.ts';

/** What providers call an end that has one meaning; OpenAI's own words are their own. */
const FINISHES = new Map<unknown, ExpectedFinish>([
  ...(['stop', 'length', 'tool_calls', 'function_call', 'content_filter'] as const).map((own) => [own, own] as const),
  // Claude, and Converse.
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['refusal', 'content_filter'],
  ['content_filtered', 'content_filter'],
  ['guardrail_intervened', 'content_filter'],
  // Gemini.
  ['MAX_TOKENS', 'length'],
  ['SAFETY', 'content_filter'],
  ['RECITATION', 'content_filter'],
  ['BLOCKLIST', 'content_filter'],
  ['PROHIBITED_CONTENT', 'content_filter'],
  ['SPII', 'content_filter'],
  // Mistral.
  ['model_length', 'length'],
]);

/** The finish reason for a recorded one: an end without meaning of its own is told by whether tools are called. */
export function finishOf(reason: unknown, calls: readonly unknown[]): ExpectedFinish {
  return FINISHES.get(reason) ?? (calls.length > 0 ? 'tool_calls' : 'stop');
}
