import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { FakeIdp } from '../../test/support/fake-idp.ts';
import { buildConfig } from '../config/build-config.js';
import { ConfigStore } from '../config/config.store.js';
import { FileReader } from '../config/file-reader.js';
import { createLogger } from '../config/logging.js';
import { generateApiKey } from '../contract/api-key.js';
import { BackgroundTasks } from '../state/background-tasks.js';
import { Authenticator } from './authenticator.js';
import { KeyStore } from './key.store.js';
import { Transport } from '../transport/transport.js';
import { TokenVerifier } from './token.verifier.js';

const KEY = generateApiKey();

const config = (document: Record<string, unknown>) =>
  buildConfig(
    { source: 'test', value: document },
    {
      kinds: [{ kind: 'test', settings: z.strictObject({}) }],
      environment: {},
      directory: '/',
      reader: new FileReader(),
      pepper: 'a pepper of more than thirty-two characters',
    },
  ).config;

describe('Authenticator', () => {
  let idp: FakeIdp;
  let store: ConfigStore;
  let tasks: BackgroundTasks;
  let authenticator: Authenticator;

  const issuer = (changes: object = {}) => ({
    issuer: idp.issuer,
    audience: 'tollgate',
    jwksUri: idp.jwksUri,
    ...changes,
  });
  const open = (document: Record<string, unknown>) => {
    const logger = createLogger('silent');
    store = new ConfigStore({ version: 1, sha: '', source: 'file', config: config(document) });
    tasks = new BackgroundTasks(logger);
    const tokens = new TokenVerifier(store, tasks, new Transport(store.current.config.transport), logger);
    tokens.onModuleInit();
    authenticator = new Authenticator(new KeyStore(store, logger), tokens, logger);
  };
  const withHeaders = async (headers: IncomingHttpHeaders): Promise<string> => {
    const result = await authenticator.authenticate(headers, '192.0.2.1');
    return 'caller' in result ? (result.caller.user ?? result.caller.id) : result.failure.code;
  };
  const withToken = (token: string) => withHeaders({ authorization: `Bearer ${token}` });
  const failureOf = async (token: string) => {
    const result = await authenticator.authenticate({ authorization: `Bearer ${token}` }, '192.0.2.1');
    if ('caller' in result) throw new Error('the credential was accepted');
    return result.failure;
  };

  beforeAll(async () => {
    idp = await FakeIdp.start();
  });
  beforeEach(() => {
    idp.behaviour = 'good';
    open({
      keys: [
        { id: 'good', secret: KEY },
        { id: 'gone', secret: generateApiKey(() => 1), expiresAt: '2020-01-01T00:00:00Z' },
      ],
      auth: { jwt: [issuer({ audience: ['tollgate', 'other'] })] },
    });
  });
  afterEach(() => tasks.drain(1_000));
  afterAll(() => idp.close());

  describe('with keys', () => {
    it('accepts a key in each header an SDK uses', async () => {
      for (const name of ['api-key', 'x-api-key', 'x-goog-api-key'])
        expect(await withHeaders({ [name]: KEY })).toBe('good');
      expect(await withToken(KEY)).toBe('good');
    });

    it('answers wrong, expired, malformed and huge keys alike', async () => {
      const keys = [generateApiKey(), generateApiKey(() => 1), 'tg_', 'sk-abc', `tg_${'a'.repeat(1_048_576)}`];
      const failures = await Promise.all(keys.map(failureOf));

      for (const { code, message, status, headers } of failures) {
        expect({ code, message, status, headers }).toEqual({
          code: 'invalid_api_key',
          status: 401,
          message: 'The API key is not valid.',
          headers: { 'www-authenticate': 'Bearer realm="tollgate", error="invalid_token"' },
        });
      }
    });

    it('asks for a credential where none is sent', async () => {
      expect(await withHeaders({})).toBe('authentication_required');
    });

    it('refuses a second Authorization header', async () => {
      const raw = ['authorization', `Bearer ${KEY}`, 'Authorization', `Bearer ${KEY}`];
      const result = await authenticator.authenticate({ authorization: `Bearer ${KEY}` }, '192.0.2.1', raw);
      expect(result).toMatchObject({ failure: { code: 'invalid_request' } });
    });

    it('takes identity from the credential alone', async () => {
      const spoofed = {
        'x-forwarded-for': '10.0.0.1',
        forwarded: 'for=10.0.0.1',
        'x-real-ip': '10.0.0.1',
        'x-tenant-id': 'acme',
        'x-tollgate-organisation': 'acme',
        'x-tollgate-user': 'admin',
        'x-litellm-user-id': 'admin',
        'x-litellm-team-id': 'admin',
        cookie: 'user=admin',
      };
      const plain = await authenticator.authenticate({ 'api-key': KEY }, '192.0.2.1');

      expect(await authenticator.authenticate({ 'api-key': KEY, ...spoofed }, '192.0.2.1')).toEqual(plain);
      expect(await withHeaders(spoofed)).toBe('authentication_required');
    });

    it('follows a reload', async () => {
      store.replace({ sha: '', config: config({ keys: [] }) });
      expect(await withToken(KEY)).toBe('invalid_api_key');
    });
  });

  describe('with tokens', () => {
    it('accepts a token like a key', async () => {
      expect(await withToken(idp.token())).toBe('user-1');
      expect(await withHeaders({ 'api-key': idp.token() })).toBe('user-1');
    });

    it('takes what has two dots for a token, where an issuer is configured', async () => {
      expect(await withToken('a.b.c')).toBe('invalid_token');
      open({ keys: [{ id: 'good', secret: KEY }] });
      expect(await withToken('a.b.c')).toBe('invalid_api_key');
    });

    it('answers 503 while the keys cannot be had, and serves keys all the while', async () => {
      idp.behaviour = 'status-500';
      open({ keys: [{ id: 'good', secret: KEY }], auth: { jwt: [issuer()] } });

      expect(await failureOf(idp.token())).toMatchObject({ code: 'authentication_unavailable', status: 503 });
      expect(await withToken(KEY)).toBe('good');
    });
  });
});
