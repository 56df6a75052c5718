import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateApiKey } from '../../src/contract/api-key.js';
import { FakeBedrock } from '../support/fake-bedrock.ts';
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts';

const TOKEN = 'Bearer token-of-the-container';
const FIRST = { accessKeyId: 'ASIAFIRST', secretAccessKey: 'first-secret', sessionToken: 'first-token' };
const SECOND = { accessKeyId: 'ASIASECOND', secretAccessKey: 'second-secret', sessionToken: 'second-token' };
const MODEL = 'amazon.nova-lite-v1:0';

/** What ECS and EKS offer beside a container: temporary keys over HTTP. The first are about to expire. */
class ContainerCredentials {
  /** How many were ever asked for at once. */
  mostAtOnce = 0;
  private atOnce = 0;
  private asked = 0;
  /** Lets the answers after the first go out. */
  release: () => void = () => undefined;
  /** Resolves when keys are asked for a second time. */
  readonly askedAgain: Promise<void>;
  private readonly server: Server;

  constructor() {
    const released = new Promise<void>((resolve) => (this.release = resolve));
    let again: () => void = () => undefined;
    this.askedAgain = new Promise((resolve) => (again = resolve));
    this.server = createServer((request, response) => {
      if (request.headers.authorization !== TOKEN) return void response.writeHead(401).end();
      this.asked += 1;
      this.atOnce += 1;
      this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
      response.once('close', () => (this.atOnce -= 1));
      const isFirst = this.asked === 1;
      const answer = isFirst ? credentials(FIRST, 60) : credentials(SECOND, 3_600);
      const send = (): void => void response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
      if (isFirst) return send();
      again();
      void released.then(send);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/credentials`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

function credentials(keys: typeof FIRST, seconds: number): object {
  return {
    AccessKeyId: keys.accessKeyId,
    SecretAccessKey: keys.secretAccessKey,
    Token: keys.sessionToken,
    Expiration: new Date(Date.now() + seconds * 1_000).toISOString(),
  };
}

describe('the default chain in a container', () => {
  const fake = new FakeBedrock({ region: 'eu-central-1', keys: FIRST, moreKeys: [SECOND] });
  const container = new ContainerCredentials();
  const key = generateApiKey();
  let gateway: GatewayProcess | undefined;

  beforeAll(async () => {
    const endpoint = await fake.listen();
    gateway = await startGateway({
      config: {
        auth: { pepper: 'a-pepper-for-tests-0123456789abcdef' },
        organisations: { 'org-container': {} },
        keys: [{ id: 'caller', secret: key, organisation: 'org-container' }],
        providers: { aws: { kind: 'bedrock', region: 'eu-central-1', endpoint } },
        models: { chat: { deployments: [{ provider: 'aws', model: MODEL }] } },
        ...(process.env['REDIS_URL'] === undefined ? {} : { redis: { url: process.env['REDIS_URL'] } }),
      },
      env: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: await container.listen(),
        AWS_CONTAINER_AUTHORIZATION_TOKEN: TOKEN,
        AWS_CONFIG_FILE: '/none',
        AWS_SHARED_CREDENTIALS_FILE: '/none',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    });
  });
  afterAll(async () => {
    await gateway?.stop();
    container.close();
    await fake.close();
  });

  async function ask(): Promise<number> {
    const answer = await fetch(`${gateway?.data}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Hello' }] }),
    });
    await answer.text();
    return answer.status;
  }

  const signedWith = (): unknown[] => fake.records.map(({ headers }) => headers['x-amz-security-token']);

  it('signs with the keys of the container, asked for once at a time by many calls', async () => {
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([200, 200, 200]);
    expect(signedWith()).toEqual([FIRST.sessionToken, FIRST.sessionToken, FIRST.sessionToken]);
    expect(container.mostAtOnce).toBe(1);
  });

  it('renews keys ahead of their expiry, one at a time, while calls go on with the old ones', async () => {
    expect(await Promise.all([ask(), ask()])).toEqual([200, 200]);
    await container.askedAgain;
    expect(await ask()).toBe(200);
    expect(new Set(signedWith())).toEqual(new Set([FIRST.sessionToken]));
    container.release();
    for (let calls = 0; calls < 200 && signedWith().at(-1) !== SECOND.sessionToken; calls += 1) {
      expect(await ask()).toBe(200);
    }
    expect(signedWith().at(-1)).toBe(SECOND.sessionToken);
    expect(container.mostAtOnce).toBe(1);
  });
});
