import { API_KEY_LENGTH, API_KEY_PATTERN, generateApiKey, hashApiKey, parseApiKey } from './api-key.js';

const PEPPER = 'a-pepper-of-at-least-32-characters';

describe('generateApiKey', () => {
  it('makes keys of the published form that parse', () => {
    const keys = Array.from({ length: 500 }, () => generateApiKey());

    for (const key of keys) {
      expect(key).toMatch(API_KEY_PATTERN);
      expect(key).toHaveLength(API_KEY_LENGTH);
      expect(parseApiKey(key)).toEqual({ publicId: key.slice(3, 11) });
    }
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is a function of its random source', () => {
    expect(generateApiKey(() => 0)).toBe(`tg_00000000_${'0'.repeat(32)}_0pJ2WP`);
  });
});

describe('parseApiKey', () => {
  const key = generateApiKey();

  it('refuses a key in which any one character was changed', () => {
    for (let index = 0; index < key.length; index++) {
      const other = key[index] === 'x' ? 'y' : 'x';
      expect(parseApiKey(key.slice(0, index) + other + key.slice(index + 1))).toBeUndefined();
    }
  });

  it.each([
    ['empty', ''],
    ['prefix only', 'tg_'],
    ['cut', key.slice(0, -1)],
    ['longer', `${key}0`],
    ['trailing newline', `${key}\n`],
    ['1 MB', key.repeat(20_000)],
    ['look-alike letter', key.replace('t', 'т')],
    ['full-width digits', key.replace(/[0-9]/g, '１')],
  ])('refuses: %s', (_name, text) => {
    expect(parseApiKey(text)).toBeUndefined();
  });
});

describe('hashApiKey', () => {
  it('depends on key and pepper', () => {
    expect(hashApiKey(PEPPER, 'key')).toMatch(/^[0-9a-f]{64}$/);
    expect(hashApiKey(PEPPER, 'key')).not.toBe(hashApiKey(PEPPER, 'Key'));
    expect(hashApiKey(PEPPER, 'key')).not.toBe(hashApiKey(`${PEPPER}x`, 'key'));
  });
});
