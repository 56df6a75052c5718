import type Anthropic from '@anthropic-ai/sdk';
import type { FinishReason } from '../../src/contract/chat-response.js';
import type { JsonObject } from '../../src/contract/json.js';
import type { FakeRecord } from '../support/fake-upstream.ts';
import type { OracleAnswer, SeenChat, SeenTurn } from './provider-harness.ts';

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as an object; empty where it is none. */
export function object(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function joinedText(blocks: readonly JsonObject[]): string {
  return blocks.map(({ text }) => (typeof text === 'string' ? text : '')).join('');
}

/** A Messages request as it went over the wire. */
export function seen(record: FakeRecord): SeenChat {
  const body = object(record.json);
  const choice = object(body['tool_choice']);
  const tools = objects(body['tools']);
  const names = { any: 'required', auto: 'auto', none: 'none', tool: `tool:${choice['name'] as string}` };
  const name = names[choice['type'] as keyof typeof names];
  // A schema is either native or the input of the tool that is forced.
  const format = object(object(body['output_config'])['format']);
  const forced = tools.find((tool) => tool['name'] === choice['name']);
  return {
    system: joinedText(objects(body['system'])),
    turns: objects(body['messages']).map(seenTurn),
    ...(tools.length === 0 ? {} : { tools: tools.map(seenTool) }),
    ...(name === undefined ? {} : { toolChoice: name }),
    maxOutputTokens: body['max_tokens'] as number,
    temperature: body['temperature'] as number | undefined,
    topP: body['top_p'] as number | undefined,
    stop: body['stop_sequences'] as string[] | undefined,
    schema: format['schema'] ?? forced?.['input_schema'],
  };
}

function seenTool({ name, description, input_schema }: JsonObject): NonNullable<SeenChat['tools']>[number] {
  return {
    name: name as string,
    ...(description === undefined ? {} : { description: description as string }),
    parameters: input_schema,
  };
}

function seenTurn({ role, content }: JsonObject): SeenTurn {
  const blocks = objects(content);
  const images = blocks
    .filter(({ type }) => type === 'image')
    .map(({ source }) => (object(source)['media_type'] ?? object(source)['url']) as string);
  const calls = blocks
    .filter(({ type }) => type === 'tool_use')
    .map(({ name, input }) => ({ name: name as string, arguments: input }));
  const results = blocks
    .filter(({ type }) => type === 'tool_result')
    .map((block) => joinedText(objects(block['content'])));
  return {
    role: role === 'user' && results.length > 0 ? 'tool' : (role as SeenTurn['role']),
    text: joinedText(blocks),
    ...(images.length > 0 ? { images } : {}),
    ...(calls.length > 0 ? { toolCalls: calls } : {}),
    ...(results.length > 0 ? { toolResults: results } : {}),
  };
}

const REASONS: Readonly<Record<string, FinishReason>> = {
  max_tokens: 'length',
  tool_use: 'tool-calls',
  refusal: 'content-filter',
};

/** What the SDK's message says. */
export function fromSdk({ content, stop_reason: reason, usage }: Anthropic.Message): OracleAnswer {
  const cachedPromptTokens = usage.cache_read_input_tokens ?? 0;
  const cacheWriteTokens = usage.cache_creation_input_tokens ?? 0;
  return {
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    toolCalls: content.flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, arguments: block.input }] : [],
    ),
    finishReason: REASONS[reason ?? ''] ?? 'stop',
    usage: {
      promptTokens: usage.input_tokens + cachedPromptTokens + cacheWriteTokens,
      cachedPromptTokens,
      cacheWriteTokens,
      completionTokens: usage.output_tokens,
      reasoningTokens: 0,
    },
  };
}
