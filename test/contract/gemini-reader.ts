import type { GenerateContentResponse } from '@google/generative-ai';
import type { FinishReason } from '../../src/contract/chat-response.js';
import type { JsonObject } from '../../src/contract/json.js';
import type { FakeRecord } from '../support/fake-upstream.ts';
import type { OracleAnswer, SeenChat, SeenTurn } from './provider-harness.ts';

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** A value as an object; empty where it is none. */
export function object(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function joinedText(parts: readonly JsonObject[]): string {
  return parts.map(({ text }) => (typeof text === 'string' ? text : '')).join('');
}

/** A generateContent request as it went over the wire. */
export function seen(record: FakeRecord): SeenChat {
  const body = object(record.json);
  const config = object(body['generationConfig']);
  const tools = objects(objects(body['tools'])[0]?.['functionDeclarations']);
  return {
    system: joinedText(objects(object(body['systemInstruction'])['parts'])),
    turns: objects(body['contents']).map(seenTurn),
    ...(tools.length === 0 ? {} : { tools: tools.map(seenTool) }),
    ...seenToolChoice(body),
    maxOutputTokens: config['maxOutputTokens'] as number | undefined,
    temperature: config['temperature'] as number | undefined,
    topP: config['topP'] as number | undefined,
    stop: config['stopSequences'] as string[] | undefined,
    seed: config['seed'] as number | undefined,
    schema: config['responseJsonSchema'],
  };
}

function seenTool(tool: JsonObject): NonNullable<SeenChat['tools']>[number] {
  const { name, description, parametersJsonSchema } = tool;
  return {
    name: name as string,
    ...(description === undefined ? {} : { description: description as string }),
    ...(parametersJsonSchema === undefined ? {} : { parameters: parametersJsonSchema }),
  };
}

function seenToolChoice(body: JsonObject): { toolChoice?: string } {
  const { mode, allowedFunctionNames: names } = object(object(body['toolConfig'])['functionCallingConfig']);
  if (mode === undefined) return {};
  if (Array.isArray(names)) return { toolChoice: `tool:${(names as string[]).join(',')}` };
  return { toolChoice: { AUTO: 'auto', VALIDATED: 'auto', NONE: 'none', ANY: 'required' }[mode as string] };
}

function seenTurn(content: JsonObject): SeenTurn {
  const parts = objects(content['parts']);
  const results = parts.flatMap(({ functionResponse }) => {
    const { output, error } = object(object(functionResponse)['response']);
    return output === undefined && error === undefined ? [] : [(output ?? error) as string];
  });
  const calls = parts.flatMap(({ functionCall }) =>
    isJsonObject(functionCall) ? [{ name: functionCall['name'] as string, arguments: functionCall['args'] }] : [],
  );
  const images = parts.flatMap(({ inlineData, fileData }) => {
    if (isJsonObject(inlineData)) return [inlineData['mimeType'] as string];
    return isJsonObject(fileData) ? [fileData['fileUri'] as string] : [];
  });
  const role = content['role'] === 'model' ? 'assistant' : results.length > 0 ? 'tool' : 'user';
  return {
    role,
    text: joinedText(parts),
    ...(images.length > 0 ? { images } : {}),
    ...(calls.length > 0 ? { toolCalls: calls } : {}),
    ...(results.length > 0 ? { toolResults: results } : {}),
  };
}

const ORACLE_REASONS: Readonly<Record<string, FinishReason>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content-filter',
};

/** What the SDK's answers, or the chunks of its stream, say. */
export function oracleAnswer(chunks: readonly GenerateContentResponse[]): OracleAnswer {
  const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content.parts ?? []);
  const said = parts.filter((part) => !('thought' in part));
  const toolCalls = said.flatMap(({ functionCall }) =>
    functionCall === undefined ? [] : [{ name: functionCall.name, arguments: functionCall.args }],
  );
  const reason = ORACLE_REASONS[chunks.at(-1)?.candidates?.[0]?.finishReason ?? ''] ?? 'stop';
  const told = chunks.at(-1)?.usageMetadata;
  const thoughts = (told as { thoughtsTokenCount?: number } | undefined)?.thoughtsTokenCount ?? 0;
  return {
    text: said.map((part) => part.text ?? '').join(''),
    toolCalls,
    finishReason: reason === 'stop' && toolCalls.length > 0 ? 'tool-calls' : reason,
    ...(told === undefined
      ? {}
      : {
          usage: {
            promptTokens: told.promptTokenCount,
            cachedPromptTokens: told.cachedContentTokenCount ?? 0,
            cacheWriteTokens: 0,
            completionTokens: told.candidatesTokenCount + thoughts,
            reasoningTokens: thoughts,
          },
        }),
  };
}
