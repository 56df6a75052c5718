import { z } from 'zod';
import { upstreamUrl } from '../../config/upstream-url.js';
import { isJsonObject, type JsonObject } from '../../contract/json.js';

/** Forms of credential files; the library knows more, which Application Default Credentials can be. */
const CREDENTIAL_TYPES: ReadonlySet<unknown> = new Set(['service_account', 'external_account', 'authorized_user']);

/** Addresses inside a credential file that tokens are asked of. */
const ADDRESSES = ['token_uri', 'token_url', 'token_info_url', 'service_account_impersonation_url'] as const;

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && CREDENTIAL_TYPES.has(value['type']) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A credential file's text as the object it holds. */
const credentialFile = z.string().transform((text, context): JsonObject => {
  const value = parsed(text);
  const isSafe = ADDRESSES.every((key) => value?.[key] === undefined || upstreamUrl.safeParse(value[key]).success);
  if (value !== undefined && isSafe) return value;
  context.addIssue({ code: 'custom', message: 'use the JSON of a service account or of a workload identity' });
  return z.NEVER;
});

/** Settings of one project at Vertex AI. */
export const vertexSettings = z.strictObject({
  project: z
    .string()
    .regex(/^[a-z0-9.:-]+$/, 'use a project id')
    .describe('Project the calls are made in.'),
  location: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'use a region such as europe-west4, or global')
    .default('global')
    .describe('Region of the models; global = wherever there is capacity.'),
  endpoint: upstreamUrl
    .optional()
    .describe('Where the API is, without version; absent = the endpoint of the location.'),
  apiVersion: z.enum(['v1', 'v1beta1']).default('v1').describe('Version of the API; v1beta1 knows previews.'),
  credentials: credentialFile
    .optional()
    .describe(
      'Service account or workload identity, its JSON as a file: or ${ENV} reference; absent = Application Default Credentials.',
    ),
  quotaProject: z.string().min(1).optional().describe('Project whose quota is used; absent = the credential’s own.'),
});

export type VertexSettings = z.output<typeof vertexSettings>;

/** The endpoint of the settings, without version or slash at its end. */
export function vertexEndpoint({ endpoint, location }: Pick<VertexSettings, 'endpoint' | 'location'>): string {
  if (endpoint !== undefined) return endpoint.replace(/\/+$/, '');
  if (location === 'global') return 'https://aiplatform.googleapis.com';
  // Locations of several regions have hosts of another form.
  if (location === 'us' || location === 'eu') return `https://aiplatform.${location}.rep.googleapis.com`;
  return `https://${location}-aiplatform.googleapis.com`;
}
