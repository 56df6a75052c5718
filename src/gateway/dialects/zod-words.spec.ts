import { GatewayError } from '../../contract/errors.js';
import type { JsonObject } from '../../contract/json.js';
import { toCanonicalChat } from './openai-chat/openai-chat.request.js';

function refusal(body: JsonObject): string {
  try {
    toCanonicalChat({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body });
  } catch (error) {
    if (error instanceof GatewayError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('what is wrong with a field', () => {
  it.each<[JsonObject, string]>([
    [{ messages: [{ role: 'user' }] }, '"messages[0].content" has none of the forms it may have; see /docs.'],
    [
      { messages: [{ role: 'user', content: [{ type: 'text', text: 7 }] }] },
      '"messages[0].content[0].text" must be a text.',
    ],
    [{ messages: [{ role: 'tool', content: 'x' }] }, '"messages[0].tool_call_id" is missing; it must be a text.'],
    [
      { messages: [{ role: 'wizard', content: 'x' }] },
      '"messages[0].role" names a "role" that does not exist; see /docs.',
    ],
    [
      { reasoning_effort: 'huge' },
      '"reasoning_effort" must be one of "none", "minimal", "low", "medium", "high", "xhigh".',
    ],
    [{ temperature: 3 }, '"temperature" must be at most 2.'],
    [{ n: 0 }, '"n" must be at least 1.'],
    [{ seed: 1.5 }, '"seed" must be a whole number.'],
    [{ tools: {} }, '"tools" must be a list.'],
    [{ messages: [] }, '"messages" must not be empty.'],
  ])('%j: %s', (body, expected) => {
    expect(refusal(body)).toBe(expected);
  });
});
