import type { ChatPart } from '../../contract/chat-response.js';
import { MessagesStreamReader } from './stream.js';
import type { AnswerKey } from './wire.js';

const KEY: AnswerKey = { renamedTools: new Map() };

const START = {
  type: 'message_start',
  message: { id: 'msg_1', model: 'claude-x', content: [], usage: { input_tokens: 9, output_tokens: 1 } },
};
const STOP = { type: 'message_stop' };
const ended = (stop_reason: string | null, usage?: object) => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence: null },
  ...(usage && { usage }),
});
const opened = (content_block: object, index = 0) => ({ type: 'content_block_start', index, content_block });
const delta = (value: object, index = 0) => ({ type: 'content_block_delta', index, delta: value });
const closed = (index = 0) => ({ type: 'content_block_stop', index });
const said = (text: string, index = 0) => delta({ type: 'text_delta', text }, index);

function read(events: readonly (object | string)[], key = KEY): ChatPart[] {
  const reader = new MessagesStreamReader(key);
  const parts = events.flatMap((event) => reader.push(typeof event === 'string' ? event : JSON.stringify(event)));
  return [...parts, ...reader.end()];
}

const TEXT = [opened({ type: 'text', text: '' }), said('Hi'), closed()];

describe('a stream', () => {
  it('begins, says its text and why it ended', () => {
    expect(read([START, { type: 'ping' }, ...TEXT, ended('end_turn', { output_tokens: 5 }), STOP])).toEqual([
      { type: 'start', id: 'msg_1', model: 'claude-x' },
      { type: 'text-delta', text: 'Hi' },
      { type: 'choice-finish', reason: 'stop' },
      { type: 'finish', usage: expect.objectContaining({ promptTokens: 9, completionTokens: 5, source: 'final' }) },
    ]);
  });

  it('N11: replaces earlier counts by later ones, and never adds them', () => {
    const usage = (events: object[]) => {
      const last = read([...events, STOP]).at(-1);
      return last?.type === 'finish' ? last.usage : undefined;
    };
    expect(usage([START, ended('end_turn', { input_tokens: 9, output_tokens: 1 })])).toMatchObject({
      promptTokens: 9,
      completionTokens: 1,
    });
    const cached = { input_tokens: 2, cache_read_input_tokens: 30, cache_creation_input_tokens: 4, output_tokens: 6 };
    expect(usage([START, ended('end_turn', cached)])).toMatchObject({
      promptTokens: 36,
      cachedPromptTokens: 30,
      cacheWriteTokens: 4,
      completionTokens: 6,
    });
    expect(usage([START, ended('end_turn', { input_tokens: null, output_tokens: 7 })])).toMatchObject({
      promptTokens: 9,
      completionTokens: 7,
    });
  });

  it('N12: keeps the counts it had, and passes over lines that are no JSON', () => {
    const parts = read([START, '{"type":', '[DONE]', '', '3', ...TEXT, ended('end_turn'), STOP]);
    expect(parts.at(-1)).toMatchObject({ type: 'finish', usage: { promptTokens: 9, completionTokens: 1 } });
    expect(parts).toContainEqual({ type: 'text-delta', text: 'Hi' });
  });

  it('N14: gives a call without arguments an empty object', () => {
    const call = { type: 'tool_use', id: 'a', name: 'ping', input: {} };
    const empty = delta({ type: 'input_json_delta', partial_json: '' });
    expect(read([START, opened(call), empty, closed(), ended('tool_use'), STOP]).slice(1, 4)).toEqual([
      { type: 'tool-call-start', index: 0, id: 'a', name: 'ping' },
      { type: 'tool-call-delta', index: 0, arguments: '{}' },
      { type: 'choice-finish', reason: 'tool-calls' },
    ]);
  });

  it('takes arguments that came with the call’s start', () => {
    const call = { type: 'tool_use', id: 'a', name: 'ping', input: { a: 1 } };
    expect(read([START, opened(call), closed(), STOP])).toContainEqual({
      type: 'tool-call-delta',
      index: 0,
      arguments: '{"a":1}',
    });
  });

  it('N15/B80: gives thinking, then its signature, in order', () => {
    const parts = read([
      START,
      opened({ type: 'thinking', thinking: '', signature: '' }),
      delta({ type: 'thinking_delta', thinking: 'Hm.' }),
      delta({ type: 'signature_delta', signature: 'c2' }),
      delta({ type: 'signature_delta', signature: 'ln' }),
      closed(),
      opened({ type: 'redacted_thinking', data: 'cmVk' }, 1),
      closed(1),
      opened({ type: 'text', text: '' }, 2),
      said('Hi', 2),
      ended('end_turn'),
      STOP,
    ]);
    expect(parts.slice(1, 5)).toEqual([
      { type: 'reasoning-delta', text: 'Hm.' },
      { type: 'reasoning-delta', text: '', state: { issuer: 'anthropic-signature', value: 's:c2ln' } },
      { type: 'reasoning-delta', text: '', state: { issuer: 'anthropic-signature', value: 'r:cmVk' } },
      { type: 'text-delta', text: 'Hi' },
    ]);
  });

  it('N16: tolerates a second start, before the text and within it', () => {
    const second = {
      ...START,
      message: { ...START.message, id: 'msg_2', usage: { input_tokens: 99, output_tokens: 1 } },
    };
    const parts = read([START, second, TEXT[0] ?? {}, said('a'), second, said('b'), closed(), ended('end_turn'), STOP]);
    expect(parts.filter(({ type }) => type === 'start')).toEqual([{ type: 'start', id: 'msg_1', model: 'claude-x' }]);
    expect(parts.filter(({ type }) => type === 'text-delta')).toHaveLength(2);
    expect(parts.at(-1)).toMatchObject({ type: 'finish', usage: { promptTokens: 99 } });
  });

  it('N20: gives arguments that were cut as they came', () => {
    const call = { type: 'tool_use', id: 'a', name: 'ping', input: {} };
    const cut = delta({ type: 'input_json_delta', partial_json: '{"city": "Par' });
    const parts = read([START, opened(call), cut, closed(), ended('max_tokens'), STOP]);
    expect(parts).toContainEqual({ type: 'tool-call-delta', index: 0, arguments: '{"city": "Par' });
    expect(parts).toContainEqual({ type: 'choice-finish', reason: 'length' });
  });

  it('N22: counts calls, not blocks, and keeps the caller’s names', () => {
    const parts = read(
      [
        START,
        ...TEXT,
        opened({ type: 'tool_use', id: 'a', name: 'x', input: {} }, 1),
        closed(1),
        opened({ type: 'tool_use', id: 'b', name: 'y', input: {} }, 2),
        closed(2),
        opened({ type: 'text', text: 'Done.' }, 3),
        ended('tool_use'),
        STOP,
      ],
      { renamedTools: new Map([['y', '$y']]) },
    );
    expect(parts.filter(({ type }) => type === 'tool-call-start')).toEqual([
      { type: 'tool-call-start', index: 0, id: 'a', name: 'x' },
      { type: 'tool-call-start', index: 1, id: 'b', name: '$y' },
    ]);
    expect(parts).toContainEqual({ type: 'text-delta', text: 'Done.' });
  });

  it('B86: gives the stand-in’s input as text', () => {
    const call = { type: 'tool_use', id: 'a', name: 'answer', input: {} };
    const input = delta({ type: 'input_json_delta', partial_json: '{"a":1}' });
    const parts = read([START, opened(call), input, closed(), ended('tool_use'), STOP], { ...KEY, jsonTool: 'answer' });
    expect(parts.slice(1, 3)).toEqual([
      { type: 'text-delta', text: '{"a":1}' },
      { type: 'choice-finish', reason: 'stop' },
    ]);
  });

  it('gives citations when their text is whole', () => {
    const citation = {
      type: 'char_location',
      document_index: 0,
      document_title: null,
      start_char_index: 1,
      end_char_index: 4,
    };
    const parts = read([
      START,
      ...TEXT,
      opened({ type: 'text', text: '' }, 1),
      delta({ type: 'citations_delta', citation }, 1),
      said('there', 1),
      closed(1),
      STOP,
    ]);
    expect(parts[3]).toEqual({
      type: 'annotation',
      annotation: {
        type: 'url_citation',
        url_citation: {
          start_index: 2,
          end_index: 7,
          url: '#document-0',
          title: '',
          location: { start_char_index: 1, end_char_index: 4 },
        },
      },
    });
  });

  it('passes over blocks and deltas nobody knows', () => {
    const server = opened({ type: 'server_tool_use', id: 's', name: 'web_search', input: {} });
    const input = delta({ type: 'input_json_delta', partial_json: '{"q":1}' });
    expect(read([START, server, input, delta({ type: 'new_delta' }), closed(), STOP]).map(({ type }) => type)).toEqual([
      'start',
      'choice-finish',
      'finish',
    ]);
  });

  it('N21: ends by an error event, whatever follows', () => {
    const error = { type: 'error', error: { type: 'overloaded_error', details: null, message: 'Overloaded' } };
    const parts = read([START, ...TEXT, error, ended('end_turn'), STOP]);
    expect(parts.at(-1)).toMatchObject({ type: 'error', error: { code: 'provider_overloaded' } });
    expect(parts.filter(({ type }) => type === 'error' || type === 'finish')).toHaveLength(1);
  });

  it('is broken when it ends without its last event', () => {
    expect(read([START, ...TEXT, ended('end_turn')]).at(-1)).toMatchObject({
      type: 'error',
      error: { code: 'provider_stream_broken' },
    });
  });
});
