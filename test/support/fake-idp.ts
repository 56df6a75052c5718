import { constants, KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';

/** How the key set is answered: as it should be, or broken in one of the ways identity providers break. */
export type IdpBehaviour = 'good' | 'status-500' | 'silent' | 'empty' | 'html' | 'huge' | 'redirect' | 'reset';

type Algorithm = 'RS256' | 'PS256' | 'ES256';

/** A signing key of the provider. */
export interface IdpKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

/** A fresh key pair. */
export async function createIdpKey(kid: string, algorithm: Algorithm = 'RS256'): Promise<IdpKey> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(pair.publicKey);
  return {
    kid,
    algorithm,
    privateKey: KeyObject.from(pair.privateKey),
    publicKey: KeyObject.from(pair.publicKey),
    jwk: { ...jwk, kid, alg: algorithm, use: 'sig' },
  };
}

/** A compact token of exactly this header and payload, signed by `key`; nothing is checked or added. */
export function signToken(key: IdpKey, header: object, payload: object): string {
  return signTexts(key, JSON.stringify(header), JSON.stringify(payload));
}

/** Like signToken, for texts that JSON.stringify would not write. */
export function signTexts(key: IdpKey, header: string, payload: string): string {
  const input = [header, payload].map((text) => Buffer.from(text).toString('base64url')).join('.');
  const options = {
    RS256: { key: key.privateKey },
    PS256: { key: key.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
    ES256: { key: key.privateKey, dsaEncoding: 'ieee-p1363' as const },
  }[key.algorithm];
  return `${input}.${sign('sha256', Buffer.from(input), options).toString('base64url')}`;
}

/** An identity provider on loopback: publishes a key set, signs tokens, counts fetches, and breaks on demand. */
export class FakeIdp {
  behaviour: IdpBehaviour = 'good';
  /** Requests the key set got. */
  fetches = 0;
  /** Paths asked for besides the key set's. */
  readonly strayPaths: string[] = [];
  keys: IdpKey[] = [];
  issuer = '';
  jwksUri = '';
  private server: Server | undefined;
  private readonly held: ServerResponse[] = [];

  /** Listens on a free port with one RS256 key, `key-1`. */
  static async start(): Promise<FakeIdp> {
    const idp = new FakeIdp();
    idp.keys = [await createIdpKey('key-1')];
    idp.server = createServer((request, response) => {
      if (request.url === '/jwks') {
        idp.fetches += 1;
        idp.answer(response);
      } else {
        idp.strayPaths.push(request.url ?? '');
        idp.writeKeys(response);
      }
    });
    idp.server.listen(0, '127.0.0.1');
    await once(idp.server, 'listening');
    const { port } = idp.server.address() as AddressInfo;
    idp.issuer = `http://127.0.0.1:${port}`;
    idp.jwksUri = `${idp.issuer}/jwks`;
    return idp;
  }

  async close(): Promise<void> {
    if (this.server === undefined) return;
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** The first key. */
  get key(): IdpKey {
    const [key] = this.keys;
    if (key === undefined) throw new Error('the provider has no key');
    return key;
  }

  /** Replaces all keys by one new one. */
  async rotate(kid: string, algorithm: Algorithm = 'RS256'): Promise<void> {
    this.keys = [await createIdpKey(kid, algorithm)];
  }

  /** Claims that are accepted by an issuer whose audience is `tollgate`; lasts five minutes. */
  claims(overrides: object = {}): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1_000);
    return { iss: this.issuer, aud: 'tollgate', sub: 'user-1', iat: now, exp: now + 300, ...overrides };
  }

  /** A token by the first key. `undefined` in an override removes what it names. */
  token(claims: object = {}, header: object = {}): string {
    const { key } = this;
    return signToken(key, { alg: key.algorithm, typ: 'JWT', kid: key.kid, ...header }, this.claims(claims));
  }

  private answer(response: ServerResponse): void {
    switch (this.behaviour) {
      case 'good':
        return this.writeKeys(response);
      case 'status-500':
        response.writeHead(500).end('{"keys":[]}');
        return;
      case 'silent':
        this.held.push(response);
        return;
      case 'empty':
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":[]}');
        return;
      case 'html':
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Sign in</body></html>');
        return;
      case 'huge':
        response.on('error', () => undefined);
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk), padding: 'x'.repeat(10_485_760) }));
        return;
      case 'redirect':
        response.writeHead(302, { location: '/elsewhere' }).end();
        return;
      case 'reset':
        response.destroy();
    }
  }

  private writeKeys(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }));
  }
}
