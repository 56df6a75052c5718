import { z } from 'zod';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

function isBareUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || url.protocol === 'http:';
}

/** True for http to another machine: what is sent there can be read on the way. */
export function isClearUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.protocol === 'http:' && !LOOPBACK.test(url.hostname);
}

/** Where a provider is: https, or http on loopback, for a key must not cross a network in the clear. */
export const upstreamUrl = z
  .string()
  .refine(
    (text) => isBareUrl(text) && !isClearUrl(text),
    'use an https URL without query (http is allowed on loopback only)',
  );

/** Where a provider is, http included: for settings that have the operator agree to it (`isClearUrl` tells). */
export const clearUpstreamUrl = z.string().refine(isBareUrl, 'use an https or http URL without query');
