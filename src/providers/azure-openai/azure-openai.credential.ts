import type { AccessToken, TokenCredential } from '@azure/identity';
import { GatewayError } from '../../contract/errors.js';
import type { AttemptContext } from '../../contract/provider.js';
import type { EntraSettings } from './azure-openai.config.js';

/** A token is renewed this long before it ends, in milliseconds. */
const RENEW_MS = 300_000;

/** Makes the credential when the first token is needed. */
export type CredentialLoader = () => Promise<Pick<TokenCredential, 'getToken'>>;

/**
 * The current Entra ID token: asked for once however many calls wait, kept until shortly before its end, and renewed
 * in the background while the old one still holds.
 */
export class EntraToken {
  private token: AccessToken | undefined;
  private pending: Promise<string> | undefined;

  constructor(
    private readonly scope: string,
    private readonly load: CredentialLoader,
    private readonly now: () => number = Date.now,
  ) {}

  /** The token's text, for the SDK; rejects with the credential's own error. */
  async get(): Promise<string> {
    return this.current() ?? this.renew();
  }

  /** The token's text within the bounds of one call. Rejects only with GatewayError. */
  async getFor({ signal, timeouts }: AttemptContext): Promise<string> {
    const current = this.current();
    if (current !== undefined) return current;
    if (signal.aborted) throw new GatewayError('client_closed');
    return new Promise<string>((resolve, reject) => {
      const giveUp = (error: GatewayError): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', closed);
        reject(error);
      };
      const closed = (): void => giveUp(new GatewayError('client_closed'));
      const timer = setTimeout(() => giveUp(new GatewayError('provider_timeout')), timeouts.totalMs);
      signal.addEventListener('abort', closed);
      this.renew().then(
        (token) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', closed);
          resolve(token);
        },
        (error: unknown) => giveUp(new GatewayError('provider_authentication', { cause: error })),
      );
    });
  }

  /** The token as long as it holds; starts its renewal when that is due. */
  private current(): string | undefined {
    const { token } = this;
    const now = this.now();
    if (token === undefined || token.expiresOnTimestamp <= now) return undefined;
    const renewAt = token.refreshAfterTimestamp ?? token.expiresOnTimestamp - RENEW_MS;
    // A failed renewal is tried again by the next call; it matters only when the token has ended.
    if (renewAt <= now) this.renew().catch(() => undefined);
    return token.token;
  }

  private renew(): Promise<string> {
    this.pending ??= this.fetch().finally(() => (this.pending = undefined));
    return this.pending;
  }

  private async fetch(): Promise<string> {
    const credential = await this.load();
    const token = await credential.getToken(this.scope);
    if (token === null) throw new Error('the credential gave no token');
    this.token = token;
    return token.token;
  }
}

/** The credential of the settings. `@azure/identity` is loaded only here, so that key users never pay for it. */
export function credentialLoader(settings: EntraSettings): CredentialLoader {
  let loaded: ReturnType<CredentialLoader> | undefined;
  return () => (loaded ??= loadCredential(settings));
}

async function loadCredential(settings: EntraSettings): Promise<TokenCredential> {
  const { ClientSecretCredential, DefaultAzureCredential } = await import('@azure/identity');
  const { tenantId, clientId, clientSecret, managedIdentityClientId } = settings;
  if (tenantId !== undefined && clientId !== undefined && clientSecret !== undefined) {
    return new ClientSecretCredential(tenantId, clientId, clientSecret);
  }
  return new DefaultAzureCredential({
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(clientId === undefined ? {} : { workloadIdentityClientId: clientId }),
    ...(managedIdentityClientId === undefined ? {} : { managedIdentityClientId }),
  });
}
