import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { createIdpKey, FakeIdp, signTexts, signToken, type IdpKey } from '../../test/support/fake-idp.ts';
import { buildConfig } from '../config/build-config.js';
import { ConfigStore } from '../config/config.store.js';
import { FileReader } from '../config/file-reader.js';
import { createLogger } from '../config/logging.js';
import { toGatewayError, type GatewayError } from '../contract/errors.js';
import { BackgroundTasks } from '../state/background-tasks.js';
import { TokenStrategy } from './token.strategy.js';
import { Transport } from '../transport/transport.js';
import { TokenVerifier } from './token.verifier.js';

const config = (auth: Record<string, unknown>) =>
  buildConfig(
    { source: 'test', value: { auth } },
    {
      kinds: [{ kind: 'test', settings: z.strictObject({}) }],
      environment: {},
      directory: '/',
      reader: new FileReader(),
      pepper: 'a pepper of more than thirty-two characters',
    },
  ).config;

const pem = (key: IdpKey): string => key.publicKey.export({ type: 'spki', format: 'pem' }).toString();

describe('TokenVerifier', () => {
  let idp: FakeIdp;
  let store: ConfigStore;
  let tasks: BackgroundTasks;
  let tokens: TokenVerifier;

  const issuer = (changes: object = {}) => ({
    issuer: idp.issuer,
    audience: 'tollgate',
    jwksUri: idp.jwksUri,
    ...changes,
  });
  const open = ({ auth }: { auth: Record<string, unknown> }) => {
    const logger = createLogger('silent');
    store = new ConfigStore({ version: 1, sha: '', source: 'file', config: config(auth) });
    tasks = new BackgroundTasks(logger);
    tokens = new TokenVerifier(store, tasks, new Transport(store.current.config.transport), logger);
    tokens.onModuleInit();
  };
  const withToken = (token: string): Promise<string> =>
    tokens.verify(token).then(
      ({ user = '' }) => user,
      (error: unknown) => toGatewayError(error).code,
    );
  const failureOf = (token: string): Promise<GatewayError> =>
    tokens.verify(token).then(() => {
      throw new Error('the token was accepted');
    }, toGatewayError);

  beforeAll(async () => {
    idp = await FakeIdp.start();
  });
  beforeEach(() => {
    idp.behaviour = 'good';
    open({ auth: { jwt: [issuer({ audience: ['tollgate', 'other'] })] } });
  });
  afterEach(() => tasks.drain(1_000));
  afterAll(() => idp.close());

  it('accepts a good token', async () => {
    expect(await withToken(idp.token())).toBe('user-1');
    expect(await withToken(idp.token({ aud: ['else', 'other'] }, { typ: 'application/at+JWT' }))).toBe('user-1');
    expect(await withToken(idp.token({}, { typ: undefined }))).toBe('user-1');
  });

  it.each<[string, object, object]>([
    ['unknown crit', {}, { crit: ['x'], x: 1 }],
    ['empty crit', {}, { crit: [] }],
    ['b64 false', {}, { b64: false, crit: ['b64'] }],
    ['b64 without crit', {}, { b64: false }],
    ['zip', {}, { zip: 'DEF' }],
    ['type of a logout token', {}, { typ: 'logout+jwt' }],
    ['type no text', {}, { typ: 7 }],
    ['kid traversal', {}, { kid: '../../jwks' }],
    ['kid SQL', {}, { kid: "x' UNION SELECT 'key" }],
    ['kid no text', {}, { kid: { $ne: 1 } }],
    ['kid too long', {}, { kid: 'k'.repeat(257) }],
    ['algorithm not pinned', {}, { alg: 'PS256' }],
    ['algorithm unknown', {}, { alg: 'XS256' }],
    ['no algorithm', {}, { alg: undefined }],
    ['audience of others', { aud: 'elsewhere' }, {}],
    ['audience by prefix', { aud: 'tollgate2' }, {}],
    ['no audience', { aud: undefined }, {}],
    ['issuer of others', { iss: 'https://evil.example' }, {}],
    ['issuer with a slash more', { iss: 'slash' }, {}],
    ['no issuer', { iss: undefined }, {}],
    ['expired', { exp: 1 }, {}],
    ['no expiry', { exp: undefined }, {}],
    ['expiry as text', { exp: '9999999999' }, {}],
    ['expiry null', { exp: null }, {}],
    ['no time of issue', { iat: undefined }, {}],
    ['issued long ago', { iat: 1 }, {}],
    ['issued in the future', { iat: 9_999_999_999 }, {}],
    ['time of issue as text', { iat: '1' }, {}],
    ['not valid yet', { nbf: 9_999_999_999 }, {}],
    ['nbf as text', { nbf: '1' }, {}],
    ['over 8 KB', { padding: 'x'.repeat(8_192) }, {}],
  ])('refuses: %s', async (_name, claims: { iss?: string }, header) => {
    const token = idp.token(claims.iss === 'slash' ? { iss: `${idp.issuer}/` } : claims, header);

    const failure = await failureOf(token);
    expect(failure).toMatchObject({
      code: 'invalid_token',
      headers: { 'www-authenticate': 'Bearer realm="tollgate", error="invalid_token"' },
    });
    expect(idp.strayPaths).toEqual([]);
  });

  it('refuses an infinite expiry', async () => {
    const payload = JSON.stringify(idp.claims()).replace(/"exp":\d+/, '"exp":1e999');
    expect(await withToken(signTexts(idp.key, '{"alg":"RS256","kid":"key-1"}', payload))).toBe('invalid_token');
  });

  it.each(['none', 'None', 'nOnE', 'NONE'])('refuses algorithm %s', async (alg) => {
    const [header, payload, signature] = idp.token({}, { alg }).split('.');
    expect(await withToken(`${header}.${payload}.`)).toBe('invalid_token');
    expect(await withToken(`${header}.${payload}.${signature}`)).toBe('invalid_token');
  });

  it.each(['HS256', 'HS384', 'HS512'])('refuses %s signed with the public key', async (alg) => {
    const input = idp.token({}, { alg }).split('.').slice(0, 2).join('.');
    const secrets = [
      idp.key.publicKey.export({ type: 'spki', format: 'pem' }),
      idp.key.publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(idp.key.jwk),
    ];
    for (const secret of secrets) {
      const signature = createHmac(alg.replace('HS', 'sha'), secret).update(input).digest('base64url');
      expect(await withToken(`${input}.${signature}`)).toBe('invalid_token');
    }
  });

  it('never follows what a header names', async () => {
    const attacker = await createIdpKey('key-1');
    const urls = { jku: `${idp.issuer}/evil`, x5u: `${idp.issuer}/evil` };
    for (const extra of [urls, { jwk: attacker.jwk }, { x5c: ['MII'] }]) {
      const header = { alg: 'RS256', kid: 'key-1', typ: 'JWT', ...extra };
      expect(await withToken(signToken(attacker, header, idp.claims()))).toBe('invalid_token');
    }
    expect(idp.strayPaths).toEqual([]);
    expect(await withToken(idp.token({}, urls))).toBe('user-1');
    expect(idp.strayPaths).toEqual([]);
  });

  it.each([
    ['no JSON', 'bm90.bm90.c2ln'],
    ['array payload', 'WyJhIl0.WyJhIl0.c2ln'],
    ['two parts', 'e30.e30'],
    ['JWE of five parts', 'e30.e30.e30.e30.e30'],
    ['padding', 'e30=.e30=.e30='],
    ['dots', '...'],
    ['look-alike dots', 'e30.e30.ｅ'],
  ])('refuses what is no token: %s', async (_name, token) => {
    expect(await withToken(token)).toBe('invalid_token');
  });

  it('refuses a token whose prefix was accepted', async () => {
    const token = idp.token();
    expect(await withToken(token)).toBe('user-1');
    const [header, , signature] = token.split('.');
    const twin = `${header}.${Buffer.from(JSON.stringify(idp.claims({ sub: 'admin' }))).toString('base64url')}.${signature}`;

    expect(twin.slice(0, 60)).toBe(token.slice(0, 60));
    expect(await withToken(twin)).toBe('invalid_token');
    expect(await withToken(`${token.slice(0, -4)}AAAA`)).toBe('invalid_token');
  });

  it('refuses an ES256 signature of zeros', async () => {
    const es256 = await createIdpKey('ec', 'ES256');
    open({ auth: { jwt: [{ ...issuer(), jwksUri: undefined, publicKey: pem(es256), algorithms: ['ES256'] }] } });
    const token = signToken(es256, { alg: 'ES256' }, idp.claims());

    expect(await withToken(token)).toBe('user-1');
    const input = token.split('.').slice(0, 2).join('.');
    expect(await withToken(`${input}.${Buffer.alloc(64).toString('base64url')}`)).toBe('invalid_token');
  });

  it.each<[string, number]>([
    ['exp', -1],
    ['nbf', 1],
    ['iat', 1],
  ])('allows the configured difference of clocks for %s, and no more', async (claim, sign) => {
    const now = Math.floor(Date.now() / 1_000);
    expect(await withToken(idp.token({ [claim]: now + sign * 25 }))).toBe('user-1');
    expect(await withToken(idp.token({ [claim]: now + sign * 90 }))).toBe('invalid_token');

    open({ auth: { jwt: [issuer({ clockToleranceSeconds: 0 })] } });
    expect(await withToken(idp.token({ [claim]: now + sign * 25 }))).toBe('invalid_token');
  });

  it('says why once the signature holds', async () => {
    const now = Math.floor(Date.now() / 1_000);
    expect((await failureOf(idp.token({ exp: now - 90 }))).message).toBe('The token has expired; get a new one.');
    const attacker = await createIdpKey('key-1');
    const forged = signToken(attacker, { alg: 'RS256', kid: 'key-1' }, idp.claims({ exp: now - 90 }));
    expect((await failureOf(forged)).message).toBe('The token is not valid.');
  });

  it('denies a valid token that maps to nothing', async () => {
    open({ auth: { jwt: [issuer({ grants: [{ claim: 'groups', value: 'ai' }] })] } });
    expect(await failureOf(idp.token())).toMatchObject({ code: 'permission_denied', status: 403 });
    expect(await withToken(idp.token({ groups: ['ai'] }))).toBe('user-1');
  });

  it('never starts with a configured key that is none', () => {
    expect(() => open({ auth: { jwt: [{ ...issuer(), jwksUri: undefined, publicKey: 'not a key' }] } })).toThrow(
      /publicKey/,
    );
  });

  it('keeps issuers apart', async () => {
    const other = await createIdpKey('key-1');
    open({
      auth: {
        jwt: [issuer(), { issuer: 'https://other.example', audience: 'tollgate', publicKey: pem(other) }],
      },
    });
    const header = { alg: 'RS256', kid: 'key-1' };

    expect(await withToken(signToken(other, header, idp.claims({ iss: 'https://other.example' })))).toBe('user-1');
    expect(await withToken(signToken(other, header, idp.claims()))).toBe('invalid_token');
    expect(await withToken(idp.token({ iss: 'https://other.example' }))).toBe('invalid_token');
  });

  it('fetches no keys again for a reload that keeps the issuer, and maps anew', async () => {
    await tasks.drain(1_000);
    const token = idp.token();
    expect(await withToken(token)).toBe('user-1');
    const before = idp.fetches;

    store.replace({ sha: '', config: config({ jwt: [issuer({ grants: [{ claim: 'g', value: 'x' }] })] }) });
    expect(await withToken(token)).toBe('permission_denied');
    store.replace({ sha: '', config: config({ jwt: [] }) });
    expect(await withToken(token)).toBe('invalid_token');
    expect(idp.fetches).toBe(before);
  });

  it('remembers a token no longer than it lives or the configured time', async () => {
    open({ auth: { tokenCacheSeconds: 10, jwt: [issuer({ clockToleranceSeconds: 0 })] } });
    const short = idp.token({ exp: Math.floor(Date.now() / 1_000) + 5 });
    const long = idp.token({ sub: 'user-2' });
    const checks = jest.spyOn(TokenStrategy.prototype, 'verify');
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now);
    const both = async () => [await withToken(short), await withToken(long)];

    expect(await both()).toEqual(['user-1', 'user-2']);
    expect(await both()).toEqual(['user-1', 'user-2']);
    expect(checks).toHaveBeenCalledTimes(2);
    clock.mockReturnValue(now + 6_000);
    expect(await both()).toEqual(['invalid_token', 'user-2']);
    expect(checks).toHaveBeenCalledTimes(3);
    clock.mockReturnValue(now + 10_000);
    expect(await withToken(long)).toBe('user-2');
    expect(checks).toHaveBeenCalledTimes(4);
    jest.restoreAllMocks();
  });
});
