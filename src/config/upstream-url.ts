import { z } from 'zod';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

function isSafeUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
}

/** Where a provider is: https, or http on loopback, for a key must not cross a network in the clear. */
export const upstreamUrl = z
  .string()
  .refine(isSafeUrl, 'use an https URL without query (http is allowed on loopback only)');
