import { createIdpKey, signToken, type IdpKey } from '../../test/support/fake-idp.ts';
import type { GatewayError } from '../contract/errors.js';
import { PemKeySource } from './key-source.js';
import { readTokenForm } from './token-form.js';
import { TokenStrategy } from './token.strategy.js';

/** The strategy must hold without the checks that come before it. */
describe('TokenStrategy', () => {
  let rsa: IdpKey;
  let strategy: TokenStrategy;

  const verify = (claims: object, header: object = {}, key = rsa): Promise<string> => {
    const now = Math.floor(Date.now() / 1_000);
    const payload = { iss: 'us', aud: 'tollgate', sub: 'ann', iat: now, exp: now + 60, ...claims };
    const token = signToken(key, { alg: key.algorithm, ...header }, payload);
    return strategy.verify({ token, form: readTokenForm(token) }).then(
      () => 'accepted',
      (error: unknown) => (error as GatewayError).code,
    );
  };

  beforeAll(async () => {
    rsa = await createIdpKey('rsa');
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    strategy = new TokenStrategy(
      {
        issuer: 'us',
        audience: ['tollgate', 'gate'],
        algorithms: ['RS256'],
        publicKey: pem,
        clockToleranceSeconds: 0,
        maxAgeSeconds: 600,
        claims: { user: 'sub' },
        grants: [],
        limits: {},
      },
      new PemKeySource(pem),
    );
  });

  it('accepts each pinned audience', async () => {
    expect(await verify({})).toBe('accepted');
    expect(await verify({ aud: 'gate' })).toBe('accepted');
  });

  it.each<[string, object]>([
    ['issuer', { iss: 'them' }],
    ['audience', { aud: 'elsewhere' }],
    ['age', { iat: Math.floor(Date.now() / 1_000) - 601 }],
    ['expiry', { exp: Math.floor(Date.now() / 1_000) - 1 }],
    ['missing expiry', { exp: undefined }],
    ['missing time of issue', { iat: undefined }],
  ])('refuses by %s', async (_name, claims) => {
    expect(await verify(claims)).toBe('invalid_token');
  });

  it('refuses an algorithm that fits the key but is not pinned', async () => {
    expect(await verify({}, {}, { ...rsa, algorithm: 'PS256' })).toBe('invalid_token');
  });

  it('keeps verifications that run at once apart', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => verify({ aud: index % 2 === 0 ? 'gate' : 'elsewhere' })),
    );
    expect(outcomes).toEqual(outcomes.map((_, index) => (index % 2 === 0 ? 'accepted' : 'invalid_token')));
  });
});
