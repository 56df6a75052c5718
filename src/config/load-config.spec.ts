import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleKinds, sampleQuickStart, sampleYaml, temporaryDirectory } from '../../test/support/config-samples.js';
import { parseApiKey } from '../contract/api-key.js';
import { ConfigError } from './config.problem.js';
import { loadConfig } from './load-config.js';

const PEPPER = 'p'.repeat(32);
const minimal =
  'providers: { desk: { kind: paper } }\nmodels: { small: { deployments: [{ provider: desk, model: m }] } }\n';

const directory = temporaryDirectory();
afterAll(() => directory.remove());
mkdirSync(join(directory.path, 'secrets'));
writeFileSync(join(directory.path, 'secrets/sky'), 'sky-secret\n');

const load = (environment: Record<string, string>, workingDirectory = directory.path) =>
  loadConfig({ kinds: sampleKinds, quickStart: sampleQuickStart, environment, workingDirectory });

const loadText = (text: string, environment: Record<string, string> = {}) => {
  const path = join(directory.path, 'case.yaml');
  writeFileSync(path, text);
  return load({ ...environment, TOLLGATE_CONFIG: path });
};

const refusal = (text: string, environment: Record<string, string> = {}): string[] => {
  try {
    loadText(text, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(`${directory.path}/`, '').split('\n');
    throw error;
  }
  return [];
};

describe('loadConfig', () => {
  it('serves a quick start where there is no file, under one generated key', () => {
    const { snapshot, quickStartKey, file } = load({ TOLLGATE_CONFIG: '' });
    expect(snapshot).toMatchObject({ version: 1, source: 'quick-start' });
    expect(snapshot.config.keys).toMatchObject([{ id: 'quick-start', secret: quickStartKey, organisation: 'default' }]);
    expect(parseApiKey(quickStartKey ?? '')).toBeDefined();
    expect(snapshot.config.models.small?.deployments).toMatchObject([{ provider: 'desk', model: 'paper-1' }]);
    expect(file).toBeUndefined();
    expect(load({}).quickStartKey).not.toBe(quickStartKey);
  });

  it('takes ./tollgate.yaml, and the file that TOLLGATE_CONFIG names before it', () => {
    const home = temporaryDirectory();
    writeFileSync(join(home.path, 'tollgate.yaml'), minimal);
    writeFileSync(join(home.path, 'other.yaml'), `${minimal}logging: { level: debug }\n`);
    expect(load({}, home.path).snapshot).toMatchObject({ source: 'file', config: { logging: { level: 'info' } } });
    const named = load({ TOLLGATE_CONFIG: 'other.yaml' }, home.path);
    expect(named.snapshot.config.logging.level).toBe('debug');
    expect(named.file?.path).toBe(join(home.path, 'other.yaml'));
    expect(named.quickStartKey).toBeUndefined();
    home.remove();
  });

  it('never falls back to a quick start where a file was named', () => {
    expect(() => load({ TOLLGATE_CONFIG: 'gone.yaml' })).toThrow(/gone\.yaml: the file cannot be read \(ENOENT\)/);
  });

  it('resolves references and fills in defaults', () => {
    const { config } = loadText(sampleYaml, { PORT: '9000' }).snapshot;
    expect(config.server).toMatchObject({ port: 9000, adminPort: 8081 });
    expect(config.providers.sky).toEqual({
      kind: 'cloud',
      settings: { endpoint: 'https://sky.example.com', apiKey: 'sky-secret' },
    });
    expect(config.organisations.default).toEqual({ limits: {}, teams: {} });
    expect(config.organisations.research?.teams).toEqual({
      vision: { limits: { tokensPerMinute: 100_000 } },
      speech: { limits: {} },
    });
    expect(config.keys[0]?.models).toEqual(['small']);
  });

  it('freezes everything and gives maps no prototype', () => {
    const { config } = loadText(sampleYaml, { PORT: '1' }).snapshot;
    expect(() => (config.keys as unknown[]).push(1)).toThrow(TypeError);
    expect(() => Object.assign(config.server, { port: 1 })).toThrow(TypeError);
    expect(config.models['constructor']).toBeUndefined();
    expect('toString' in config.organisations).toBe(false);
  });

  it('has the same sha for the same text, whatever the secrets are', () => {
    const first = loadText(sampleYaml, { PORT: '1' });
    const second = loadText(sampleYaml, { PORT: '2' });
    expect(second.snapshot.sha).toBe(first.snapshot.sha);
    expect(second.fingerprint).not.toBe(first.fingerprint);
  });

  it('lets the environment set the ports, with a file and without', () => {
    const environment = { TOLLGATE_PORT: '0', TOLLGATE_ADMIN_PORT: '1', TOLLGATE_METRICS_PORT: '2' };
    const expected = { port: 0, adminPort: 1, metricsPort: 2 };
    expect(load(environment).snapshot.config.server).toMatchObject(expected);
    expect(loadText(`${minimal}server: { port: 7 }\n`, environment).snapshot.config.server).toMatchObject(expected);
  });

  it('refuses a port that is none, and overlooks what Kubernetes sets beside a Service', () => {
    expect(refusal(minimal, { TOLLGATE_PORT: '70000' })).toEqual([
      'case.yaml:1:1 server.port: TOLLGATE_PORT must be a port, 0 to 65535',
    ]);
    const { server } = loadText(minimal, { TOLLGATE_PORT: 'tcp://10.0.0.1:80' }).snapshot.config;
    expect(server.port).toBe(8080);
  });

  it('turns referenced text into the number or boolean that is wanted, and into nothing else', () => {
    const text = `${minimal}server: { drainMs: "\${DRAIN}", docs: "\${DOCS}" }\nauth: { pepper: "\${PEPPER}" }\n`;
    const digits = '1'.repeat(32);
    const { config } = loadText(text, { DRAIN: '5', DOCS: 'false', PEPPER: digits }).snapshot;
    expect(config.server).toMatchObject({ drainMs: 5, docs: false });
    expect(config.auth.pepper).toBe(digits);
    expect(refusal(text, { DRAIN: 'soon', DOCS: 'false', PEPPER })).toEqual([
      'case.yaml:3:20 server.drainMs: expected number, not string',
    ]);
  });

  it('generates a pepper for the embedded store alone', () => {
    const peppers = [loadText(minimal), loadText(minimal)].map(({ snapshot }) => snapshot.config.auth.pepper);
    expect(peppers[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(peppers[1]).not.toBe(peppers[0]);
    expect(refusal(`${minimal}redis: { url: redis://store:6379 }\n`)).toEqual([
      expect.stringMatching(/^case\.yaml:1:1 auth\.pepper: is required with redis\.url \(for example from/),
    ]);
  });

  it('tells every mistake with its place and a hint, in the order of the file', () => {
    expect(
      refusal(
        `servr: 1\nserver:\n  prt: 1\n  port: "x"\nproviders:\n  p: { kind: papr }\n  q: { kind: cloud, apiky: "\${LACK}" }\nkeys:\n  - id: a b\n    organisation: 12\nmodels:\n  "a b": { deployments: [] }\n`,
      ),
    ).toEqual([
      'case.yaml:1:1 servr: unknown key (did you mean "server"?)',
      'case.yaml:3:3 server.prt: unknown key (did you mean "port"?)',
      'case.yaml:4:9 server.port: expected number, not string',
      'case.yaml:6:14 providers.p.kind: expected one of paper, cloud',
      'case.yaml:7:3 providers.q.endpoint: is required',
      'case.yaml:7:3 providers.q.apiKey: is required',
      'case.yaml:7:21 providers.q.apiky: unknown key (did you mean "apiKey"?)',
      'case.yaml:7:28 providers.q.apiky: the environment variable LACK is not set or empty',
      'case.yaml:9:9 keys[0].id: use 1 to 64 letters, digits, "_", "." or "-"',
      'case.yaml:10:19 keys[0].organisation: expected string, not number (put the value in quotes)',
      'case.yaml:12:3 models["a b"]: use 1 to 128 letters, digits or any of "_ . : / @ -"',
    ]);
  });

  it('tells fifty mistakes and counts the rest', () => {
    const lines = refusal(Array.from({ length: 60 }, (_, index) => `wrong${index}: 1`).join('\n'));
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toBe('case.yaml: and 10 more problems');
  });

  it('shows no secret in a refusal', () => {
    const KEY = 'key-secret'.repeat(4);
    const text = `${minimal}auth: { pepper: "\${PEPPER}" }\nkeys: [{ id: a, secret: "\${KEY}" }, { id: a, secret: "\${KEY}" }]\n`;
    const lines = refusal(text, { PEPPER: 'short-secret', KEY });
    expect(lines).toHaveLength(1);
    expect(refusal(text, { PEPPER, KEY })).toHaveLength(2);
    expect(refusal(text, { PEPPER, KEY: 'key-secret' })).toHaveLength(4);
    const all = [...lines, ...refusal(text, { PEPPER, KEY }), ...refusal(text, { PEPPER, KEY: 'key-secret' })];
    expect(all.join()).not.toMatch(/short-secret|key-secret/);
  });

  it('refuses a file that is too large', () => {
    expect(refusal(`#${'x'.repeat(10_485_760)}`)).toEqual(['case.yaml: the file is larger than 10485760 bytes']);
  });
});
