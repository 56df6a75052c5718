import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../contract/json.js';
import { Transport } from '../../transport/transport.js';
import {
  FAKE_GOOGLE_TOKEN,
  FakeGoogleTokens,
  fakeServiceAccount,
  fakeWorkloadIdentity,
} from '../../../test/support/fake-google-tokens.ts';
import { contextOf } from '../../../test/support/provider-context.ts';
import { GoogleToken, googleTokenSource, type AccessToken } from './vertex.credential.js';

describe('GoogleToken', () => {
  let nowMs = 0;
  let asked: PromiseWithResolvers<AccessToken>[] = [];
  const token = (): GoogleToken =>
    new GoogleToken(
      () => {
        const next = Promise.withResolvers<AccessToken>();
        asked.push(next);
        return next.promise;
      },
      () => nowMs,
    );
  beforeEach(() => {
    nowMs = 0;
    asked = [];
  });

  async function held(subject: GoogleToken): Promise<void> {
    const first = subject.getFor(contextOf());
    asked[0]?.resolve({ token: 'one', expiresAtMs: 3_600_000 });
    await expect(first).resolves.toBe('one');
  }

  it('asks once for however many calls wait', async () => {
    const subject = token();
    const waiting = [subject.getFor(contextOf()), subject.getFor(contextOf())];
    asked[0]?.resolve({ token: 'one', expiresAtMs: 3_600_000 });
    await expect(Promise.all(waiting)).resolves.toEqual(['one', 'one']);
    expect(asked).toHaveLength(1);
  });

  it('renews ahead of the end, once, while calls go on with the old token', async () => {
    const subject = token();
    await held(subject);
    nowMs = 3_359_999;
    await expect(subject.getFor(contextOf())).resolves.toBe('one');
    expect(asked).toHaveLength(1);
    nowMs = 3_360_000;
    await expect(subject.getFor(contextOf())).resolves.toBe('one');
    await expect(subject.getFor(contextOf())).resolves.toBe('one');
    expect(asked).toHaveLength(2);
    asked[1]?.resolve({ token: 'two', expiresAtMs: 7_200_000 });
    await asked[1]?.promise;
    await Promise.resolve();
    await expect(subject.getFor(contextOf())).resolves.toBe('two');
  });

  it('lives with a failed renewal as long as the old token holds, and no longer', async () => {
    const subject = token();
    await held(subject);
    nowMs = 3_500_000;
    await expect(subject.getFor(contextOf())).resolves.toBe('one');
    asked[1]?.reject(new Error('down'));
    nowMs = 3_600_000;
    const late = subject.getFor(contextOf());
    asked.at(-1)?.reject(new Error('still down'));
    await expect(late).rejects.toMatchObject({ code: 'provider_authentication', status: 502 });
  });

  it('ends with the call that waits', async () => {
    const subject = token();
    const abort = new AbortController();
    const waiting = subject.getFor(contextOf({ signal: abort.signal }));
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'client_closed' });
    const late = subject.getFor(contextOf({ timeouts: { totalMs: 1 } }));
    await expect(late).rejects.toMatchObject({ code: 'provider_timeout' });
  });
});

describe('googleTokenSource', () => {
  const tokens = new FakeGoogleTokens();
  const transport = new Transport({ connectionsPerOrigin: 8, keepAliveMs: 4_000, maxResponseBytes: 1_048_576 });
  const directory = mkdtempSync(join(tmpdir(), 'tollgate-'));
  const subjectFile = join(directory, 'token');
  let origin = '';
  const file = (text: string): JsonObject => JSON.parse(text) as JsonObject;

  beforeAll(async () => {
    origin = await tokens.listen();
    writeFileSync(subjectFile, 'subject-token');
  });
  beforeEach(() => {
    tokens.requests.length = 0;
    tokens.status = undefined;
  });
  afterAll(async () => {
    await transport.close();
    await tokens.close();
    rmSync(directory, { recursive: true });
  });

  it('signs for a service account, at the token_uri of its file', async () => {
    const { token, expiresAtMs } = await googleTokenSource(transport, file(fakeServiceAccount(origin)))();
    expect(token).toBe(`${FAKE_GOOGLE_TOKEN}-1`);
    expect(Math.abs(expiresAtMs - Date.now() - 3_600_000)).toBeLessThan(60_000);
    const [request] = tokens.requests;
    expect(request?.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const claims = request?.get('assertion')?.split('.')[1] ?? '';
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))).toMatchObject({
      iss: 'gateway@fake-project.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    });
  });

  it('exchanges the token of a workload identity', async () => {
    const source = googleTokenSource(transport, file(fakeWorkloadIdentity(origin, subjectFile)));
    await expect(source()).resolves.toMatchObject({ token: `${FAKE_GOOGLE_TOKEN}-1` });
    expect(tokens.requests[0]?.get('subject_token')).toBe('subject-token');
    expect(tokens.requests[0]?.get('scope')).toBe('https://www.googleapis.com/auth/cloud-platform');
  });

  it('takes the user of a gcloud login', async () => {
    const user = { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'refresh-1' };
    const source = googleTokenSource(transport, { ...user, token_uri: `${origin}/token` });
    await expect(source()).resolves.toMatchObject({ token: `${FAKE_GOOGLE_TOKEN}-1` });
    expect(tokens.requests[0]?.get('refresh_token')).toBe('refresh-1');
  });

  it('asks for a new token when asked again near the end of the last', async () => {
    tokens.expiresInSeconds = 200;
    const source = googleTokenSource(transport, file(fakeServiceAccount(origin)));
    await source();
    await expect(source()).resolves.toMatchObject({ token: `${FAKE_GOOGLE_TOKEN}-2` });
    tokens.expiresInSeconds = 3_600;
  });

  it('fails where the endpoint refuses', async () => {
    tokens.status = 400;
    await expect(googleTokenSource(transport, file(fakeServiceAccount(origin)))()).rejects.toThrow();
  });
});
