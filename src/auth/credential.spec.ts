import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '../contract/errors.js';
import { extractCredential, refuseRepeatedHeaders } from './credential.js';

function refusalOf(action: () => unknown): GatewayError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

describe('extractCredential', () => {
  it.each<[string, IncomingHttpHeaders]>([
    ['OpenAI', { authorization: 'Bearer tg_a' }],
    ['any case of the scheme', { authorization: 'bEARER   tg_a' }],
    ['Azure OpenAI', { 'api-key': 'tg_a' }],
    ['Anthropic', { 'x-api-key': 'tg_a' }],
    ['Google', { 'x-goog-api-key': 'tg_a' }],
    ['the same one in several headers', { authorization: 'Bearer tg_a', 'api-key': 'tg_a', 'x-api-key': 'tg_a' }],
    ['empty headers beside it', { authorization: '', 'api-key': '', 'x-api-key': 'tg_a' }],
  ])('reads the credential as sent by %s', (_name, headers) => {
    expect(extractCredential(headers)).toBe('tg_a');
  });

  it('finds none where none of the four headers is set', () => {
    expect(extractCredential({ cookie: 'authorization=tg_a', 'x-forwarded-user': 'admin' })).toBeUndefined();
  });

  it.each(['Basic dXNlcjpw', 'Bearer', 'Bearer a b', 'tg_a', 'AWS4-HMAC-SHA256 Credential=x'])(
    'refuses the Authorization "%s"',
    (authorization) => {
      const refusal = refusalOf(() => extractCredential({ authorization, 'x-api-key': 'tg_a' }));
      expect(refusal.code).toBe('authentication_required');
      expect(refusal.headers).toEqual({ 'www-authenticate': 'Bearer realm="tollgate"' });
    },
  );

  it('refuses different credentials and says so', () => {
    const refusal = refusalOf(() => extractCredential({ authorization: 'Bearer tg_a', 'x-goog-api-key': 'tg_b' }));
    expect(refusal.code).toBe('invalid_api_key');
    expect(refusal.message).toContain('different credentials');
    expect(refusal.message).not.toContain('tg_');
  });
});

describe('refuseRepeatedHeaders', () => {
  it('refuses a second header of any case and closes the connection', () => {
    const refusal = refusalOf(() =>
      refuseRepeatedHeaders(['Host', 'x', 'Authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer a']),
    );
    expect(refusal).toMatchObject({ code: 'invalid_request', status: 400, headers: { connection: 'close' } });
  });

  it('refuses a second Host, and names it', () => {
    const refusal = refusalOf(() => refuseRepeatedHeaders(['Host', 'x', 'Authorization', 'Bearer a', 'host', 'x']));
    expect(refusal).toMatchObject({ code: 'invalid_request', headers: { connection: 'close' } });
    expect(refusal.message).toContain('Host');
  });

  it('looks at names alone', () => {
    expect(() =>
      refuseRepeatedHeaders(['Authorization', 'Bearer a', 'x-a', 'authorization', 'x-b', 'authorization']),
    ).not.toThrow();
  });
});
