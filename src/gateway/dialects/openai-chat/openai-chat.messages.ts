import type {
  AssistantPart,
  CacheBreakpoint,
  FilePart,
  ImagePart,
  MediaSource,
  Message,
  ProviderState,
  TextPart,
  UserPart,
} from '../../../contract/chat-request.js';
import { invalidValue } from '../fields.js';
import type { WireCacheControl, WireMessage, WireToolCall, WireUserPart } from './openai-chat.schema.js';

/** Audio formats whose media type is not their name. */
const AUDIO_TYPES: Readonly<Record<string, string>> = { mp3: 'audio/mpeg' };

const isBase64 = (text: string): boolean => text.length > 0 && /^[A-Za-z0-9+/_-]+={0,2}$/.test(text);

/** A data URL as inline bytes, any other URL as an address. Throws `invalid_value` for a broken data URL. */
function mediaSource(url: string, param: string): MediaSource {
  if (!url.startsWith('data:')) return { type: 'url', url };
  const comma = url.indexOf(',');
  const head = comma < 0 ? '' : url.slice(5, comma);
  const data = comma < 0 ? '' : url.slice(comma + 1);
  const mediaType = head.split(';')[0] ?? '';
  if (!head.endsWith(';base64') || !mediaType.includes('/') || !isBase64(data)) {
    throw invalidValue(param, 'Write inline data as "data:<media type>;base64,<data>".');
  }
  return { type: 'base64', mediaType, data };
}

/** A breakpoint as the contract has it; kinds other than "ephemeral" and unknown lifetimes mean none and the default. */
export function cachePoint(control: WireCacheControl): { cache?: CacheBreakpoint } {
  if (control?.type !== 'ephemeral') return {};
  const { ttl } = control;
  return { cache: ttl === '5m' || ttl === '1h' ? { ttl } : {} };
}

/** A message's own breakpoint stands after its last part, unless that has one. */
function withMessageCache<Part extends object>(parts: Part[], control: WireCacheControl): Part[] {
  const last = parts.at(-1);
  const point = cachePoint(control);
  if (last === undefined || point.cache === undefined || 'cache' in last) return parts;
  return [...parts.slice(0, -1), { ...last, ...point }];
}

function toUserPart(part: WireUserPart, param: string): UserPart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text, ...cachePoint(part.cache_control) };
    case 'image_url': {
      const { url, detail } = part.image_url;
      const source = mediaSource(url, `${param}.image_url.url`);
      return { type: 'image', source, ...(detail === undefined ? {} : { detail }), ...cachePoint(part.cache_control) };
    }
    case 'input_audio': {
      const mediaType = AUDIO_TYPES[part.input_audio.format] ?? `audio/${part.input_audio.format}`;
      return { type: 'audio', source: { type: 'base64', mediaType, data: part.input_audio.data } };
    }
    case 'file':
      return { ...toFilePart(part.file, `${param}.file`), ...cachePoint(part.cache_control) };
  }
}

/** Media types of files that come as bare base64, by the ending of their names; a file without one is taken for a PDF. */
const FILE_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  html: 'text/html',
  md: 'text/markdown',
  txt: 'text/plain',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

function mediaTypeOf(filename = ''): string {
  return FILE_TYPES[filename.slice(filename.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/pdf';
}

type WireFile = Extract<WireUserPart, { type: 'file' }>['file'];

function toFilePart(file: WireFile, param: string): FilePart {
  if (file.file_data === undefined) {
    throw invalidValue(param, 'Send the file inline in "file_data"; uploaded file ids are not known to this model.');
  }
  const source = isBase64(file.file_data)
    ? ({ type: 'base64', mediaType: mediaTypeOf(file.filename), data: file.file_data } as const)
    : mediaSource(file.file_data, `${param}.file_data`);
  return {
    type: 'file',
    source,
    ...(file.filename === undefined ? {} : { filename: file.filename }),
    ...(file.citations ? { citations: file.citations.enabled } : {}),
  };
}

function userParts(content: string | readonly WireUserPart[], param: string): UserPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content.map((part, index) => toUserPart(part, `${param}[${index}]`));
}

function toolResultParts(
  content: string | readonly WireUserPart[],
  param: string,
): (TextPart | ImagePart | FilePart)[] {
  return userParts(content, param).map((part, index) => {
    if (part.type === 'audio') throw invalidValue(`${param}[${index}]`, 'A tool result cannot hold audio.');
    return part;
  });
}

type WireText = Extract<WireUserPart, { type: 'text' }>;

const textPart = ({ text, cache_control: control }: WireText): TextPart => ({
  type: 'text',
  text,
  ...cachePoint(control),
});

function instructionParts(content: string | readonly WireText[]): TextPart[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content.map(textPart);
}

function toolCallState(call: WireToolCall): ProviderState | undefined {
  for (const [issuer, holder] of Object.entries(call.extra_content ?? {})) {
    if (holder.state !== undefined) return { issuer, value: holder.state };
  }
  return undefined;
}

function toolCallPart(call: WireToolCall): AssistantPart {
  const state = toolCallState(call);
  const part = {
    type: 'tool-call',
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
  } as const;
  return { ...part, ...(state === undefined ? {} : { state }), ...cachePoint(call.cache_control) };
}

type WireAssistant = Extract<WireMessage, { role: 'assistant' }>;

function reasoningParts(message: WireAssistant): AssistantPart[] {
  const details = message.reasoning_details ?? [];
  if (details.length === 0) {
    return message.reasoning_content ? [{ type: 'reasoning', text: message.reasoning_content }] : [];
  }
  return details.map(({ text = '', issuer, state }) => {
    if (issuer === undefined || state === undefined) return { type: 'reasoning', text };
    return { type: 'reasoning', text, state: { issuer, value: state } };
  });
}

function assistantParts(message: WireAssistant): AssistantPart[] {
  const parts = reasoningParts(message);
  if (typeof message.content === 'string') parts.push({ type: 'text', text: message.content });
  else {
    for (const part of message.content ?? []) {
      parts.push(part.type === 'text' ? textPart(part) : { type: 'refusal', text: part.refusal });
    }
  }
  if (message.refusal) parts.push({ type: 'refusal', text: message.refusal });
  for (const call of message.tool_calls ?? []) parts.push(toolCallPart(call));
  return parts;
}

const named = ({ name }: { name?: string }): { name?: string } => (name === undefined ? {} : { name });

/** One message of the wire as a turn. `param` is its path, for errors. */
export function toMessage(message: WireMessage, param: string): Message {
  const { cache_control: control } = message;
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: withMessageCache(instructionParts(message.content), control) };
    case 'user': {
      const content = withMessageCache(userParts(message.content, `${param}.content`), control);
      return { role: 'user', content, ...named(message) };
    }
    case 'assistant': {
      const content = withMessageCache(assistantParts(message), control);
      return { role: 'assistant', content, ...named(message) };
    }
    case 'tool':
      return {
        role: 'tool',
        toolCallId: message.tool_call_id,
        content: toolResultParts(message.content, `${param}.content`),
        ...(message.is_error ? { isError: true } : {}),
        ...cachePoint(control),
      };
  }
}
