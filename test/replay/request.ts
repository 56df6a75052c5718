import type OpenAI from 'openai';
import { isRecord, type Json, type JsonRecord, type Recording, type ReplayProvider } from './recording.ts';

type Message = OpenAI.ChatCompletionMessageParam;
type Tool = OpenAI.ChatCompletionFunctionTool;
export type ChatBody = Omit<OpenAI.ChatCompletionCreateParams, 'model' | 'stream'>;
export type EmbeddingsBody = Omit<OpenAI.EmbeddingCreateParams, 'model'>;

/**
 * The recorded request in OpenAI's words: turns, tools and calls. It need not say all the original did, since the
 * recorded answer comes whatever is asked.
 */
export function chatBody({ provider, request }: Recording): ChatBody {
  const body = isRecord(request) ? request : {};
  if (isOpenAIWire(provider)) {
    const { model: _model, stream: _stream, ...rest } = body;
    return rest as unknown as ChatBody;
  }
  const { messages, tools } = CONVERSATIONS[provider](body);
  const hasUser = messages.some(({ role }) => role === 'user');
  return {
    messages: hasUser ? messages : [...messages, { role: 'user', content: 'Hello' }],
    ...(tools.length > 0 ? { tools } : {}),
  };
}

export function embeddingsBody({ provider, request }: Recording): EmbeddingsBody {
  const body = isRecord(request) ? request : {};
  if (isOpenAIWire(provider)) {
    const { model: _model, ...rest } = body;
    return rest as unknown as EmbeddingsBody;
  }
  if (provider === 'gemini') {
    const entries = Array.isArray(body['requests']) ? records(body['requests']) : [body];
    return { input: entries.map((entry) => partsText(record(entry['content'])['parts'])) };
  }
  if (provider === 'vertex') return { input: records(body['instances']).map(({ content }) => string(content)) };
  const params = record(body['singleEmbeddingParams']);
  const dimensions = params['embeddingDimension'] ?? body['dimensions'];
  return {
    input: string(record(params['text'])['value'] ?? body['inputText'] ?? 'Hello'),
    ...(typeof dimensions === 'number' ? { dimensions } : {}),
  };
}

/** Whose recorded requests are in OpenAI's words already. */
function isOpenAIWire(provider: ReplayProvider): provider is 'azure' | 'compat' | 'openai' {
  return provider === 'azure' || provider === 'compat' || provider === 'openai';
}

const CONVERSATIONS = {
  anthropic: fromAnthropic,
  bedrock: fromBedrock,
  gemini: fromGemini,
  vertex: (body: JsonRecord): Conversation => ('contents' in body ? fromGemini(body) : fromAnthropic(body)),
} as const;

interface Conversation {
  readonly messages: Message[];
  readonly tools: Tool[];
}

