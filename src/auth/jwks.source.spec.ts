import { generateKeyPairSync } from 'node:crypto';
import type { GatewayError } from '../contract/errors.js';
import { FakeIdp, type IdpBehaviour } from '../../test/support/fake-idp.ts';
import { isSafeKeySetUrl } from './jwks-fetch.js';
import { JwksSource, KEY_SET_TIMES } from './jwks.source.js';

const RS256 = { alg: 'RS256', kid: 'key-1' };
const failures: IdpBehaviour[] = ['status-500', 'silent', 'empty', 'html', 'huge', 'redirect', 'reset'];

describe('JwksSource', () => {
  let idp: FakeIdp;
  let reasons: unknown[];
  let tasks: Promise<void>[];

  const source = () =>
    new JwksSource(
      idp.jwksUri,
      { failed: (reason) => reasons.push(reason), background: (task) => tasks.push(task) },
      { ...KEY_SET_TIMES, timeoutMs: 200 },
    );
  const codeOf = (attempt: Promise<unknown>): Promise<string> =>
    attempt.then(
      () => 'accepted',
      (error: unknown) => (error as GatewayError).code,
    );
  const pass = (ms: number) => jest.setSystemTime(Date.now() + ms);

  beforeEach(async () => {
    jest.useFakeTimers({
      doNotFake: [
        'setTimeout',
        'clearTimeout',
        'setInterval',
        'clearInterval',
        'setImmediate',
        'clearImmediate',
        'nextTick',
        'queueMicrotask',
        'performance',
        'hrtime',
      ],
    });
    reasons = [];
    tasks = [];
    idp = await FakeIdp.start();
  });

  afterEach(async () => {
    await Promise.all(tasks);
    await idp.close();
    jest.useRealTimers();
  });

  it('gives the published key, fetched once for all who ask at once', async () => {
    const keys = source();
    const found = await Promise.all(Array.from({ length: 50 }, () => keys.resolve(RS256)));

    expect(found[0]?.equals(idp.key.publicKey)).toBe(true);
    expect(new Set(found).size).toBe(1);
    expect(idp.fetches).toBe(1);
  });

  it.each(failures)('is unavailable, never refusing, while there are no keys: %s', async (behaviour) => {
    idp.behaviour = behaviour;
    const keys = source();

    expect(await codeOf(keys.resolve(RS256))).toBe('authentication_unavailable');
    expect(reasons).toHaveLength(1);
    expect(idp.strayPaths).toEqual([]);
  });

  it.each(failures)('asks at most once per cooldown: %s', async (behaviour) => {
    idp.behaviour = behaviour;
    const keys = source();
    for (let attempt = 0; attempt < 20; attempt++) {
      await codeOf(keys.resolve({ alg: 'RS256', kid: `random-${attempt}` }));
      pass(1_000);
    }
    expect(idp.fetches).toBe(1);

    pass(10_001);
    idp.behaviour = 'good';
    expect(await codeOf(keys.resolve(RS256))).toBe('accepted');
    expect(idp.fetches).toBe(2);
  });

  it.each(failures)('keeps the last good keys: %s', async (behaviour) => {
    const keys = source();
    await keys.resolve(RS256);
    idp.behaviour = behaviour;
    for (let minutes = 0; minutes < 60; minutes += 15) {
      pass(900_000);
      expect(await codeOf(keys.resolve(RS256))).toBe('accepted');
      await Promise.all(tasks);
    }

    expect(idp.fetches).toBe(5);
    expect(reasons).toHaveLength(4);
  });

  it('gives stale keys up after a day', async () => {
    const keys = source();
    await keys.resolve(RS256);
    idp.behaviour = 'reset';
    pass(86_400_001);

    expect(await codeOf(keys.resolve(RS256))).toBe('authentication_unavailable');
  });

  it('refuses unknown key ids of a flood with one further fetch a cooldown', async () => {
    const keys = source();
    await keys.resolve(RS256);
    pass(30_001);
    const codes = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => codeOf(keys.resolve({ alg: 'RS256', kid: `random-${index}` }))),
    );

    expect(new Set(codes)).toEqual(new Set(['invalid_token']));
    expect(idp.fetches).toBe(2);
    expect(await codeOf(keys.resolve({ alg: 'RS256', kid: 'again' }))).toBe('invalid_token');
    expect(idp.fetches).toBe(2);
  });

  it('cannot tell an unknown key id from a new one while the issuer is away', async () => {
    const keys = source();
    await keys.resolve(RS256);
    idp.behaviour = 'reset';
    pass(30_001);

    expect(await codeOf(keys.resolve({ alg: 'RS256', kid: 'key-2' }))).toBe('authentication_unavailable');
    expect(await codeOf(keys.resolve(RS256))).toBe('accepted');
    pass(30_001);
    idp.behaviour = 'good';
    expect(await codeOf(keys.resolve({ alg: 'RS256', kid: 'key-2' }))).toBe('invalid_token');
  });

  it('refuses RSA keys under 2048 bits', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    idp.keys = [{ ...idp.key, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'key-1' } }];

    expect(await codeOf(source().resolve(RS256))).toBe('invalid_token');
  });

  it('follows a rotation after the cooldown and drops the old key', async () => {
    const keys = source();
    await keys.resolve(RS256);
    await idp.rotate('key-2', 'ES256');
    pass(30_001);

    expect((await keys.resolve({ alg: 'ES256', kid: 'key-2' })).asymmetricKeyType).toBe('ec');
    expect(await codeOf(keys.resolve(RS256))).toBe('invalid_token');
  });

  it('notices in the background that a key was withdrawn', async () => {
    const keys = source();
    await keys.resolve(RS256);
    await idp.rotate('key-2');
    pass(600_000);

    expect(await codeOf(keys.resolve(RS256))).toBe('accepted');
    await Promise.all(tasks);
    expect(await codeOf(keys.resolve(RS256))).toBe('invalid_token');
  });

  it.each(['../../etc/passwd', "' OR '1'='1", '__proto__', '', 'KEY-1'])(
    'takes key id "%s" for a name',
    async (kid) => {
      const keys = source();
      expect(await codeOf(keys.resolve({ alg: 'RS256', kid }))).toBe('invalid_token');
      expect(idp.strayPaths).toEqual([]);
    },
  );

  it.each(['HS256', 'none'])('has no key for algorithm %s', async (alg) => {
    expect(await codeOf(source().resolve({ alg, kid: 'key-1' }))).toBe('invalid_token');
  });
});

describe('isSafeKeySetUrl', () => {
  it.each<[string, boolean]>([
    ['https://idp.example/jwks', true],
    ['http://127.0.0.1:8080/jwks', true],
    ['http://localhost/jwks', true],
    ['http://[::1]/jwks', true],
    ['http://idp.example/jwks', false],
    ['http://127.0.0.1.example/jwks', false],
    ['http://169.254.169.254/jwks', false],
    ['file:///etc/passwd', false],
  ])('%s: %s', (url, isSafe) => {
    expect(isSafeKeySetUrl(url)).toBe(isSafe);
  });
});
