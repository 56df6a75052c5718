import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { checkConfigFile } from '../../src/config/check-config.js';
import { generateApiKey, hashApiKey } from '../../src/contract/api-key.js';
import { KINDS } from '../../src/kinds.js';
import { FakeAzureOpenAI } from '../support/fake-azure-openai.ts';
import { FakeBedrock } from '../support/fake-bedrock.ts';
import { FakeIdp, signToken } from '../support/fake-idp.ts';
import { startGateway, type ConfigDocument, type GatewayProcess } from '../support/gateway-process.ts';
import { fencedBlocks } from './markdown.ts';

const ROOT = join(__dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const yamlOf = (path: string): string => {
  const [block, ...more] = fencedBlocks(read(path)).filter(({ language }) => language === 'yaml');
  if (block === undefined || more.length > 0) throw new Error(`${path} must hold one YAML file`);
  return block.text;
};

type Section = Record<string, Record<string, unknown>>;

/** What the test changes in the page's file. */
interface PageConfig {
  readonly redis: Record<string, unknown>;
  readonly auth: { readonly jwt: { issuer: string; audience: string; jwksUri: string }[] };
  readonly keys: Record<string, unknown>[];
  readonly providers: Section;
}

const ENVIRONMENT = {
  REDIS_URL: process.env['REDIS_URL'] ?? '',
  TOLLGATE_PEPPER: randomBytes(32).toString('hex'),
  AZURE_OPENAI_API_KEY: 'azure-test-key',
  GEMINI_API_KEY: 'gemini-test-key',
};
const AWS = { accessKeyId: 'AKIDREADME', secretAccessKey: 'aws-test-secret' };

describe('the configuration of README.md, its addresses led to fakes', () => {
  const azure = new FakeAzureOpenAI(ENVIRONMENT.AZURE_OPENAI_API_KEY);
  const bedrock = new FakeBedrock({ region: 'eu-central-1', keys: AWS });
  const key = generateApiKey();
  let idp: FakeIdp;
  let config: PageConfig;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    idp = await FakeIdp.start();
    config = parse(yamlOf('README.md')) as PageConfig;
    const [issuer] = config.auth.jwt;
    Object.assign(config.redis, { keyPrefix: `readme-${randomBytes(4).toString('hex')}` });
    Object.assign(config.keys[0] ?? {}, { hash: hashApiKey(ENVIRONMENT.TOLLGATE_PEPPER, key) });
    Object.assign(config.providers['azure'] ?? {}, { endpoint: await azure.listen() });
    Object.assign(config.providers['aws'] ?? {}, { endpoint: await bedrock.listen() });
    Object.assign(issuer ?? {}, { jwksUri: idp.jwksUri });
    const env = { ...ENVIRONMENT, AWS_ACCESS_KEY_ID: AWS.accessKeyId, AWS_SECRET_ACCESS_KEY: AWS.secretAccessKey };
    gateway = await startGateway({ config: config as unknown as ConfigDocument, env });
  }, 60_000);
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([azure.close(), bedrock.close(), idp.close()]);
  });

  const ask = (model: string, credential: string): Promise<Response> =>
    fetch(`${gateway.data}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }),
    });

  it('names no variable that this test does not know', () => {
    const names = [...yamlOf('README.md').matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
    expect(new Set(names)).toEqual(new Set(Object.keys(ENVIRONMENT)));
  });

  it('lets Bedrock answer for a model that fails at Azure, under either name', async () => {
    azure.defaultScript = { failure: { status: 503 } };
    bedrock.defaultScript = { reply: { text: 'Bedrock took over.' } };
    for (const model of ['chat', 'gpt-4o']) {
      const answer = await ask(model, key);
      expect(await answer.json()).toMatchObject({ choices: [{ message: { content: 'Bedrock took over.' } }] });
      expect(answer.status).toBe(200);
    }
    expect(azure.records.map(({ status }) => status)).toEqual([503, 503]);
    expect(bedrock.records.map(({ model }) => model)).toEqual(Array(2).fill(expect.stringContaining('claude')));
  });

  it('leaves Bedrock out while Azure answers', async () => {
    azure.reset();
    bedrock.reset();
    expect((await ask('chat', key)).status).toBe(200);
    expect([azure.records.length, bedrock.records.length]).toEqual([1, 0]);
  });

  it('counts the limits it declares', async () => {
    const { headers } = await ask('sandbox', key);
    expect(headers.get('x-ratelimit-limit-requests')).toBe('600');
    expect(headers.get('x-ratelimit-limit-tokens')).toBe('200000');
  });

  it('lets tokens of its issuer in, and nobody else', async () => {
    const [issuer] = config.auth.jwt;
    const [signer] = idp.keys;
    if (signer === undefined) throw new Error('the issuer has no key');
    const now = Math.floor(Date.now() / 1_000);
    const payload = { iss: issuer?.issuer, aud: issuer?.audience, sub: 'someone', iat: now, exp: now + 60 };
    const header = { alg: 'RS256', kid: signer.kid, typ: 'JWT' };
    expect((await ask('sandbox', signToken(signer, header, payload))).status).toBe(200);
    expect((await ask('sandbox', signToken(signer, header, { ...payload, aud: 'other' }))).status).toBe(401);
    expect((await ask('sandbox', 'tg_unknown')).status).toBe(401);
  });
});

describe('the complete file of docs/configuration.md', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'tollgate-docs-'));
    writeFileSync(join(directory, 'pepper'), 'a-pepper-for-tests-0123456789abcdef\n');
    writeFileSync(join(directory, 'gemini'), 'gemini-test-key\n');
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const check = (text: string) => {
    const file = join(directory, 'tollgate.yaml');
    writeFileSync(file, text);
    const kinds = KINDS.map(({ descriptor }) => descriptor);
    return checkConfigFile(file, kinds, { REDIS_URL: 'redis://127.0.0.1', AZURE_FRANCE_KEY: 'a', SECRETS: directory });
  };

  it('passes the check', async () => {
    expect(await check(yamlOf('docs/configuration.md'))).toMatchObject({ ok: true });
  });

  it('would fail it with one wrong name', async () => {
    const wrong = yamlOf('docs/configuration.md').replace('team: search', 'team: serach');
    expect(await check(wrong)).toMatchObject({ ok: false, report: expect.stringContaining('did you mean "search"') });
  });
});

describe('the example of docs/errors.md', () => {
  let gateway: GatewayProcess;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.stop());

  it('is what the gateway answers', async () => {
    const [example] = fencedBlocks(read('docs/errors.md')).filter(({ language }) => language === 'json');
    const key = /tg_\w{48}/.exec(gateway.output())?.[0];
    const answer = await fetch(`${gateway.data}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: '{"model":"sandbox","messages":[{"role":"user","content":[{"type":"text","text":7}]}]}',
    });
    expect(await answer.json()).toEqual(JSON.parse(example?.text ?? ''));
  });
});
