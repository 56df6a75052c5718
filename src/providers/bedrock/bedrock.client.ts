import { BedrockRuntimeClient, type BedrockRuntimeClientConfig } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { GatewayError } from '../../contract/errors.js';
import type { AttemptContext } from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';
import type { UpstreamRequest } from '../../transport/upstream.js';
import type { BedrockRole, BedrockSettings } from './bedrock.config.js';
import { RefreshedKeys } from './bedrock.keys.js';
import { assumeRoleForm, readAssumedRole, type RoleCredentials } from './bedrock.role.js';

/** What the runtime is asked to do with a model. */
export type BedrockAction = 'converse' | 'converse-stream' | 'invoke' | 'count-tokens';

export interface BedrockCall {
  readonly action: BedrockAction;
  readonly model: string;
  /** JSON text. */
  readonly body: string;
  readonly context: AttemptContext;
}

type Headers = Record<string, string>;

/** A request before it is authorised. */
interface Unsigned {
  readonly endpoint: URL;
  /** Encoded, without the endpoint's own path. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

type Authorise = (request: Unsigned) => Promise<Headers>;

const STS_TIMEOUT_MS = 10_000;

/**
 * The one place that constructs the AWS SDK. Endpoint, credentials (cached and refreshed) and signature are the
 * SDK's; the bytes are sent by our transport, so the SDK's own send, retries and timeouts play no part.
 */
export class BedrockClient {
  /** Texts of the settings that must not reach a caller: keys, and the host when it is not Amazon's. */
  readonly secrets: readonly string[];
  private readonly sdk: BedrockRuntimeClient;
  private readonly endpoint: Promise<URL>;
  private authorise: Promise<Authorise> | undefined;

  constructor(
    private readonly settings: BedrockSettings,
    private readonly transport: Transport,
  ) {
    const { accessKeyId, secretAccessKey, sessionToken, apiKey } = settings.credentials ?? {};
    const host = settings.endpoint === undefined ? undefined : new URL(settings.endpoint).hostname;
    this.secrets = [accessKeyId, secretAccessKey, sessionToken, apiKey, host].filter((text) => text !== undefined);
    this.sdk = new BedrockRuntimeClient({
      region: settings.region,
      ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
      ...this.credentials(),
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler(),
    });
    this.endpoint = resolveEndpoint(this.sdk, settings);
    // Whoever sends first hears of a failure; nobody must hear of it before.
    this.endpoint.catch(() => undefined);
  }

  /** The request of one call, ready to be sent. Rejects with GatewayError `provider_authentication` or `client_closed`. */
  async request({ action, model, body, context }: BedrockCall): Promise<UpstreamRequest> {
    const endpoint = await this.endpoint;
    const path = `/model/${encodeLabel(model)}/${action}`;
    const unsigned = { endpoint, path, headers: { 'content-type': 'application/json' }, body: Buffer.from(body) };
    const headers = await settled(this.sign(unsigned), context.signal);
    return { method: 'POST', url: join(endpoint, path), headers, body: unsigned.body, context };
  }

  /** Releases what the SDK holds. */
  close(): void {
    this.sdk.destroy();
  }

  private async sign(request: Unsigned): Promise<Headers> {
    try {
      this.authorise ??= createAuthorise(this.sdk, this.settings.region);
      return await (
        await this.authorise
      )(request);
    } catch (error) {
      this.authorise = undefined;
      if (error instanceof GatewayError) throw error;
      throw new GatewayError('provider_authentication', { cause: error });
    }
  }

  /** Without any setting the SDK looks where it always does, bearer keys of the environment included. */
  private credentials(): BedrockRuntimeClientConfig {
    const given = this.settings.credentials;
    if (given === undefined) return {};
    if (given.apiKey !== undefined) {
      return { token: { token: given.apiKey }, authSchemePreference: ['httpBearerAuth'] };
    }
    const authSchemePreference = ['sigv4'];
    const { assumeRole, accessKeyId = '', secretAccessKey = '', sessionToken } = given;
    if (assumeRole !== undefined) {
      const keys = new RefreshedKeys(() => this.assume(assumeRole));
      return { authSchemePreference, credentials: () => keys.current() };
    }
    const session = sessionToken === undefined ? {} : { sessionToken };
    return { authSchemePreference, credentials: { accessKeyId, secretAccessKey, ...session } };
  }

