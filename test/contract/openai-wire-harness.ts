import type { OpenAI } from 'openai';
import type { FinishReason } from '../../src/contract/chat-response.js';
import type { FakeRecord } from '../support/fake-upstream.ts';
import { declared } from './capabilities.ts';
import type { Feature, OracleAnswer, SeenChat, SeenTurn } from './provider-harness.ts';

/** What the wire itself has a word for. */
export const OPENAI_WIRE_FEATURES: ReadonlySet<Feature> = declared('openai').features;

interface WireMessage {
  readonly role: SeenTurn['role'] | 'developer';
  readonly content: string | null | readonly { type: string; text?: string; image_url?: { url: string } }[];
  readonly tool_calls?: readonly { function: { name: string; arguments: string } }[];
}

/** A chat request of OpenAI's wire, as it came. */
export function seenOnWire(record: FakeRecord): SeenChat {
  const body = record.json as Omit<OpenAI.ChatCompletionCreateParams, 'messages'> & { messages: WireMessage[] };
  const system = body.messages.filter(({ role }) => role === 'system' || role === 'developer');
  const choice = body.tool_choice;
  const format = body.response_format;
  const limit = body.max_completion_tokens ?? body.max_tokens;
  const seed = body.seed ?? (body as { random_seed?: unknown }).random_seed;
  return {
    system: system.map(textOf).join(''),
    turns: body.messages.filter(({ role }) => role !== 'system' && role !== 'developer').map(turnOf),
    ...(body.tools && { tools: body.tools.flatMap((tool) => (tool.type === 'function' ? [tool.function] : [])) }),
    ...(choice && { toolChoice: typeof choice === 'string' ? choice : `tool:${nameOf(choice)}` }),
    ...(typeof limit === 'number' && { maxOutputTokens: limit }),
    ...(typeof body.temperature === 'number' && { temperature: body.temperature }),
    ...(typeof body.top_p === 'number' && { topP: body.top_p }),
    ...(Array.isArray(body.stop) && { stop: body.stop }),
    ...(typeof seed === 'number' && { seed }),
    ...(format?.type === 'json_schema' && { schema: format.json_schema.schema }),
  };
}

function nameOf(choice: object): string {
  return (choice as { function?: { name?: string } }).function?.name ?? '';
}

function textOf({ content }: WireMessage): string {
  if (content === null) return '';
  return typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('');
}

function turnOf(message: WireMessage): SeenTurn {
  if (message.role === 'tool') return { role: 'tool', text: '', toolResults: [textOf(message)] };
  const parts = typeof message.content === 'string' || message.content === null ? [] : message.content;
  const images = parts.flatMap(({ image_url: image }) => (image === undefined ? [] : [mediaOf(image.url)]));
  const calls = message.tool_calls?.map(({ function: { name, arguments: json } }) => ({
    name,
    arguments: JSON.parse(json),
  }));
  return {
    role: message.role === 'developer' ? 'system' : message.role,
    text: textOf(message),
    ...(images.length > 0 && { images }),
    ...(calls && { toolCalls: calls }),
  };
}

function mediaOf(url: string): string {
  return /^data:([^;]+);base64,/.exec(url)?.[1] ?? url;
}

const REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  content_filter: 'content-filter',
};

/** A completion as the official SDK tells it. */
export function fromSdk({ choices, usage }: OpenAI.ChatCompletion): OracleAnswer {
  const [choice] = choices;
  const calls = choice?.message.tool_calls ?? [];
  return {
    text: choice?.message.content ?? '',
    toolCalls: calls.flatMap((call) =>
      call.type === 'function' ? [{ name: call.function.name, arguments: JSON.parse(call.function.arguments) }] : [],
    ),
    finishReason: REASONS[choice?.finish_reason ?? ''] ?? 'stop',
    ...(usage && {
      usage: {
        promptTokens: usage.prompt_tokens,
        completionTokens: usage.completion_tokens,
        cachedPromptTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
        cacheWriteTokens: 0,
        reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
      },
    }),
  };
}
