import { GatewayError } from '../../contract/errors.js';
import type { BedrockRole } from './bedrock.config.js';

/** Temporary keys, as the SDK wants them of a provider of credentials. */
export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** Lifetime asked for; also the longest a role assumed by a role may have. */
const DURATION_SECONDS = 3_600;

/** The form that asks STS for a role. */
export function assumeRoleForm(role: BedrockRole): string {
  const form = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: role.roleArn,
    RoleSessionName: role.sessionName,
    DurationSeconds: String(DURATION_SECONDS),
  });
  if (role.externalId !== undefined) form.set('ExternalId', role.externalId);
  return form.toString();
}

/** Reads STS's answer. Throws GatewayError: `provider_authentication`, or `provider_error` when STS itself failed. */
export function readAssumedRole(status: number, body: string): RoleCredentials {
  if (status !== 200) {
    const code = status >= 500 || status === 429 ? 'provider_error' : 'provider_authentication';
    throw new GatewayError(code, { cause: new Error(`STS answered ${status} ${element(body, 'Code')}`) });
  }
  const expiration = new Date(element(body, 'Expiration'));
  const credentials = {
    accessKeyId: element(body, 'AccessKeyId'),
    secretAccessKey: element(body, 'SecretAccessKey'),
    sessionToken: element(body, 'SessionToken'),
    expiration,
  };
  if (credentials.accessKeyId === '' || credentials.secretAccessKey === '' || Number.isNaN(expiration.getTime())) {
    throw new GatewayError('provider_error', { cause: new Error('STS gave an answer without credentials') });
  }
  return credentials;
}

/** Text of the first element of a name; '' = none. The values are base64, dates and codes: no entities occur. */
function element(xml: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]?.trim() ?? '';
}
