import type { ExpectedChat, ExpectedUsage } from './expect.ts';
import { finishOf } from './expect-finish.ts';
import { count, list, record, text } from './json.ts';
import type { Json, JsonRecord, Recording } from './recording.ts';

/** What an answer of the Messages API says. */
export function anthropicChat({ events }: Recording, body: JsonRecord): ExpectedChat {
  if (events !== undefined) return anthropicStream(events.map(({ payload }) => payload));
  const blocks = list(body['content']);
  const calls = blocks
    .filter(({ type }) => type === 'tool_use')
    .map(({ name, input }) => ({ name: text(name), arguments: input ?? {} }));
  const said = (kind: 'text' | 'thinking'): string =>
    blocks
      .filter(({ type }) => type === kind)
      .map((block) => text(block[kind]))
      .join('');
  return {
    type: 'chat',
    text: said('text'),
    reasoning: said('thinking'),
    calls,
    finishReason: finishOf(body['stop_reason'], calls),
    ...anthropicUsage(record(body['usage'])),
  };
}

function anthropicStream(events: readonly JsonRecord[]): ExpectedChat {
  const open = new Map<number, { name: string; input: string }>();
  let content = '';
  let reasoning = '';
  let reason: unknown;
  let usage: JsonRecord = {};
  for (const event of events) {
    const delta = record(event['delta']);
    const block = record(event['content_block']);
    const call = open.get(count(event['index']));
    if (block['type'] === 'tool_use') open.set(count(event['index']), { name: text(block['name']), input: '' });
    if (delta['type'] === 'text_delta') content += text(delta['text']);
    if (delta['type'] === 'thinking_delta') reasoning += text(delta['thinking']);
    if (event['type'] === 'message_delta') reason = delta['stop_reason'] ?? reason;
    if (delta['type'] === 'input_json_delta' && call !== undefined) call.input += text(delta['partial_json']);
    usage = { ...usage, ...record(record(event['message'])['usage']), ...record(event['usage']) };
  }
  const calls = [...open.values()].map(({ name, input }) => ({ name, arguments: JSON.parse(input || '{}') as Json }));
  const finishReason = finishOf(reason, calls);
  return { type: 'chat', text: content, reasoning, calls, finishReason, ...anthropicUsage(usage) };
}

function anthropicUsage(usage: JsonRecord): { usage?: ExpectedUsage } {
  const { input_tokens: input, output_tokens: output } = usage;
  const cached = count(usage['cache_read_input_tokens']);
  const prompt = count(input) + cached + count(usage['cache_creation_input_tokens']);
  const reasoning = count(record(usage['output_tokens_details'])['thinking_tokens']);
  return { usage: { prompt, completion: count(output), total: prompt + count(output), cached, reasoning } };
}
