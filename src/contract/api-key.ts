import { createHmac, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 8;
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;

/** What every key starts with, so that a gateway, a log filter and a secret scanner know one at sight. */
export const API_KEY_PREFIX = 'tg_';

/**
 * A whole key: `tg_<public id, 8>_<secret, 32>_<checksum, 6>`, all base62. The secret carries 190 bits; the checksum is
 * the CRC-32 of everything before its underscore. The expression to give to secret scanners.
 */
export const API_KEY_PATTERN = /^tg_[0-9A-Za-z]{8}_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/;

/** Length of a whole key in characters. */
export const API_KEY_LENGTH = API_KEY_PREFIX.length + ID_LENGTH + 1 + SECRET_LENGTH + 1 + CHECKSUM_LENGTH;

/** A new key. `random(62)` must return an unpredictable whole number from 0 to 61; default: `crypto.randomInt`. */
export function generateApiKey(random: (bound: number) => number = randomInt): string {
  const draw = (length: number): string =>
    Array.from({ length }, () => ALPHABET.charAt(random(ALPHABET.length))).join('');
  const body = `${API_KEY_PREFIX}${draw(ID_LENGTH)}_${draw(SECRET_LENGTH)}`;
  return `${body}_${checksum(body)}`;
}

/** The public part of a well-formed key; undefined where form or checksum is wrong. Says nothing of its validity. */
export function parseApiKey(text: string): { publicId: string } | undefined {
  if (text.length !== API_KEY_LENGTH || !API_KEY_PATTERN.test(text)) return undefined;
  const end = text.length - CHECKSUM_LENGTH;
  if (checksum(text.slice(0, end - 1)) !== text.slice(end)) return undefined;
  return { publicId: text.slice(API_KEY_PREFIX.length, API_KEY_PREFIX.length + ID_LENGTH) };
}

/** HMAC-SHA-256 of a key under the pepper, 64 hex digits: the only form of a key that is kept. */
export function hashApiKey(pepper: string, key: string): string {
  return createHmac('sha256', pepper).update(key).digest('hex');
}

/** CRC-32 in base62, zero-padded to 6 digits. */
function checksum(body: string): string {
  let value = crc32(body);
  let digits = '';
  for (let position = 0; position < CHECKSUM_LENGTH; position++) {
    digits = ALPHABET.charAt(value % ALPHABET.length) + digits;
    value = Math.floor(value / ALPHABET.length);
  }
  return digits;
}
