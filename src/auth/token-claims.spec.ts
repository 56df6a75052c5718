import type { JwtIssuerConfig } from '../config/config.schema.js';
import { GatewayError } from '../contract/errors.js';
import { mapClaims, readClaim } from './token-claims.js';

const ORGANISATIONS = {
  default: { limits: {}, teams: {} },
  acme: { models: ['small', 'large'], limits: {}, teams: { search: { limits: {} } } },
};

const issuer = (changes: Partial<JwtIssuerConfig> = {}): JwtIssuerConfig => ({
  issuer: 'https://idp.example',
  audience: 'tollgate',
  algorithms: ['RS256'],
  publicKey: 'unused',
  clockToleranceSeconds: 30,
  maxAgeSeconds: 86_400,
  claims: { user: 'sub' },
  grants: [],
  limits: {},
  ...changes,
});

const map = (payload: object, changes: Partial<JwtIssuerConfig> = {}) =>
  mapClaims({ sub: 'ann', ...payload }, { issuer: issuer(changes), organisations: ORGANISATIONS });

function refusalOf(action: () => unknown): string {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof GatewayError && thrown.code === 'permission_denied') return thrown.message;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

describe('readClaim', () => {
  const payload = { realm: { roles: ['a'] }, 'https://x.example/role': 'b', 'a/b': { '~': 'c' } };

  it.each<[string, unknown]>([
    ['realm.roles', ['a']],
    ['/realm/roles', ['a']],
    ['/https:~1~1x.example~1role', 'b'],
    ['/a~1b/~0', 'c'],
    ['realm.none', undefined],
    ['realm.roles.length.x', undefined],
    ['constructor.name', undefined],
    ['__proto__', undefined],
  ])('reads %s', (path, value) => {
    expect(readClaim(payload, path)).toEqual(value);
  });
});

describe('mapClaims', () => {
  it('maps organisation, team and user by the configured claims', () => {
    const claims = { organisation: 'org.id', team: 'team', user: 'email' };

    expect(map({ org: { id: 'acme' }, team: 'search', email: 'ann@acme.example' }, { claims })).toEqual({
      method: 'jwt',
      id: expect.stringMatching(/^jwt-[0-9a-f]{32}$/),
      organisation: 'acme',
      team: 'search',
      user: 'ann@acme.example',
      models: new Set(['small', 'large']),
      limits: {},
    });
  });

  it('names callers by issuer and subject alone', () => {
    const { id } = map({});
    expect(map({ team: 'x', jti: 'y' }).id).toBe(id);
    expect(map({ sub: 'bob' }).id).not.toBe(id);
    expect(map({}, { issuer: 'https://idp.example/2' }).id).not.toBe(id);
  });

  it('lets the first matching grant decide', () => {
    const grants = [
      { claim: 'groups', value: 'ops', organisation: 'acme', limits: { requestsPerMinute: 9 } },
      { claim: 'groups', value: 'dev', organisation: 'acme', team: 'search', models: ['small', 'other'], limits: {} },
    ];
    const changes = { grants, limits: { requestsPerMinute: 1 } };

    expect(map({ groups: ['dev'] }, changes)).toMatchObject({
      organisation: 'acme',
      team: 'search',
      models: new Set(['small']),
      limits: { requestsPerMinute: 1 },
    });
    const both = map({ groups: ['dev', 'ops'] }, changes);
    expect(both).toMatchObject({ organisation: 'acme', limits: { requestsPerMinute: 9 } });
    expect(both.team).toBeUndefined();
  });

  it('reads scope as words', () => {
    const grants = [{ claim: 'scope', value: 'ai', limits: {} }];
    expect(map({ scope: 'openid ai' }, { grants }).organisation).toBe('default');
    expect(refusalOf(() => map({ scope: 'openid aid' }, { grants }))).toContain('no grant');
  });

  it.each<[string, object, Partial<JwtIssuerConfig>]>([
    ['no grant matches', { groups: ['dev'] }, { grants: [{ claim: 'groups', value: 'de', limits: {} }] }],
    ['organisation claim missing', {}, { claims: { organisation: 'org', user: 'sub' } }],
    ['organisation not declared', { org: 'evil' }, { claims: { organisation: 'org', user: 'sub' } }],
    ['organisation from the prototype', { org: 'constructor' }, { claims: { organisation: 'org', user: 'sub' } }],
    ['organisation no text', { org: ['acme'] }, { claims: { organisation: 'org', user: 'sub' } }],
    ['team claim missing', {}, { claims: { team: 'team', user: 'sub' } }],
    ['team not declared', { team: 'search' }, { claims: { team: 'team', user: 'sub' } }],
    ['user claim missing', {}, { claims: { user: 'email' } }],
    ['user claim too long', { email: 'a'.repeat(257) }, { claims: { user: 'email' } }],
    ['no subject', { sub: undefined, email: 'a' }, { claims: { user: 'email' } }],
    ['empty subject', { sub: '' }, {}],
  ])('denies a token that maps to nothing: %s', (_name, payload, changes) => {
    expect(refusalOf(() => map(payload, changes))).toMatch(/^The token is valid but gives no access: /);
  });
});