function record(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

function records(value: unknown): JsonRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function systemMessage(content: string): Message[] {
  return content === '' ? [] : [{ role: 'system', content }];
}

function functionTool(tool: { name: Json | undefined; description: Json | undefined; parameters: unknown }): Tool {
  const { name, description, parameters } = tool;
  const schema = isRecord(parameters) ? { parameters: parameters as Record<string, unknown> } : {};
  const described = string(description) === '' ? {} : { description: string(description) };
  return { type: 'function', function: { name: string(name), ...described, ...schema } };
}

function assistantMessage(content: string, calls: readonly { id: string; name: string; input: unknown }[]): Message[] {
  if (content === '' && calls.length === 0) return [];
  const toolCalls = calls.map(({ id, name, input }) => ({
    id,
    type: 'function' as const,
    function: { name, arguments: JSON.stringify(input ?? {}) },
  }));
  return [{ role: 'assistant', content: content || null, ...(calls.length > 0 ? { tool_calls: toolCalls } : {}) }];
}

function fromAnthropic(body: JsonRecord): Conversation {
  const messages = records(body['messages']).flatMap(anthropicTurn);
  const tools = records(body['tools'])
    .filter((tool) => tool['input_schema'] !== undefined)
    .map((tool) =>
      functionTool({ name: tool['name'], description: tool['description'], parameters: tool['input_schema'] }),
    );
  return { messages: [...systemMessage(joined(body['system'])), ...messages], tools };
}

/** Text as a string or as blocks. */
function joined(content: unknown): string {
  return typeof content === 'string'
    ? content
    : records(content)
        .map((block) => string(block['text']))
        .join('');
}

function anthropicTurn({ role, content }: JsonRecord): Message[] {
  const blocks = records(content);
  const text = joined(content);
  if (role === 'system') return systemMessage(text);
  if (role === 'assistant') {
    const calls = blocks
      .filter(({ type }) => type === 'tool_use')
      .map(({ id, name, input }) => ({ id: string(id), name: string(name), input }));
    const turn = assistantMessage(text, calls);
    const details = blocks.flatMap(anthropicReasoning);
    return details.length === 0 ? turn : turn.map((message) => ({ ...message, reasoning_details: details }));
  }
  const results = blocks
    .filter(({ type }) => type === 'tool_result')
    .map(({ tool_use_id: id, content: told }): Message => ({
      role: 'tool',
      tool_call_id: string(id),
      content: joined(told),
    }));
  const images = blocks.flatMap(anthropicImage);
  if (images.length > 0)
    return [...results, { role: 'user', content: [{ type: 'text', text: text || 'See.' }, ...images] }];
  return text === '' ? results : [...results, { role: 'user', content: text }];
}

/** Thinking as the gateway gives it out and takes it back. */
function anthropicReasoning({ type, thinking, signature, data }: JsonRecord): object[] {
  const told = { type: 'reasoning', issuer: 'anthropic-signature' };
  if (type === 'thinking') return [{ ...told, text: string(thinking), state: `s:${string(signature)}` }];
  return type === 'redacted_thinking' ? [{ ...told, state: `r:${string(data)}` }] : [];
}

function anthropicImage({ type, source }: JsonRecord): OpenAI.ChatCompletionContentPartImage[] {
  const { url, media_type: mediaType, data } = record(source);
  if (type !== 'image') return [];
  const address = url === undefined ? `data:${string(mediaType)};base64,${string(data)}` : string(url);
  return string(url ?? data) === '' ? [] : [{ type: 'image_url', image_url: { url: address } }];
}

function fromBedrock(body: JsonRecord): Conversation {
  const messages = records(body['messages']).flatMap((message) => bedrockTurn(message));
  const system = records(body['system']).map((block) => string(block['text']));
  const tools = records(record(body['toolConfig'])['tools']).flatMap(({ toolSpec }) => {
    if (!isRecord(toolSpec)) return [];
    const parameters = record(toolSpec['inputSchema'])['json'];
    return [functionTool({ name: toolSpec['name'], description: toolSpec['description'], parameters })];
  });
  return { messages: [...systemMessage(system.join('\n')), ...messages], tools };
}

function bedrockTurn(message: JsonRecord): Message[] {
  const blocks = records(message['content']);
  const content = blocks.map((block) => string(block['text'])).join('');
  if (message['role'] === 'assistant') {
    const calls = blocks.flatMap(({ toolUse }) =>
      isRecord(toolUse)
        ? [{ id: string(toolUse['toolUseId']), name: string(toolUse['name']), input: toolUse['input'] }]
        : [],
    );
    return assistantMessage(content, calls);
  }
  const results = blocks.flatMap(({ toolResult }): Message[] => {
    if (!isRecord(toolResult)) return [];
    const told = records(toolResult['content']).map((block) => string(block['text']) || JSON.stringify(block));
    return [{ role: 'tool', tool_call_id: string(toolResult['toolUseId']), content: told.join('') }];
  });
  return content === '' ? results : [...results, { role: 'user', content }];
}

/** Recorded bodies write their keys in camel or snake case. */
function either(holder: JsonRecord, camel: string): unknown {
  return holder[camel] ?? holder[camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

function partsText(parts: unknown): string {
  return records(parts)
    .filter((part) => part['thought'] !== true)
    .map((part) => string(part['text']))
    .join('');
}

function fromGemini(body: JsonRecord): Conversation {
  const calls = new CallIds();
  const messages = records(body['contents']).flatMap((content) => geminiTurn(content, calls));
  const toolGroups = isRecord(body['tools']) ? [body['tools']] : records(body['tools']);
  const tools = toolGroups.flatMap((group) =>
    records(either(group, 'functionDeclarations')).map((declared) => {
      const parameters = either(declared, 'parametersJsonSchema');
      return functionTool({ name: declared['name'], description: declared['description'], parameters });
    }),
  );
  return { messages: [...systemMessage(partsText(record(body['systemInstruction'])['parts'])), ...messages], tools };
}

/** Gives calls without id one, and finds it again for their results. */
class CallIds {
  private readonly open: { readonly id: string; readonly name: string }[] = [];
  private made = 0;

  of(call: JsonRecord): string {
    const id = string(call['id']) || `call_${(this.made += 1)}`;
    this.open.push({ id, name: string(call['name']) });
    return id;
  }

  take(result: JsonRecord): string | undefined {
    const at = this.open.findIndex(({ id, name }) => id === result['id'] || name === result['name']);
    return at < 0 ? undefined : this.open.splice(at, 1)[0]?.id;
  }
}

function geminiTurn(content: JsonRecord, calls: CallIds): Message[] {
  const parts = records(content['parts']);
  const text = partsText(parts);
  if (content['role'] === 'model') {
    const made = parts.flatMap((part) => {
      const call = either(part, 'functionCall');
      return isRecord(call) ? [{ id: calls.of(call), name: string(call['name']), input: call['args'] }] : [];
    });
    return assistantMessage(text, made);
  }
  const results = parts.flatMap((part): Message[] => {
    const result = either(part, 'functionResponse');
    const id = isRecord(result) ? calls.take(result) : undefined;
    if (!isRecord(result) || id === undefined) return [];
    return [{ role: 'tool', tool_call_id: id, content: JSON.stringify(result['response'] ?? {}) }];
  });
  return text === '' ? results : [...results, { role: 'user', content: text }];
}
