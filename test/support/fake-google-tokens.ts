import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What every token of the fake begins with. */
export const FAKE_GOOGLE_TOKEN = 'fake-google-token';

/** Google's token endpoint on loopback: for service accounts (`/token`) and for workload identities (`/sts`). */
export class FakeGoogleTokens {
  /** The forms received, in order. */
  readonly requests: URLSearchParams[] = [];
  /** How long tokens hold, in seconds. */
  expiresInSeconds = 3_600;
  /** What requests are refused with; undefined = they are not. */
  status: number | undefined;
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        this.requests.push(new URLSearchParams(body));
        response.writeHead(this.status ?? 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(this.status === undefined ? this.answer() : { error: 'invalid_grant' }));
      });
    });
  }

  async listen(): Promise<string> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private answer(): object {
    return {
      access_token: `${FAKE_GOOGLE_TOKEN}-${this.requests.length}`,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: this.expiresInSeconds,
    };
  }
}

let privateKey: string | undefined;

/** A service account's file whose tokens come from the fake. The key is made once a process. */
export function fakeServiceAccount(origin: string): string {
  privateKey ??= generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey;
  return JSON.stringify({
    type: 'service_account',
    project_id: 'fake-project',
    private_key_id: 'key-1',
    private_key: privateKey,
    client_email: 'gateway@fake-project.iam.gserviceaccount.com',
    token_uri: `${origin}/token`,
  });
}

/** A workload identity's file: the subject's token is read from a file and exchanged at the fake. */
export function fakeWorkloadIdentity(origin: string, subjectTokenFile: string): string {
  return JSON.stringify({
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${origin}/sts`,
    credential_source: { file: subjectTokenFile },
  });
}