  /** Asks STS for the role with what the default chain finds. */
  private async assume(role: BedrockRole): Promise<RoleCredentials> {
    const { region } = this.settings;
    const source = new BedrockRuntimeClient({ region, requestHandler: new NodeHttpHandler() });
    try {
      const endpoint =
        role.endpoint === undefined ? stsEndpoint(await resolveEndpoint(source, { region })) : new URL(role.endpoint);
      const body = Buffer.from(assumeRoleForm(role));
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const signed = await signWith(await signer(source, region, 'sts'), { endpoint, path: '/', headers, body });
      const request = {
        method: 'POST' as const,
        url: join(endpoint, '/'),
        headers: signed,
        body,
        context: ownContext(),
      };
      const answer = await this.transport.send(request);
      return readAssumedRole(answer.status, answer.body.toString('utf8'));
    } finally {
      source.destroy();
    }
  }
}

/** A call of ours that belongs to no request. */
function ownContext(): AttemptContext {
  return {
    requestId: 'sts',
    signal: new AbortController().signal,
    timeouts: { connectMs: 2_000, firstContentMs: STS_TIMEOUT_MS, idleMs: STS_TIMEOUT_MS, totalMs: STS_TIMEOUT_MS },
    onDispatch: () => undefined,
  };
}

async function resolveEndpoint(
  { config }: BedrockRuntimeClient,
  { region, endpoint }: Pick<BedrockSettings, 'region' | 'endpoint'>,
): Promise<URL> {
  const { url } = config.endpointProvider({
    Region: region,
    UseFIPS: await config.useFipsEndpoint(),
    UseDualStack: await config.useDualstackEndpoint(),
    ...(endpoint === undefined ? {} : { Endpoint: endpoint }),
  });
  return url;
}

/** STS's address in the same region and partition. */
function stsEndpoint(runtime: URL): URL {
  return new URL(`https://${runtime.hostname.replace(/^bedrock-runtime(-fips)?\./, 'sts$1.')}`);
}

type Signer = Awaited<ReturnType<BedrockRuntimeClient['config']['signer']>>;

function signer({ config }: BedrockRuntimeClient, region: string, service: string): Promise<Signer> {
  return config.signer({ name: 'sigv4', signingName: service, signingRegion: region, properties: {} });
}

/** By bearer key where the configuration or the environment prefers one, else by signature. */
async function createAuthorise(client: BedrockRuntimeClient, region: string): Promise<Authorise> {
  const { config } = client;
  if ((await config.authSchemePreference()).includes('httpBearerAuth')) {
    const scheme = config.httpAuthSchemes.find(({ schemeId }) => schemeId === 'smithy.api#httpBearerAuth');
    const identify = config.token ?? scheme?.identityProvider({ getIdentityProvider: () => undefined });
    return async ({ headers }) => {
      const identity = await identify?.({});
      if (identity === undefined || !('token' in identity)) throw new Error('there is no bearer key');
      return { ...headers, authorization: `Bearer ${String(identity.token)}` };
    };
  }
  const sigv4 = await signer(client, region, 'bedrock');
  return (request) => signWith(sigv4, request);
}

async function signWith(sigv4: Signer, { endpoint, path, headers, body }: Unsigned): Promise<Headers> {
  const signed = await sigv4.sign({
    method: 'POST',
    protocol: endpoint.protocol,
    hostname: endpoint.hostname,
    path: prefix(endpoint) + path,
    query: {},
    headers: { ...headers, host: endpoint.host },
    body,
  });
  return signed.headers;
}

/** The endpoint's own path, without a slash at its end. */
function prefix(endpoint: URL): string {
  return endpoint.pathname.replace(/\/$/, '');
}

function join(endpoint: URL, path: string): string {
  return endpoint.origin + prefix(endpoint) + path;
}

/** As the SDK encodes a label of a path: everything but unreserved characters. */
function encodeLabel(label: string): string {
  return encodeURIComponent(label).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The promise, unless the signal aborts first: finding credentials may take long and cannot be called off. */
function settled<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  if (signal.aborted) {
    promise.catch(() => undefined);
    return Promise.reject(new GatewayError('client_closed'));
  }
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new GatewayError('client_closed'));
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
