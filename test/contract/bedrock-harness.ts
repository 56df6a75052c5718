import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  type ContentBlock,
  type ConverseCommandInput,
  type TokenUsage,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { FakeRecord } from '../support/fake-upstream.ts';
import type { OracleAnswer, SeenChat, SeenTurn } from './provider-harness.ts';

type Body = Omit<ConverseCommandInput, 'modelId'>;
type Finish = OracleAnswer['finishReason'];

const FINISH = new Map<string | undefined, Finish>([
  ['max_tokens', 'length'],
  ['tool_use', 'tool-calls'],
  ['content_filtered', 'content-filter'],
  ['guardrail_intervened', 'content-filter'],
]);

/** The pure SDK, as its users set it up: the oracle beside our path. */
export function pureClient(
  origin: string,
  keys: { accessKeyId: string; secretAccessKey: string },
): BedrockRuntimeClient {
  return new BedrockRuntimeClient({
    region: 'eu-central-1',
    endpoint: origin,
    credentials: { ...keys },
    authSchemePreference: ['sigv4'],
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler(),
  });
}

/** One user message through the SDK. */
export async function askOracle(client: BedrockRuntimeClient, modelId: string, prompt: string): Promise<OracleAnswer> {
  const answer = await client.send(new ConverseCommand({ modelId, ...question(prompt) }));
  const content = answer.output?.message?.content ?? [];
  return {
    text: content.map((block) => block.text ?? '').join(''),
    toolCalls: content.flatMap(({ toolUse }) =>
      toolUse === undefined ? [] : [{ name: toolUse.name ?? '', arguments: toolUse.input }],
    ),
    finishReason: FINISH.get(answer.stopReason) ?? 'stop',
    ...usageOf(answer.usage),
  };
}

/** One user message through the SDK's stream, read to its end. */
export async function streamOracle(
  client: BedrockRuntimeClient,
  modelId: string,
  prompt: string,
): Promise<OracleAnswer> {
  const { stream } = await client.send(new ConverseStreamCommand({ modelId, ...question(prompt) }));
  const calls: { name: string; json: string }[] = [];
  let text = '';
  let finishReason: Finish = 'stop';
  let usage: TokenUsage | undefined;
  for await (const event of stream ?? []) {
    const toolUse = event.contentBlockStart?.start?.toolUse;
    if (toolUse !== undefined) calls.push({ name: toolUse.name ?? '', json: '' });
    text += event.contentBlockDelta?.delta?.text ?? '';
    const call = calls.at(-1);
    if (call !== undefined) call.json += event.contentBlockDelta?.delta?.toolUse?.input ?? '';
    if (event.messageStop !== undefined) finishReason = FINISH.get(event.messageStop.stopReason) ?? 'stop';
    usage = event.metadata?.usage ?? usage;
  }
  const toolCalls = calls.map(({ name, json }) => ({ name, arguments: JSON.parse(json || '{}') as unknown }));
  return { text, toolCalls, finishReason, ...usageOf(usage) };
}

function question(prompt: string): Body {
  return { messages: [{ role: 'user', content: [{ text: prompt }] }] };
}

function usageOf(usage: TokenUsage | undefined): Pick<OracleAnswer, 'usage'> {
  if (usage === undefined) return {};
  const cachedPromptTokens = usage.cacheReadInputTokens ?? 0;
  const cacheWriteTokens = usage.cacheWriteInputTokens ?? 0;
  const promptTokens = (usage.inputTokens ?? 0) + cachedPromptTokens + cacheWriteTokens;
  const completionTokens = usage.outputTokens ?? 0;
  return { usage: { promptTokens, cachedPromptTokens, cacheWriteTokens, completionTokens, reasoningTokens: 0 } };
}

/** A request as the fake saw it, in no wire's words. */
export function seenChat(record: FakeRecord): SeenChat {
  const body = record.json as Body;
  const { inferenceConfig, toolConfig, outputConfig } = body;
  const tools = toolConfig?.tools?.flatMap(({ toolSpec }) =>
    toolSpec === undefined
      ? []
      : [
          {
            name: toolSpec.name ?? '',
            ...(toolSpec.description === undefined ? {} : { description: toolSpec.description }),
            parameters: toolSpec.inputSchema?.json,
          },
        ],
  );
  const schema = outputConfig?.textFormat?.structure?.jsonSchema?.schema;
  return {
    system: (body.system ?? []).map((block) => block.text ?? '').join(''),
    turns: (body.messages ?? []).map((message) => seenTurn(message.role, message.content ?? [])),
    ...(tools === undefined ? {} : { tools }),
    ...(toolConfig?.toolChoice === undefined ? {} : { toolChoice: seenChoice(toolConfig.toolChoice) }),
    ...(inferenceConfig?.maxTokens === undefined ? {} : { maxOutputTokens: inferenceConfig.maxTokens }),
    ...(inferenceConfig?.temperature === undefined ? {} : { temperature: inferenceConfig.temperature }),
    ...(inferenceConfig?.topP === undefined ? {} : { topP: inferenceConfig.topP }),
    ...(inferenceConfig?.stopSequences === undefined ? {} : { stop: inferenceConfig.stopSequences }),
    ...(schema === undefined ? {} : { schema: JSON.parse(schema) as unknown }),
  };
}

function seenChoice(choice: NonNullable<NonNullable<Body['toolConfig']>['toolChoice']>): string {
  if (choice.tool !== undefined) return `tool:${choice.tool.name ?? ''}`;
  return choice.any === undefined ? 'auto' : 'required';
}

function seenTurn(role: string | undefined, content: readonly ContentBlock[]): SeenTurn {
  const results = content.flatMap(({ toolResult }) =>
    toolResult === undefined ? [] : [(toolResult.content ?? []).map((part) => part.text ?? '').join('')],
  );
  const calls = content.flatMap(({ toolUse }) =>
    toolUse === undefined ? [] : [{ name: toolUse.name ?? '', arguments: toolUse.input }],
  );
  const images = content.flatMap(({ image }) => (image === undefined ? [] : [`image/${image.format ?? ''}`]));
  const text = content.map((block) => block.text ?? '').join('');
  const isTool = results.length > 0 && text === '';
  return {
    role: isTool ? 'tool' : role === 'assistant' ? 'assistant' : 'user',
    text,
    ...(images.length === 0 ? {} : { images }),
    ...(calls.length === 0 ? {} : { toolCalls: calls }),
    ...(results.length === 0 ? {} : { toolResults: results }),
  };
}

/** A body on the wire as the SDK's command takes it: base64 becomes bytes. */
export function commandInput(body: unknown): Body {
  return JSON.parse(JSON.stringify(body), (key: string, value: unknown) => {
    const isBytes = (key === 'bytes' || key === 'redactedContent') && typeof value === 'string';
    return isBytes ? Uint8Array.from(Buffer.from(value, 'base64')) : value;
  }) as Body;
}
