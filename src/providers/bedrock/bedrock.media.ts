import type { AudioFormat, DocumentFormat, ImageFormat, VideoFormat } from '@aws-sdk/client-bedrock-runtime';
import type { AudioPart, FilePart, ImagePart, MediaSource } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import type { ContentBlock } from './bedrock.wire.js';

type MediaBlock = Extract<
  ContentBlock,
  { image: object } | { document: object } | { video: object } | { audio: object }
>;
type Source = { bytes: string } | { s3Location: { uri: string } };

const IMAGES = new Map<string, ImageFormat>([
  ['png', 'png'],
  ['jpeg', 'jpeg'],
  ['jpg', 'jpeg'],
  ['gif', 'gif'],
  ['webp', 'webp'],
]);

const VIDEOS = new Map<string, VideoFormat>([
  ['mp4', 'mp4'],
  ['quicktime', 'mov'],
  ['mov', 'mov'],
  ['x-matroska', 'mkv'],
  ['mkv', 'mkv'],
  ['webm', 'webm'],
  ['x-flv', 'flv'],
  ['flv', 'flv'],
  ['mpeg', 'mpeg'],
  ['mpg', 'mpg'],
  ['x-ms-wmv', 'wmv'],
  ['wmv', 'wmv'],
  ['3gpp', 'three_gp'],
  ['3gp', 'three_gp'],
]);

const AUDIOS = new Map<string, AudioFormat>([
  ['wav', 'wav'],
  ['x-wav', 'wav'],
  ['mp3', 'mp3'],
  ['mpeg', 'mp3'],
  ['mp4', 'mp4'],
  ['m4a', 'm4a'],
  ['x-m4a', 'm4a'],
  ['aac', 'aac'],
  ['flac', 'flac'],
  ['ogg', 'ogg'],
  ['opus', 'opus'],
  ['webm', 'webm'],
  ['pcm', 'pcm'],
]);

/** By media type, and by ending for addresses without one. */
const DOCUMENTS = new Map<string, DocumentFormat>([
  ['application/pdf', 'pdf'],
  ['text/csv', 'csv'],
  ['text/html', 'html'],
  ['text/plain', 'txt'],
  ['text/markdown', 'md'],
  ['application/msword', 'doc'],
  ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'],
  ['application/vnd.ms-excel', 'xls'],
  ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'],
  ...(['pdf', 'csv', 'html', 'txt', 'md', 'doc', 'docx', 'xls', 'xlsx'] as const).map(
    (format) => [format, format] as const,
  ),
]);

/** First bytes of the image formats, in base64 as far as they are the same for every file. */
const MAGIC: readonly (readonly [prefix: string, format: ImageFormat])[] = [
  ['iVBORw0KGgo', 'png'],
  ['/9j/', 'jpeg'],
  ['R0lGOD', 'gif'],
  ['UklGR', 'webp'],
];

const S3_ADDRESS = /^s3:\/\/[a-z0-9][.\-a-z0-9]{1,61}[a-z0-9](\/.*)?$/;

/** An image; `field` names it in errors. Throws GatewayError `invalid_value` or `unsupported_parameter`. */
export function imageBlock(part: ImagePart, field: string): Extract<MediaBlock, { image: object }> {
  return { image: { format: imageFormat(part.source, field), source: readSource(part.source, field) } };
}

/** A sound; throws GatewayError `invalid_value`. */
export function audioBlock(part: AudioPart, field: string): Extract<MediaBlock, { audio: object }> {
  const format = AUDIOS.get(subtype(part.source));
  if (format === undefined) throw invalid(field, 'this audio format is not supported');
  return { audio: { format, source: readSource(part.source, field) } };
}

/**
 * Gives the documents of one request names that are unique and the same in every turn, as Bedrock demands (and as
 * its prompt cache needs): made of the file name, or of the document's place.
 */
export class DocumentNames {
  private readonly given = new Set<string>();

