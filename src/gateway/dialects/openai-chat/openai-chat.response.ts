import type { ProviderState } from '../../../contract/chat-request.js';
import type { ChatChoice, ChatResponse, FinishReason } from '../../../contract/chat-response.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../contract/json.js';
import type { PresentOptions } from '../dialect.js';
import { presentUsage } from './openai-usage.js';

/** Finish reasons as OpenAI writes them. */
export const FINISH_REASONS = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
} as const satisfies Record<FinishReason, string>;

/** Provider state on a tool call: under `extra_content`, by the name of its issuer. */
export function stateFields(state: ProviderState | undefined): object {
  return state === undefined ? {} : { extra_content: { [state.issuer]: { state: state.value } } };
}

/** One entry of `reasoning_details`, the place where reasoning state goes out and comes back. */
export function reasoningDetail(text: string, state: ProviderState): object {
  return { type: 'reasoning', text, issuer: state.issuer, state: state.value };
}

function presentMessage(choice: ChatChoice): object {
  const text: string[] = [];
  const reasoning: string[] = [];
  const refusal: string[] = [];
  const details: object[] = [];
  const toolCalls: object[] = [];
  const annotations: JsonValue[] = [];
  for (const block of choice.content) {
    switch (block.type) {
      case 'text':
        text.push(block.text);
        annotations.push(...(block.annotations ?? []));
        break;
      case 'refusal':
        refusal.push(block.text);
        break;
      case 'reasoning':
        if (block.text !== '') reasoning.push(block.text);
        if (block.state !== undefined) details.push(reasoningDetail(block.text, block.state));
        break;
      case 'tool-call':
        toolCalls.push({
          id: block.id,
          type: 'function',
          function: { name: block.name, arguments: block.arguments },
          ...stateFields(block.state),
        });
        break;
    }
  }
  const isSilent = toolCalls.length === 0 && refusal.length === 0;
  return {
    role: 'assistant',
    content: text.length > 0 || isSilent ? text.join('') : null,
    refusal: refusal.length > 0 ? refusal.join('') : null,
    ...(reasoning.length > 0 ? { reasoning_content: reasoning.join('') } : {}),
    ...(details.length > 0 ? { reasoning_details: details } : {}),
    ...(annotations.length > 0 ? { annotations } : {}),
    ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
  };
}

/** A whole answer as `chat.completion` (source: OpenAI API reference, "The chat completion object"). */
export function presentChat(response: ChatResponse, options: PresentOptions): string {
  return JSON.stringify({
    id: response.id ?? `chatcmpl-${options.requestId}`,
    object: 'chat.completion',
    created: response.createdSeconds ?? options.nowSeconds,
    model: response.model ?? options.model,
    choices: response.choices.map((choice, index) => ({
      index,
      message: presentMessage(choice),
      logprobs: choice.logprobs ?? null,
      finish_reason: FINISH_REASONS[choice.finishReason],
    })),
    ...(response.usage === undefined ? {} : { usage: presentUsage(response.usage) }),
  });
}

const textBytes = (value: unknown): number => (typeof value === 'string' ? Buffer.byteLength(value) : 0);

function messageBytes(message: JsonObject): number {
  const { content, refusal, reasoning_content: reasoning, tool_calls: calls } = message;
  let bytes = textBytes(content) + textBytes(refusal) + textBytes(reasoning);
  for (const call of Array.isArray(calls) ? calls : []) {
    const called = isJsonObject(call) ? call['function'] : undefined;
    if (isJsonObject(called)) bytes += textBytes(called['name']) + textBytes(called['arguments']);
  }
  return bytes;
}

/** UTF-8 bytes of what the model wrote in a `chat.completion`: text, refusals, reasoning and tool calls. */
export function generatedChatBytes(answer: string): number {
  const parsed: unknown = JSON.parse(answer);
  const choices = isJsonObject(parsed) ? parsed['choices'] : undefined;
  let bytes = 0;
  for (const choice of Array.isArray(choices) ? choices : []) {
    if (isJsonObject(choice) && isJsonObject(choice['message'])) bytes += messageBytes(choice['message']);
  }
  return bytes;
}
