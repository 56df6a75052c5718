import type { OpenAI } from 'openai';
import type {
  AssistantPart,
  FilePart,
  MediaSource,
  Message,
  ReasoningPart,
  ToolResultPart,
  UserPart,
} from '../../contract/chat-request.js';
import type { Warn, WireFlavour } from './openai-wire.flavour.js';
import type { WireMessage } from './openai-wire.types.js';

type WirePart = OpenAI.ChatCompletionContentPart;

/** What becomes of a cache breakpoint on this wire. */
export const CACHE_DETAIL = 'the provider chooses what it caches';

/** Where a part stands in the canonical request, for warnings. */
interface Place {
  readonly field: string;
  readonly warn: Warn;
  readonly reasoningField: WireFlavour['reasoningField'] | undefined;
}

/** The turns of a conversation, one wire message each. */
export function toWireMessages(messages: readonly Message[], options: Omit<Place, 'field'>): WireMessage[] {
  return messages.map((message, index) => toWireMessage(message, { ...options, field: `messages[${index}]` }));
}

function toWireMessage(message: Message, place: Place): WireMessage {
  switch (message.role) {
    case 'system':
      warnOfCaches(message.content, place);
      return { role: 'system', content: textContent(message.content.map(({ text }) => text)) };
    case 'user':
      return { role: 'user', content: userContent(message.content, place), ...named(message.name) };
    case 'assistant':
      return { role: 'assistant', ...assistantContent(message.content, place), ...named(message.name) };
    case 'tool':
      warnOfCaches([message, ...message.content], place);
      if (message.isError === true) drop(place, '.isError', 'a tool result has no error mark');
      return { role: 'tool', tool_call_id: message.toolCallId, content: toolContent(message.content, place) };
  }
}

function named(name: string | undefined): { name?: string } {
  return name === undefined ? {} : { name };
}

/** One text as a string, several as parts, so that their borders stay. */
function textContent(texts: readonly string[]): string | { type: 'text'; text: string }[] {
  const [first = ''] = texts;
  return texts.length <= 1 ? first : texts.map((text) => ({ type: 'text', text }));
}

function userContent(parts: readonly UserPart[], place: Place): string | WirePart[] {
  warnOfCaches(parts, place);
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  if (texts.length === parts.length) return textContent(texts);
  return parts.flatMap((part, index) => toWirePart(part, { ...place, field: `${place.field}.content[${index}]` }));
}

function toWirePart(part: UserPart, place: Place): WirePart[] {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text }];
    case 'image': {
      const url = addressOf(part.source);
      return [{ type: 'image_url', image_url: part.detail === undefined ? { url } : { url, detail: part.detail } }];
    }
    case 'audio': {
      const format = part.source.type === 'base64' ? audioFormat(part.source.mediaType) : undefined;
      if (part.source.type === 'url' || format === undefined) {
        drop(place, '', 'audio is taken inline, as wav or mp3');
        return [];
      }
      return [{ type: 'input_audio', input_audio: { data: part.source.data, format } }];
    }
    case 'file':
      return toWireFile(part, place);
  }
}

function toWireFile({ source, filename, citations }: FilePart, place: Place): WirePart[] {
  if (citations === true) drop(place, '.citations', 'files are not cited');
  if (source.type === 'url') {
    drop(place, '', 'files are taken inline, not by address');
    return [];
  }
  const name = filename === undefined ? {} : { filename };
  return [{ type: 'file', file: { file_data: addressOf(source), ...name } }];
}

function assistantContent(
  parts: readonly AssistantPart[],
  place: Place,
): Pick<OpenAI.ChatCompletionAssistantMessageParam, 'content' | 'refusal' | 'tool_calls'> {
  warnOfCaches(parts, place);
  const texts: string[] = [];
  const refusals: string[] = [];
  let reasoning = '';
  const calls: OpenAI.ChatCompletionMessageFunctionToolCall[] = [];
  parts.forEach((part, index) => {
    const field = `.content[${index}]`;
    if (part.type === 'text') texts.push(part.text);
    else if (part.type === 'refusal') refusals.push(part.text);
    else if (part.type === 'reasoning') reasoning += reasoningText(part, { ...place, field: place.field + field });
    else {
      if (part.state !== undefined) drop(place, `${field}.state`, 'the state belongs to another provider');
      // Old turns of other providers may carry no arguments; the wire wants JSON.
      const { id, name } = part;
      calls.push({
        id,
        type: 'function',
        function: { name, arguments: part.arguments === '' ? '{}' : part.arguments },
      });
    }
  });
  const isSilent = texts.length === 0 && (calls.length > 0 || refusals.length > 0);
  return {
    content: isSilent ? null : textContent(texts),
    ...(refusals.length === 0 ? {} : { refusal: refusals.join('') }),
    ...(reasoning === '' || place.reasoningField === undefined ? {} : { [place.reasoningField]: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

/** The text of earlier reasoning where a field takes it; state is of use to its issuer alone. */
function reasoningText({ text, state }: ReasoningPart, place: Place): string {
  if (place.reasoningField === undefined) drop(place, '', 'earlier reasoning is not taken back');
  else if (state !== undefined) drop(place, text === '' ? '' : '.state', 'the state belongs to another provider');
  return text;
}

/** Breakpoints are reported once a message. */
function warnOfCaches(holders: readonly object[], { field, warn }: Place): void {
  for (const holder of holders) {
    if (!('cache' in holder) || holder.cache === undefined) continue;
    warn({ field: `${field}.cache`, kind: 'approximated', detail: CACHE_DETAIL });
    return;
  }
}

function toolContent(parts: readonly ToolResultPart[], place: Place): ReturnType<typeof textContent> {
  const texts: string[] = [];
  parts.forEach((part, index) => {
    if (part.type === 'text') texts.push(part.text);
    else drop(place, `.content[${index}]`, 'a tool result holds text alone');
  });
  return textContent(texts);
}

function addressOf(source: MediaSource): string {
  return source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
}

const AUDIO_FORMATS: Readonly<Record<string, 'wav' | 'mp3'>> = {
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
  'audio/mp3': 'mp3',
  'audio/mpeg': 'mp3',
};

function audioFormat(mediaType: string): 'wav' | 'mp3' | undefined {
  return AUDIO_FORMATS[mediaType.toLowerCase()];
}

function drop({ field, warn }: Place, suffix: string, detail: string): void {
  warn({ field: `${field}${suffix}`, kind: 'dropped', detail });
}
