import { generateApiKey, hashApiKey } from '../contract/api-key.js';
import type { KeyConfig, OrganisationConfig } from '../config/config.schema.js';
import { KeyIndex } from './key-index.js';

const PEPPER = 'the pepper in use, of more than 32 characters';
const NOW = Date.parse('2026-05-01T12:00:00Z');
const KEY = generateApiKey();

const entry = (changes: Partial<KeyConfig> = {}): KeyConfig => ({
  id: 'k1',
  hash: changes.secret === undefined ? hashApiKey(PEPPER, KEY) : undefined,
  organisation: 'default',
  limits: {},
  labels: [],
  strict: false,
  ...changes,
});

const index = (
  keys: KeyConfig[],
  organisations: Record<string, OrganisationConfig> = { default: { limits: {}, teams: {} } },
  peppers: [string, ...string[]] = [PEPPER],
) => new KeyIndex({ keys, organisations }, peppers);

describe('KeyIndex', () => {
  it('finds the caller of a key by its hash', () => {
    const organisations = { acme: { limits: {}, teams: { search: { limits: {} } } } };
    const keys = [entry({ organisation: 'acme', team: 'search', user: 'ann', limits: { requestsPerMinute: 5 } })];

    expect(index(keys, organisations).find(KEY, NOW)).toEqual({
      method: 'key',
      id: 'k1',
      organisation: 'acme',
      team: 'search',
      user: 'ann',
      limits: { requestsPerMinute: 5 },
    });
  });

  it('finds the caller of a key given as secret', () => {
    expect(index([entry({ secret: KEY })]).find(KEY, NOW)?.id).toBe('k1');
  });

  it('accepts hashes under the previous pepper', () => {
    const keys = [entry({ hash: hashApiKey('previous pepper', KEY) })];

    expect(index(keys, undefined, [PEPPER, 'previous pepper']).find(KEY, NOW)?.id).toBe('k1');
    expect(index(keys).find(KEY, NOW)).toBeUndefined();
  });

  it('refuses a key from the instant it expires', () => {
    const keys = [entry({ expiresAt: '2026-05-01T14:00:00+02:00' })];

    expect(index(keys).find(KEY, NOW - 1)?.id).toBe('k1');
    expect(index(keys).find(KEY, NOW)).toBeUndefined();
  });

  it.each<[string, string]>([
    ['another well-formed key', generateApiKey()],
    ['prefix only', 'tg_'],
    ['public id only', KEY.slice(0, 12)],
    ['wrong checksum', KEY.slice(0, -1) + (KEY.endsWith('x') ? 'y' : 'x')],
    ['other case', KEY.toUpperCase()],
    ['1 MB', `tg_${'a'.repeat(1_048_576)}`],
    ['1 MB without prefix', 'a'.repeat(1_048_576)],
    ['look-alike letter', KEY.replace('g', 'ɡ')],
    ['its own hash', hashApiKey(PEPPER, KEY)],
    ['injection', "' OR '1'='1"],
    ['empty', ''],
    ['prototype key', '__proto__'],
  ])('finds nobody for: %s', (_name, credential) => {
    expect(index([entry()]).find(credential, NOW)).toBeUndefined();
  });

  it('computes no hash for a wrong checksum', () => {
    const keys = index([entry({ hash: hashApiKey(PEPPER, `${KEY.slice(0, -6)}000000`) })]);
    expect(keys.find(`${KEY.slice(0, -6)}000000`, NOW)).toBeUndefined();
  });

  it('accepts a secret of another form from 32 characters on', () => {
    const secret = 'sk-0123456789-0123456789-0123456';
    expect(secret).toHaveLength(32);
    expect(index([entry({ secret })]).find(secret, NOW)?.id).toBe('k1');
  });

  it('accepts no other form by hash', () => {
    const secret = 'sk-0123456789-0123456789-0123456';
    const keys = index([entry({ hash: hashApiKey(PEPPER, secret) }), entry({ id: 'k2', secret: 'z'.repeat(40) })]);
    expect(keys.find(secret, NOW)).toBeUndefined();
  });

  it.each([
    ['short', 'sk-0123456789-0123456789-012345'],
    ['ours with a wrong checksum', `${KEY.slice(0, -6)}000000`],
    ['with a space', `${'a'.repeat(20)} ${'b'.repeat(20)}`],
    ['too long', 'a'.repeat(513)],
  ])('leaves a secret out and says why: %s', (_name, secret) => {
    const keys = index([entry({ secret })]);

    expect(keys.find(secret, NOW)).toBeUndefined();
    expect(keys.problems).toHaveLength(1);
    expect(keys.problems[0]).toContain('"k1"');
    expect(keys.problems[0]).not.toContain(secret);
  });

  it('leaves out keys of undeclared organisations and teams', () => {
    const keys = index([
      entry({ organisation: 'acme' }),
      entry({ id: 'k2', team: 'nobody' }),
      entry({ id: 'k3', organisation: 'constructor' }),
    ]);

    expect(keys.size).toBe(0);
    expect(keys.problems).toHaveLength(3);
  });

  it('says when two entries are one key, and keeps the first', () => {
    const keys = index([entry(), entry({ id: 'k2' })]);
    expect(keys.find(KEY, NOW)?.id).toBe('k1');
    expect(keys.problems).toEqual(['key "k2" is the same key as "k1"']);
  });

  it.each<[string[] | undefined, string[] | undefined, string[] | undefined]>([
    [undefined, undefined, undefined],
    [['a', 'b'], undefined, ['a', 'b']],
    [undefined, ['a'], ['a']],
    [['a', 'b'], ['b', 'c'], ['b']],
    [['a'], [], []],
    [[], ['a'], []],
  ])('allows what key %j and organisation %j both allow', (models, ofOrganisation, allowed) => {
    const keys = index([entry({ models })], { default: { models: ofOrganisation, limits: {}, teams: {} } });
    const found = keys.find(KEY, NOW)?.models;
    expect(found && [...found]).toEqual(allowed);
  });
});
