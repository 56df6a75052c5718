import type { ChatChoice, ChatResponse } from '../../../contract/chat-response.js';
import { presentChat } from './openai-chat.response.js';

const OPTIONS = { requestId: 'req_1', model: 'asked-for', nowSeconds: 1_700 };
const present = (response: ChatResponse) => JSON.parse(presentChat(response, OPTIONS));
const choice = (content: ChatChoice['content'], others: Partial<ChatChoice> = {}): ChatChoice => ({
  content,
  finishReason: 'stop',
  ...others,
});
const messageOf = (...content: ChatChoice['content']) => present({ choices: [choice(content)] }).choices[0].message;

describe('a whole chat answer', () => {
  it('has the published shape and the labels of the provider', () => {
    const usage = {
      promptTokens: 10,
      cachedPromptTokens: 4,
      cacheWriteTokens: 2,
      completionTokens: 5,
      reasoningTokens: 3,
      source: 'final',
    } as const;
    expect(
      present({
        id: 'chatcmpl-9',
        model: 'gpt-9',
        createdSeconds: 42,
        choices: [choice([{ type: 'text', text: 'Good day' }])],
        usage,
      }),
    ).toEqual({
      id: 'chatcmpl-9',
      object: 'chat.completion',
      created: 42,
      model: 'gpt-9',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Good day', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 15,
        prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 3,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
    });
  });

  it('is labelled by the request where the provider gives no labels, and tells no usage nobody told', () => {
    const answer = present({ choices: [choice([])] });
    expect(answer).toMatchObject({ id: 'chatcmpl-req_1', created: 1_700, model: 'asked-for' });
    expect(answer).not.toHaveProperty('usage');
  });

  it('numbers its choices, each with its own end and log probabilities', () => {
    const logprobs = { content: [] };
    const { choices } = present({
      choices: [
        choice([{ type: 'text', text: 'a' }], { finishReason: 'length' }),
        choice([{ type: 'text', text: 'b' }], { finishReason: 'content-filter', logprobs }),
        choice([], { finishReason: 'tool-calls' }),
      ],
    });
    expect(choices.map((each: Record<string, unknown>) => [each['index'], each['finish_reason']])).toEqual([
      [0, 'length'],
      [1, 'content_filter'],
      [2, 'tool_calls'],
    ]);
    expect(choices[1].logprobs).toEqual(logprobs);
  });

  it('joins texts, for a caller has one', () => {
    expect(messageOf({ type: 'text', text: 'response' }, { type: 'text', text: 'from' }).content).toBe('responsefrom');
  });

  it('has no content beside tool calls, and an empty one where there is nothing at all', () => {
    const call = { type: 'tool-call', id: 'call_a', name: 'look', arguments: '{}' } as const;
    expect(messageOf(call)).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [{ id: 'call_a', type: 'function', function: { name: 'look', arguments: '{}' } }],
    });
    expect(messageOf({ type: 'text', text: 'Wait' }, call)).toMatchObject({ content: 'Wait' });
    expect(messageOf()).toEqual({ role: 'assistant', content: '', refusal: null });
    expect(messageOf({ type: 'reasoning', text: 'Hm' }).content).toBe('');
  });

  it('gathers the remarks on its texts', () => {
    const remark = (index: number) => ({ type: 'url_citation', url_citation: { start_index: index } });
    const message = messageOf(
      { type: 'text', text: 'a', annotations: [remark(0), remark(1)] },
      { type: 'text', text: 'b', annotations: [remark(2)] },
    );
    expect(message.annotations).toEqual([remark(0), remark(1), remark(2)]);
    expect(messageOf({ type: 'text', text: 'a' })).not.toHaveProperty('annotations');
  });

  it('counts audio where the provider does', () => {
    const usage = {
      promptTokens: 10,
      cachedPromptTokens: 0,
      cacheWriteTokens: 0,
      completionTokens: 5,
      reasoningTokens: 0,
      audioPromptTokens: 4,
      audioCompletionTokens: 2,
      source: 'final',
    } as const;
    expect(present({ choices: [choice([])], usage }).usage).toMatchObject({
      prompt_tokens_details: { audio_tokens: 4 },
      completion_tokens_details: { audio_tokens: 2 },
    });
  });

  it('tells a refusal as one', () => {
    expect(messageOf({ type: 'refusal', text: 'I ' }, { type: 'refusal', text: 'cannot' })).toEqual({
      role: 'assistant',
      content: null,
      refusal: 'I cannot',
    });
  });

  it('gives out the state of a tool call under the name of its issuer', () => {
    const state = { issuer: 'clouds', value: 'c2ln' };
    const { tool_calls: calls } = messageOf({ type: 'tool-call', id: 'a', name: 'look', arguments: '{}', state });
    expect(calls[0].extra_content).toEqual({ clouds: { state: 'c2ln' } });
  });

  it('tells reasoning as text, and its state in details', () => {
    const state = (value: string) => ({ issuer: 'clouds', value });
    const message = messageOf(
      { type: 'reasoning', text: 'One. ', state: state('s1') },
      { type: 'reasoning', text: '', state: state('hidden') },
      { type: 'reasoning', text: 'Two.' },
    );
    expect(message).toMatchObject({
      reasoning_content: 'One. Two.',
      reasoning_details: [
        { type: 'reasoning', text: 'One. ', issuer: 'clouds', state: 's1' },
        { type: 'reasoning', text: '', issuer: 'clouds', state: 'hidden' },
      ],
    });
  });

  it('has no empty reasoning', () => {
    const state = { issuer: 'clouds', value: 'hidden' };
    expect(messageOf({ type: 'reasoning', text: '', state })).not.toHaveProperty('reasoning_content');
    expect(messageOf({ type: 'reasoning', text: 'a' })).not.toHaveProperty('reasoning_details');
  });
});
