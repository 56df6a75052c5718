import { sampleKinds } from '../../test/support/config-samples.js';
import { generateApiKey, hashApiKey } from '../contract/api-key.js';
import { configFindings } from './config.checks.js';
import { formatPath } from './config.problem.js';
import { configSchema } from './config.schema.js';

const HASH = 'ab'.repeat(32);
const PEPPER = 'p'.repeat(32);
const SECRET = 's'.repeat(32);
const KEY = generateApiKey();
const keyOf = (secret: string, index: number) => ({ id: `k${index}`, secret });
const base = {
  providers: { desk: { kind: 'paper' } },
  models: { small: { aliases: ['tiny'], deployments: [{ provider: 'desk', model: 'm' }] } },
};

/** Checks a document as it is after loading: the organisation "default" is there. */
const check = (document: object): string[] => {
  const config = configSchema(sampleKinds).parse({ ...base, ...document });
  config.organisations.default ??= { limits: {}, teams: {} };
  return configFindings(config).map(({ path, message, hint }) =>
    [`${formatPath(path)}: ${message}`, ...(hint === undefined ? [] : [hint])].join(' | '),
  );
};

const issuer = { issuer: 'https://a.example.com', audience: 'tollgate', jwksUri: 'https://a.example.com/keys' };
const limits = { requestsPerMinute: 5 };
const unreachableOrganisation =
  'organisations.lab.limits: the limits never match: no key and no issuer leads to this organisation' +
  ' | remove them, or give a key "organisation: lab"';
const unreachableTeam =
  'organisations.lab.teams.web.limits: the limits never match: no key and no issuer leads to this team' +
  ' | remove them, or give a key "team: web"';

