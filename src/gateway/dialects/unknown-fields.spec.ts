import type { LossWarning } from '../../contract/provider.js';
import type { JsonObject } from '../../contract/json.js';
import { toCanonicalChat } from './openai-chat/openai-chat.request.js';

function lost(body: JsonObject): string[] {
  const warnings: LossWarning[] = [];
  toCanonicalChat({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body }, (warning) =>
    warnings.push(warning),
  );
  return warnings.map(({ field, kind }) => `${field}=${kind}`);
}

describe('fields nobody knows, however deep', () => {
  it('are each named', () => {
    const messages = [
      { role: 'user', mood: 'good', content: [{ type: 'text', text: 'a', colour: 'red' }] },
      { role: 'assistant', content: 'b', audio: { id: 'audio_1' } },
    ];
    const tools = [{ type: 'function', function: { name: 'f', version: 2, parameters: { anything: { goes: 1 } } } }];
    expect(lost({ messages, tools, response_format: { type: 'json_object', indent: 2 } })).toEqual([
      'messages[0].mood=dropped',
      'messages[0].content[0].colour=dropped',
      'messages[1].audio=dropped',
      'tools[0].function.version=dropped',
      'response_format.indent=dropped',
    ]);
  });

  it('are not those an answer comes with, nor those that hold nothing', () => {
    const answer = {
      role: 'assistant',
      content: 'a',
      refusal: null,
      audio: null,
      function_call: null,
      annotations: [],
    };
    const calls = [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }];
    const reasoning_details = [{ type: 'reasoning', text: 't', issuer: 'i', state: 's' }];
    const messages = [answer, { role: 'assistant', content: null, tool_calls: calls, reasoning_details }];
    expect(lost({ messages })).toEqual([]);
  });
});

it('a file as bare base64 is inline data, its type by its name', () => {
  const content = (filename?: string) => [
    { type: 'file', file: { file_data: 'JVBERi0=', ...(filename && { filename }) } },
  ];
  const sourceOf = (filename?: string) =>
    toCanonicalChat({ model: 'm', messages: [{ role: 'user', content: content(filename) }] }).messages[0]?.content[0];
  expect(sourceOf('a.txt')).toMatchObject({ source: { type: 'base64', mediaType: 'text/plain', data: 'JVBERi0=' } });
  expect(sourceOf()).toMatchObject({ source: { mediaType: 'application/pdf' } });
});
