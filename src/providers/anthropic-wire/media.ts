import type { FilePart, ImagePart, MediaSource } from '../../contract/chat-request.js';
import { GatewayError } from '../../contract/errors.js';
import type { DocumentBlock, ImageBlock, ImageMediaType } from './wire.js';

const IMAGES = new Map<string, ImageMediaType>([
  ['image/png', 'image/png'],
  ['image/jpeg', 'image/jpeg'],
  ['image/jpg', 'image/jpeg'],
  ['image/gif', 'image/gif'],
  ['image/webp', 'image/webp'],
]);

/** First bytes of the image formats, in base64 as far as they are the same for every file. */
const MAGIC: readonly (readonly [prefix: string, type: ImageMediaType])[] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];

/** Media types whose bytes are text the model can read as it stands. */
const TEXTS = /^(text\/.+|application\/(json|xml|yaml|x-yaml|javascript|typescript|sql|csv|.+\+(json|xml)))$/;

/** An image; `field` names it in errors. Throws GatewayError `invalid_value` or `unsupported_parameter`. */
export function imageBlock({ source }: Pick<ImagePart, 'source'>, field: string): ImageBlock {
  if (source.type === 'url') return { type: 'image', source: { type: 'url', url: webAddress(source.url, field) } };
  const mediaType = imageType(source.mediaType, source.data);
  if (mediaType === undefined) throw invalid(field, 'use an image in PNG, JPEG, GIF or WebP format');
  return { type: 'image', source: { type: 'base64', media_type: mediaType, data: inline(source.data, field) } };
}

/** A file as the block of its kind: image or document. Throws GatewayError `invalid_value` or `unsupported_parameter`. */
export function fileBlock(part: FilePart, field: string): ImageBlock | DocumentBlock {
  const { source, filename, citations } = part;
  if (essence(source.mediaType).startsWith('image/')) return imageBlock(part, field);
  return {
    type: 'document',
    source: documentSource(source, filename, field),
    ...(filename === undefined || filename === '' ? {} : { title: filename }),
    ...(citations === true ? { citations: { enabled: true } } : {}),
  };
}

function documentSource(source: MediaSource, filename: string | undefined, field: string): DocumentBlock['source'] {
  const type = essence(source.mediaType);
  const ending = /\.([a-z0-9]+)$/i.exec(filename ?? '')?.[1]?.toLowerCase();
  const isUnknown = type === '' || type === 'application/octet-stream';
  if (source.type === 'url') {
    if (type !== 'application/pdf' && !isUnknown) {
      throw invalid(field, 'only a PDF can be given by address; send other documents as a data URL');
    }
    return { type: 'url', url: webAddress(source.url, field) };
  }
  const data = inline(source.data, field);
  if (type === 'application/pdf' || (isUnknown && (ending === 'pdf' || data.startsWith('JVBERi0')))) {
    return { type: 'base64', media_type: 'application/pdf', data };
  }
  if (TEXTS.test(type)) {
    return { type: 'text', media_type: 'text/plain', data: Buffer.from(data, 'base64').toString('utf8') };
  }
  throw invalid(field, 'this type of file is not supported; use PDF, text or an image');
}

function imageType(mediaType: string, data: string): ImageMediaType | undefined {
  const type = essence(mediaType);
  const isUnknown = type === '' || type === 'image/*' || type === 'application/octet-stream';
  return IMAGES.get(type) ?? (isUnknown ? MAGIC.find(([prefix]) => data.startsWith(prefix))?.[1] : undefined);
}

function inline(data: string, field: string): string {
  if (data === '') throw invalid(field, 'the data is empty');
  return data;
}

/** The API fetches from the web alone. */
function webAddress(url: string, field: string): string {
  if (/^https?:\/\//i.test(url)) return url;
  throw new GatewayError('unsupported_parameter', {
    status: 400,
    param: field,
    message: `${field}: this model takes inline data or an https address.`,
  });
}

function essence(mediaType: string | undefined): string {
  return (mediaType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function invalid(field: string, message: string): GatewayError {
  return new GatewayError('invalid_value', { param: field, message: `${field}: ${message}.` });
}
