import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** A pair of keys AWS requests are signed with. */
export interface SigningKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** For temporary keys; it must then be sent, and be signed. */
  readonly sessionToken?: string;
}

export interface SignedRequest {
  readonly method: string;
  /** Path with query, as received. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Expected {
  readonly region: string;
  readonly service: string;
  readonly keys: readonly SigningKeys[];
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
const MAX_SKEW_MS = 5 * 60_000;

/** Recomputes the signature of a request from the known secret; returns what is wrong, or undefined. */
export function verifySigV4(request: SignedRequest, { region, service, keys }: Expected): string | undefined {
  const match = AUTHORIZATION.exec(request.headers.authorization ?? '');
  if (match === null) return 'there is no signature';
  const [, keyId = '', day = '', signedRegion, signedService, headerList = '', signature] = match;
  if (signedRegion !== region || signedService !== service) return 'the scope is of another region or service';
  const key = keys.find(({ accessKeyId }) => accessKeyId === keyId);
  if (key === undefined) return 'the access key is unknown';
  const names = headerList.split(';');
  const problem = wrongHeaders(request, names, key);
  if (problem !== undefined) return problem;
  const date = String(request.headers['x-amz-date']);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonicalRequest(request, names))].join('\n');
  const expected = signingKey(key.secretAccessKey, [day, region, service]).update(toSign).digest('hex');
  return expected === signature ? undefined : 'the signature does not match';
}

function wrongHeaders(request: SignedRequest, names: readonly string[], key: SigningKeys): string | undefined {
  const { headers } = request;
  if (!names.includes('host') || !names.includes('x-amz-date')) return 'host and x-amz-date must be signed';
  if (headers['x-amz-content-sha256'] !== undefined && headers['x-amz-content-sha256'] !== sha256(request.body)) {
    return 'the body is not the one signed';
  }
  if (headers['x-amz-security-token'] !== key.sessionToken) return 'the session token does not fit the key';
  if (key.sessionToken !== undefined && !names.includes('x-amz-security-token'))
    return 'the session token must be signed';
  const date = String(headers['x-amz-date']).replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  return Math.abs(Date.parse(date) - Date.now()) <= MAX_SKEW_MS ? undefined : 'the request is too old or too new';
}

/** The path is encoded once more, as every service but S3 wants it. */
function canonicalRequest(request: SignedRequest, names: readonly string[]): string {
  const [path = '/', query = ''] = request.path.split('?', 2);
  const encoded = path.split('/').map(encode).join('/');
  const lines = names.map(
    (name) =>
      `${name}:${String(request.headers[name] ?? '')
        .trim()
        .replace(/\s+/g, ' ')}`,
  );
  return [request.method, encoded, query, ...lines, '', names.join(';'), sha256(request.body)].join('\n');
}

function encode(segment: string): string {
  return encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function signingKey(secret: string, scope: readonly string[]): ReturnType<typeof createHmac> {
  const key = [...scope, 'aws4_request'].reduce<string | Buffer>(
    (previous, part) => createHmac('sha256', previous).update(part).digest(),
    `AWS4${secret}`,
  );
  return createHmac('sha256', key);
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