  /** Letters, digits, blanks, hyphens, brackets; no ending. */
  next(filename: string | undefined): string {
    const stem = (filename ?? '').replace(/\.[^.]*$/, '');
    const clean = stem
      .replace(/[^A-Za-z0-9\s()[\]-]/g, '-')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, 190);
    const wanted = clean === '' ? 'document' : clean;
    let name = clean === '' ? 'document-1' : clean;
    for (let count = 2; this.given.has(name); count += 1) name = `${wanted}-${count}`;
    this.given.add(name);
    return name;
  }
}

/** A file as the block of its kind: image, video or document. Throws GatewayError `invalid_value` or `unsupported_parameter`. */
export function fileBlock(part: FilePart, field: string, names: DocumentNames): MediaBlock {
  const { source } = part;
  const [type] = essence(source.mediaType).split('/');
  const suffix = ending(part.filename ?? address(source));
  const isUntyped = type === '' || type === 'application';
  if (type === 'image') return imageBlock({ type: 'image', source }, field);
  if (type === 'audio') return audioBlock({ type: 'audio', source }, field);
  if (type === 'video') return videoBlock(source, subtype(source), field);
  const format = DOCUMENTS.get(essence(source.mediaType)) ?? DOCUMENTS.get(suffix);
  if (format === undefined && isUntyped && IMAGES.has(suffix)) {
    return imageBlock({ type: 'image', source: { ...source, mediaType: `image/${suffix}` } }, field);
  }
  if (format === undefined && isUntyped && VIDEOS.has(suffix)) return videoBlock(source, suffix, field);
  if (format === undefined) throw invalid(field, 'this type of document is not supported');
  return { document: { format, name: names.next(part.filename), source: readSource(source, field) } };
}

function videoBlock(source: MediaSource, name: string, field: string): Extract<MediaBlock, { video: object }> {
  const format = VIDEOS.get(name);
  if (format === undefined) throw invalid(field, 'this video format is not supported');
  return { video: { format, source: readSource(source, field) } };
}

function imageFormat(source: MediaSource, field: string): ImageFormat {
  const type = essence(source.mediaType);
  const named = IMAGES.get(subtype(source));
  if (named !== undefined) return named;
  const isUnknown = type === '' || type === 'image/*' || type === 'application/octet-stream';
  const data = source.type === 'base64' ? source.data : '';
  const sniffed = isUnknown ? MAGIC.find(([prefix]) => data.startsWith(prefix))?.[1] : undefined;
  if (sniffed === undefined) throw invalid(field, 'use an image in PNG, JPEG, GIF or WebP format');
  return sniffed;
}

/** Converse fetches nothing but from S3. */
function readSource(source: MediaSource, field: string): Source {
  if (source.type === 'base64') {
    if (source.data === '') throw invalid(field, 'the data is empty');
    return { bytes: standardBase64(source.data) };
  }
  if (S3_ADDRESS.test(source.url) && source.url.length <= 1_024) return { s3Location: { uri: source.url } };
  if (source.url.startsWith('s3://')) throw invalid(field, 'use an address such as s3://bucket/key');
  throw new GatewayError('unsupported_parameter', {
    status: 400,
    param: field,
    message: `${field}: this model takes inline data or an s3:// address; send the content as a data URL.`,
  });
}

/** Converse reads the standard alphabet with its padding; callers may write the one for URLs, without. */
function standardBase64(data: string): string {
  const isStandard = data.length % 4 === 0 && !data.includes('-') && !data.includes('_');
  return isStandard ? data : Buffer.from(data, 'base64').toString('base64');
}

function essence(mediaType: string | undefined): string {
  return (mediaType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function address(source: MediaSource): string {
  return source.type === 'url' ? source.url : '';
}

function ending(name: string): string {
  return /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

function subtype(source: MediaSource): string {
  return essence(source.mediaType).split('/')[1] ?? ending(address(source));
}

function invalid(field: string, message: string): GatewayError {
  return new GatewayError('invalid_value', { param: field, message: `${field}: ${message}.` });
}
