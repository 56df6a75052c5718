import type { AuthClient } from 'google-auth-library';
import { GatewayError } from '../../contract/errors.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';
import type { AttemptContext } from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';

/** A token is renewed this long before it ends, in milliseconds; the library itself would at five minutes. */
const RENEW_MS = 240_000;

/** How long a token without an end is taken to hold, in milliseconds. */
const UNTOLD_MS = 300_000;

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/** Where the library asks for a service account's tokens, whatever the account's `token_uri` says. */
const LIBRARY_TOKEN_URL = 'https://oauth2.googleapis.com/token';

/** A token and its end, in milliseconds since the epoch. */
export interface AccessToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Asks for a new token. */
export type TokenSource = () => Promise<AccessToken>;

/**
 * The current access token: asked for once however many calls wait, kept until shortly before its end, and renewed in
 * the background while the old one still holds.
 */
export class GoogleToken {
  private current: AccessToken | undefined;
  private pending: Promise<AccessToken> | undefined;

  constructor(
    private readonly source: TokenSource,
    private readonly now: () => number = Date.now,
  ) {}

  /** The token's text as last given, whether it still holds or not; absent = none was given yet. */
  get last(): string | undefined {
    return this.current?.token;
  }

  /**
   * The token's text within the bounds of one call. Rejects only with GatewayError: `provider_authentication` when no
   * token is given, `provider_timeout`, `client_closed`.
   */
  async getFor({ signal, timeouts }: AttemptContext): Promise<string> {
    const held = this.held();
    if (held !== undefined) return held;
    if (signal.aborted) throw new GatewayError('client_closed');
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const closed = (): void => reject(new GatewayError('client_closed'));
    const timer = setTimeout(() => reject(new GatewayError('provider_timeout')), timeouts.totalMs);
    signal.addEventListener('abort', closed);
    this.renew().then(
      ({ token }) => resolve(token),
      (cause: unknown) => reject(new GatewayError('provider_authentication', { cause })),
    );
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', closed);
    });
  }

  /** The token as long as it holds; starts its renewal when that is due. */
  private held(): string | undefined {
    const { current } = this;
    const now = this.now();
    if (current === undefined || current.expiresAtMs <= now) return undefined;
    // A failed renewal is tried again by the next call; it matters only when the token has ended.
    if (current.expiresAtMs - RENEW_MS <= now) this.renew().catch(() => undefined);
    return current.token;
  }

  private renew(): Promise<AccessToken> {
    this.pending ??= this.source()
      .then((token) => (this.current = token))
      .finally(() => (this.pending = undefined));
    return this.pending;
  }
}

/**
 * Tokens of the official library, which is loaded when the first is needed. Its requests take our transport's proxy
 * and certificate authorities, and a service account's own `token_uri`, which the library ignores.
 */
export function googleTokenSource(transport: Transport, credentials: JsonObject | undefined): TokenSource {
  let client: ReturnType<typeof loadClient> | undefined;
  return async () => {
    client ??= loadClient(transport, credentials);
    // A failed load is not kept: a file that was missing may be there the next time.
    client.catch(() => (client = undefined));
    const loaded = await client;
    const { token } = await loaded.getAccessToken();
    if (typeof token !== 'string' || token === '') throw new Error('the credential gave no token');
    return { token, expiresAtMs: loaded.credentials.expiry_date ?? Date.now() + UNTOLD_MS };
  };
}

async function loadClient(transport: Transport, credentials: JsonObject | undefined): Promise<AuthClient> {
  const { AwsClient, GoogleAuth, IdentityPoolClient, JWT, UserRefreshClient } = await import('google-auth-library');
  const fetchImplementation = carriedFetch(transport, credentials?.['token_uri']);
  const options = { scopes: [SCOPE], transporterOptions: { fetchImplementation } };
  if (credentials === undefined) {
    return new GoogleAuth({ scopes: [SCOPE], clientOptions: options }).getClient();
  }
  const text = (key: string): string => {
    const value = credentials[key];
    return typeof value === 'string' ? value : '';
  };
  if (credentials['type'] === 'service_account') {
    const [email, key, keyId] = [text('client_email'), text('private_key'), text('private_key_id')];
    return new JWT({ ...options, email, key, keyId });
  }
  if (credentials['type'] === 'authorized_user') {
    const [clientId, clientSecret] = [text('client_id'), text('client_secret')];
    return new UserRefreshClient({ ...options, clientId, clientSecret, refreshToken: text('refresh_token') });
  }
  // The library reads the form of a workload identity itself, and refuses what is none.
  const source = credentials['credential_source'];
  const isAws = isJsonObject(source) && source['environment_id'] !== undefined;
  const identity = { ...credentials, ...options } as never;
  return isAws ? new AwsClient(identity) : new IdentityPoolClient(identity);
}

function carriedFetch(transport: Transport, tokenUri: unknown): typeof fetch {
  return (input, init) => {
    const asked = input instanceof Request ? input.url : String(input);
    const url = asked === LIBRARY_TOKEN_URL && typeof tokenUri === 'string' ? tokenUri : asked;
    transport.carryFetch(new URL(url).origin);
    return fetch(url, init);
  };
}
