import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { isJsonObject } from '../contract/json.js';

/** Largest key set that is read, in bytes after decompression. */
export const MAX_KEY_SET_BYTES = 524_288;

/** True for https, and for http to this machine. */
export function isSafeKeySetUrl(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:') return true;
  return protocol === 'http:' && (hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname));
}

/** Gets a key set that holds at least one key; rejects for every other answer, naming what was wrong with it. */
export async function fetchKeySet(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal, redirect: 'manual', headers: { accept: 'application/json' } });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the key set was answered with status ${response.status}`);
  }
  const text = await readBounded(response);
  const parsed: unknown = JSON.parse(text);
  if (!isJsonObject(parsed) || !Array.isArray(parsed['keys']) || parsed['keys'].length === 0) {
    throw new Error('the key set holds no keys');
  }
  createLocalJWKSet(parsed as unknown as JSONWebKeySet);
  return new Response(text, { status: 200 });
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > MAX_KEY_SET_BYTES) throw new Error('the key set is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