describe('configFindings', () => {
  it('finds nothing in a sound configuration', () => {
    expect(
      check({
        keys: [{ id: 'a', secret: SECRET, organisation: 'lab', team: 'web', models: ['tiny'], limits }],
        organisations: { lab: { limits, models: ['small'], teams: { web: { limits } } } },
        auth: { jwt: [issuer] },
      }),
    ).toEqual([]);
  });

  it.each([
    [
      'two listeners on one port',
      { server: { port: 80, adminPort: 80 } },
      ['server.adminPort: the same port as server.port'],
    ],
    [
      'a host that is none',
      { server: { host: '[::1]' } },
      [
        'server.host: is no host name and no IP address' +
          ' | for example 0.0.0.0 (all addresses of IPv4), :: (all), 127.0.0.1; without scheme, port and brackets',
      ],
    ],
    ['any free port twice', { server: { port: 0, adminPort: 0 } }, []],
    ['an old pepper alone', { auth: { previousPepper: PEPPER } }, ['auth.previousPepper: needs auth.pepper beside it']],
    ['a cluster of nothing', { redis: { mode: 'cluster' } }, ['redis.mode: "cluster" needs redis.url']],
    [
      'sentinels without a name',
      { redis: { mode: 'sentinel', url: 'redis://a:1' }, auth: { pepper: PEPPER } },
      ['redis.sentinelName: is required in sentinel mode'],
    ],
    [
      'a hash without its pepper',
      { keys: [{ id: 'a', hash: HASH }] },
      [
        'keys[0].hash: a key by hash needs auth.pepper: its hash was made under it' +
          ' | set auth.pepper, or give the key as "secret"',
      ],
    ],
    ['a hash with its pepper', { keys: [{ id: 'a', hash: HASH }], auth: { pepper: PEPPER } }, []],
    [
      'keys that are one',
      {
        keys: [
          { id: 'a', secret: SECRET },
          { id: 'a', secret: SECRET },
        ],
      },
      ['keys[1].id: the same id as keys[0].id', 'keys[1].secret: the same secret as keys[0].secret'],
    ],
    [
      'hashes that are one',
      {
        keys: [
          { id: 'a', hash: HASH },
          { id: 'b', hash: HASH },
        ],
        auth: { pepper: PEPPER },
      },
      ['keys[1].hash: the same hash as keys[0].hash'],
    ],
    [
      'a key given once by secret and once by hash',
      {
        keys: [
          { id: 'a', secret: KEY },
          { id: 'b', hash: hashApiKey(PEPPER, KEY) },
          { id: 'c', hash: hashApiKey('q'.repeat(32), KEY) },
        ],
        auth: { pepper: PEPPER, previousPepper: 'q'.repeat(32) },
      },
      [
        'keys[1].hash: the same key as keys[0].secret | remove one of them',
        'keys[2].hash: the same key as keys[0].secret | remove one of them',
      ],
    ],
    [
      'a key of ours that was not copied whole',
      { keys: [{ id: 'a', secret: KEY.slice(0, -1) }] },
      [
        'keys[0].secret: starts with "tg_" and is no Tollgate key: its length, characters or checksum are wrong' +
          ' | copy the key whole; "npm run key:new" makes a new one',
      ],
    ],
    [
      'secrets that no key may be',
      { keys: ['s'.repeat(31), 's'.repeat(513), `${SECRET} s`].map((secret, index) => ({ id: `k${index}`, secret })) },
      [0, 1, 2].map(
        (index) =>
          `keys[${index}].secret: is neither a Tollgate key nor another secret of 32 to 512 printable characters` +
          ' | "npm run key:new" makes a key',
      ),
    ],
    ['a key of ours, and secrets of both lengths', { keys: [KEY, SECRET, 's'.repeat(512)].map(keyOf) }, []],
    [
      'an unknown organisation',
      { keys: [{ id: 'a', secret: SECRET, organisation: 'defualt' }] },
      ['keys[0].organisation: there is no organisation "defualt" | did you mean "default"?'],
    ],
    [
      'an organisation named like a member of every object',
      { keys: [{ id: 'a', secret: SECRET, organisation: 'constructor' }] },
      ['keys[0].organisation: there is no organisation "constructor"'],
    ],
    [
      'an unknown team',
      { keys: [{ id: 'a', secret: SECRET, team: 'web' }] },
      ['keys[0].team: there is no team "web" in the organisation "default"'],
    ],
    [
      'unknown models in allow-lists',
      {
        keys: [{ id: 'a', secret: SECRET, models: ['small', 'smal'] }],
        organisations: { default: { models: ['nothing-like-it'] } },
      },
      [
        'organisations.default.models[0]: there is no model "nothing-like-it"',
        'keys[0].models[1]: there is no model "smal" | did you mean "small"?',
      ],
    ],
    [
      'an unknown provider',
      { models: { small: { deployments: [{ provider: 'dessk', model: 'm' }] } } },
      ['models.small.deployments[0].provider: there is no provider "dessk" | did you mean "desk"?'],
    ],
    [
      'aliases that are taken',
      {
        models: {
          one: { aliases: ['two', 'x', 'one'], deployments: [{ provider: 'desk', model: 'm' }] },
          two: { aliases: ['x'], deployments: [{ provider: 'desk', model: 'm' }] },
        },
      },
      [
        'models.one.aliases[0]: "two" already names the model "two"',
        'models.one.aliases[2]: "one" already names the model "one"',
        'models.two.aliases[0]: "x" already names the model "one"',
      ],
    ],
  ])('judges %s', (_name, document, expected) => {
    expect(check(document)).toEqual(expected);
  });

  it.each([
    [
      'two issuers of one name',
      { jwt: [issuer, issuer] },
      ['auth.jwt[1].issuer: the same issuer as auth.jwt[0].issuer'],
    ],
    [
      'keys over plain http',
      { jwt: [{ ...issuer, jwksUri: 'http://a.example.com/keys' }] },
      ['auth.jwt[0].jwksUri: must be https, or http on loopback'],
    ],
    ['keys over http on loopback', { jwt: [{ ...issuer, jwksUri: 'http://127.0.0.1:9/keys' }] }, []],
    [
      'a grant behind its equal',
      {
        jwt: [
          {
            ...issuer,
            grants: [
              { claim: 'role', value: 'x' },
              { claim: 'role', value: 'x', limits },
            ],
          },
        ],
      },
      ['auth.jwt[0].grants[1]: never matches: an earlier grant has the same claim and value'],
    ],
    [
      'grants that lead nowhere',
      { jwt: [{ ...issuer, grants: [{ claim: 'role', value: 'x', organisation: 'lab', models: ['larg'] }] }] },
      [
        'auth.jwt[0].grants[0].organisation: there is no organisation "lab"',
        'auth.jwt[0].grants[0].models[0]: there is no model "larg"',
      ],
    ],
    [
      'the team of a grant whose organisation a claim tells',
      { jwt: [{ ...issuer, claims: { organisation: 'org' }, grants: [{ claim: 'role', value: 'x', team: 'web' }] }] },
      ['auth.jwt[0].grants[0].team: there is no team "web"'],
    ],
  ])('judges %s', (_name, auth, expected) => {
    expect(check({ auth })).toEqual(expected);
  });

  const lab = { lab: { limits, teams: { web: { limits } } } };
  const key = { id: 'a', secret: SECRET, organisation: 'lab' };
  it.each([
    ['nobody', {}, [unreachableOrganisation]],
    ['a key without a team', { keys: [key] }, [unreachableTeam]],
    ['a key of the team', { keys: [{ ...key, team: 'web' }] }, []],
    ['an issuer of the default organisation', { auth: { jwt: [issuer] } }, [unreachableOrganisation]],
    [
      'an issuer whose tokens tell the organisation',
      { auth: { jwt: [{ ...issuer, claims: { organisation: 'org' } }] } },
      [unreachableTeam],
    ],
    [
      'an issuer whose tokens tell both',
      { auth: { jwt: [{ ...issuer, claims: { organisation: 'org', team: 'team' } }] } },
      [],
    ],
    [
      'a grant',
      { auth: { jwt: [{ ...issuer, grants: [{ claim: 'r', value: 'x', organisation: 'lab', team: 'web' }] }] } },
      [],
    ],
  ])('knows the limits that %s can reach', (_name, document, expected) => {
    expect(check({ ...document, organisations: lab })).toEqual(expected);
  });
});
