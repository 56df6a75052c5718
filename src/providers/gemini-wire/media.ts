import type { AudioPart, FilePart, ImagePart, MediaSource } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import type { GeminiPart } from './wire.js';

const BY_EXTENSION: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  mov: 'video/mov',
  webm: 'video/webm',
};

/** What is assumed of an address that tells nothing; the provider wants a type beside it. */
const DEFAULT_TYPE = {
  image: 'image/jpeg',
  audio: 'audio/wav',
  file: 'application/pdf',
} as const satisfies Record<'image' | 'audio' | 'file', string>;

/** An image, a sound or a file as a part: inline bytes, or an address the provider fetches itself. */
export function toMediaPart(part: ImagePart | AudioPart | FilePart, param: string): GeminiPart {
  const { source } = part;
  if (source.type === 'base64') {
    if (source.data === '') throw empty(param);
    return { inlineData: { mimeType: normalised(source.mediaType), data: source.data } };
  }
  if (source.url === '') throw empty(param);
  return { fileData: { fileUri: source.url, mimeType: urlType(source, DEFAULT_TYPE[part.type]) } };
}

function empty(param: string): GatewayError {
  return new GatewayError('invalid_value', { param, message: 'The content is empty; send bytes or an address.' });
}

function normalised(mediaType: string): string {
  return mediaType === 'image/jpg' ? 'image/jpeg' : mediaType;
}

function urlType(source: Extract<MediaSource, { type: 'url' }>, fallback: string): string {
  if (source.mediaType !== undefined) return normalised(source.mediaType);
  const extension = /\.([A-Za-z0-9]+)(?:[?#]|$)/.exec(source.url)?.[1]?.toLowerCase();
  return (extension === undefined ? undefined : BY_EXTENSION[extension]) ?? fallback;
}
