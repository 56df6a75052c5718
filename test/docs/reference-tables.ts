import type { ErrorCode, FaultDomain } from '../../src/contract/errors.js';

/** The part of JSON Schema that the configuration's schema uses. */
export interface SchemaNode {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

/** One row of the error table's source. */
export interface ErrorRow {
  readonly status: number;
  readonly domain: FaultDomain;
  readonly retryable: boolean;
  readonly message: string;
}

/** What the schema does not say of a key; keys by their path in the file. A key that neither describes is an error. */
const MEANINGS: Readonly<Record<string, string>> = {
  'server.host': 'Address all listeners bind to.',
  'server.port': 'Port of the API; 0 = any free one. `TOLLGATE_PORT` overrides it.',
  'server.adminPort': 'Port of the admin listener. `TOLLGATE_ADMIN_PORT` overrides it.',
  'server.metricsPort': 'Port of metrics and probes. `TOLLGATE_METRICS_PORT` overrides it.',
  'server.maxBodyBytes': 'Longest request body; longer ones are a 413.',
  'server.maxJsonDepth': 'Deepest nesting of a body.',
  'server.bodyTimeoutMs': 'How long a request may take to arrive.',
  'server.headersTimeoutMs': 'How long its headers may take.',
  'server.keepAliveTimeoutMs': 'How long an idle client connection is kept.',
  'server.maxConnections': 'Open connections per listener; further ones are dropped.',
  'stream.heartbeatMs': 'Silence after which `: ping` is sent.',
  'stream.maxBufferedBytes': 'Bytes waiting for a slow client before the provider is paused.',
  'stream.maxEventBytes': 'Longest event of a provider; a longer one breaks the stream.',
  'redis.mode': 'How the servers are found.',
  'redis.sentinelName': 'Name of the primary; required with `sentinel`.',
  'redis.connections': 'Connections for commands.',
  'redis.keyPrefix': 'First part of every key in the store.',
  'auth.jwt': 'Token issuers; empty = keys only.',
  'auth.jwt[].algorithms': 'Accepted signature algorithms: RS256 to ES512, never symmetric ones.',
  'auth.jwt[].clockToleranceSeconds': 'Allowed difference of clocks.',
  'auth.jwt[].grants[].organisation': 'Organisation it leads to; absent = by `claims`.',
  'auth.jwt[].grants[].team': 'Team it leads to; absent = by `claims`.',
  'auth.jwt[].grants[].models': 'Models it allows; absent = those of the issuer.',
  'auth.jwt[].grants[].limits': 'Limits of each caller it matches.',
  'auth.tokenCacheSeconds': 'How long a verified token is remembered.',
  'auth.flood.windowMs': 'Length of that window.',
  'auth.flood.blockMs': 'How long an address that went over it is refused.',
  'logging.level': 'Least severe line that is written.',
  'transport.connectionsPerOrigin': 'Connections to one upstream address; a stream holds one.',
  'organisations.<id>.teams.<id>.limits': 'Limits of the team as a whole.',
  'keys[].organisation': 'Organisation the key belongs to.',
  'keys[].team': 'Team the key belongs to; absent = none.',
  'keys[].user': 'For the log and the ledger.',
  'keys[].limits': 'Limits of this key.',
  'providers.<id>.entra.tenantId': 'Directory (tenant) id.',
  'providers.<id>.entra.scope': 'Scope of the token asked for.',
  'providers.<id>.credentials.accessKeyId': 'With `secretAccessKey`: fixed keys.',
  'providers.<id>.credentials.secretAccessKey': 'As a `${ENV}` or `file:` reference.',
  'providers.<id>.credentials.assumeRole.roleArn': 'The role.',
  'models.<name>.operation': 'What the model is for.',
  'models.<name>.deployments[].weight': 'Share of the traffic within its priority; 0 = only after the others.',
  'models.<name>.deployments[].labels': 'Words keys may demand of a deployment.',
  'models.<name>.maxAttempts': 'Attempts for one request, the first included.',
  'models.<name>.timeouts.connectMs': 'Until the connection to the provider stands.',
};

/** What a caller does about each failure. */
const ADVICE = {
  invalid_request: 'mend the request',
  invalid_json: 'mend the body',
  invalid_value: 'mend the field that `param` names',
  unsupported_parameter: 'leave out what `param` names, or ask another model',
  unsupported_media_type: 'send `content-type: application/json`, uncompressed',
  request_too_large: 'send less',
  context_length_exceeded: 'shorten the conversation',
  content_filter: 'change the prompt',
  authentication_required: 'send a key or a token',
  invalid_api_key: 'check the key',
  invalid_token: 'get a new token',
  permission_denied: 'ask whoever runs the gateway',
  model_not_found: 'choose one of `GET /v1/models`',
  route_not_found: 'check the path; `/docs` lists them',
  method_not_allowed: 'check the method',
  request_timeout: 'send the body faster',
  client_closed: 'nobody is left to answer; seen in metrics and the access line',
  rate_limit_exceeded: 'wait for `Retry-After`; without one the limit is 0',
  request_too_large_for_limit: 'ask for less: waiting does not help',
  flood_blocked: 'wait for `Retry-After`, then send a valid credential',
  provider_rate_limited: 'wait for `Retry-After`, else back off',
  provider_rejected: 'mend the request: the text is the provider’s',
  provider_authentication: 'tell whoever runs the gateway',
  provider_not_found: 'tell whoever runs the gateway',
  provider_error: 'try again, backing off',
  provider_overloaded: 'wait for `Retry-After`, else back off',
  provider_unreachable: 'try again, backing off',
  provider_timeout: 'try again, backing off',
  provider_bad_response: 'try again, backing off',
  provider_stream_broken: 'try again; what came so far is incomplete',
  deadline_exceeded: 'ask for a shorter answer, or try again',
  authentication_unavailable: 'wait for `Retry-After`, else back off',
  quota_store_unavailable: 'wait for `Retry-After`',
  server_shutting_down: 'try again at once: another replica answers',
  no_deployment: 'try again, backing off; if it stays, tell whoever runs the gateway',
  not_supported: 'choose another model',
  internal_error: 'report it with the `x-request-id`',
} as const satisfies Record<ErrorCode, string>;

/** A page with the text between the marks of `name` replaced; throws where a mark is missing. */
export function withGenerated(page: string, name: string, text: string): string {
  const first = `<!-- ${name}:begin -->`;
  const last = `<!-- ${name}:end -->`;
  const begin = page.indexOf(first);
  const end = page.indexOf(last);
  if (begin === -1 || end < begin) throw new Error(`the page needs the marks ${first} and ${last}, in this order`);
  return `${page.slice(0, begin + first.length)}\n\n${text}\n\n${page.slice(end)}`;
}

const UNFORMATTED = '<!-- prettier-ignore -->';

/** The errors as a table. `sources` are the gateway's own files: codes none of them names are left out of it. */
export function errorTable(errors: Readonly<Record<string, ErrorRow>>, sources: readonly string[]): string {
  const isRaised = (code: string): boolean => sources.some((text) => text.includes(`'${code}'`));
  const rows = Object.entries(errors)
    .filter(([code]) => isRaised(code))
    .map(([code, { status, domain, retryable, message }]) => {
      const advice = (ADVICE as Readonly<Record<string, string>>)[code];
      if (advice === undefined) throw new Error(`the error ${code} needs a word of advice`);
      return `| \`${code}\` | ${status} | ${domain} | ${retryable ? 'yes' : 'no'} | ${message} | ${advice} |`;
    });
  const reserved = Object.keys(errors).filter((code) => !isRaised(code));
  const rest = reserved.map((code) => `\`${code}\``).join(', ');
  const note = reserved.length === 0 ? '' : `\n\nReserved, and answered by nothing yet: ${rest}.`;
  const head =
    '| code | status | who acts | next deployment tried | text | what to do |\n| --- | --- | --- | --- | --- | --- |';
  return `${UNFORMATTED}\n${head}\n${rows.join('\n')}${note}`;
}

/** Two configurations that differ in every key of the first two levels, for asking which changes wait for a restart. */
export function everyKeyChanged(schema: SchemaNode): { readonly previous: unknown; readonly next: unknown } {
  const filled = (value: string): unknown =>
    Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([section, { properties }]) => [
        section,
        properties === undefined
          ? value
          : Object.fromEntries(Object.keys(properties).map((key): [string, string] => [key, value])),
      ]),
    );
  return { previous: filled('before'), next: filled('after') };
}

/** The whole file as tables, one a section and one a provider kind. `heldBack`: keys that wait for a restart. */
export function configTables(schema: SchemaNode, heldBack: ReadonlySet<string>): string {
  const sections = Object.entries(schema.properties ?? {});
  const limits = limitsOf(schema);
  const parts = sections.map(([name, node]) => {
    const body = name === 'providers' ? providerTables(node) : table(rowsOf(node, name));
    return `### ${name}\n\n${reloadText(name, node, heldBack)}\n\n${body}`;
  });
  return [...parts, `### limits\n\nThe same everywhere a table above says _limits_.\n\n${table(limits)}`].join('\n\n');
}

function limitsOf(schema: SchemaNode): string[] {
  const organisation = schema.properties?.['organisations']?.additionalProperties;
  if (typeof organisation !== 'object') throw new Error('the schema has no organisations');
  const { properties = {} } = organisation.properties?.['limits'] ?? {};
  return Object.entries(properties).flatMap(([name, node]) => rowsOf(node, `limits.${name}`));
}

function reloadText(name: string, { properties = {} }: SchemaNode, heldBack: ReadonlySet<string>): string {
  if (heldBack.has(name)) return 'A change counts at the next start.';
  const keys = Object.keys(properties);
  const restart = keys.filter((key) => heldBack.has(`${name}.${key}`));
  const live = keys.filter((key) => !restart.includes(key));
  const words = (list: readonly string[]): string => list.map((key) => `\`${key}\``).join(', ');
  if (restart.length === 0) return 'A change counts as soon as the file is reloaded.';
  return restart.length > live.length
    ? `A change counts at the next start; of ${words(live)} as soon as the file is reloaded.`
    : `A change counts as soon as the file is reloaded; of ${words(restart)} at the next start.`;
}

function providerTables({ additionalProperties }: SchemaNode): string {
  const variants = typeof additionalProperties === 'object' ? additionalProperties : {};
  return (variants.oneOf ?? variants.anyOf ?? [])
    .map((variant) => {
      const kind = String(variant.properties?.['kind']?.const);
      return `#### kind: ${kind}\n\n${table(rowsOf(variant, 'providers.<id>'))}`;
    })
    .join('\n\n');
}

function table(rows: readonly string[]): string {
  return [UNFORMATTED, '| key | type | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

interface RowOptions {
  readonly isRequired?: boolean;
}

/** The rows of a node and of what it holds. Objects without a word of their own show only what they hold. */
function rowsOf(node: SchemaNode, path: string, { isRequired = false }: RowOptions = {}): string[] {
  if (node.const !== undefined) return [];
  const inside = isLimits(node) ? [] : childrenOf(node, path);
  const meaning = meaningOf(node, path);
  if (meaning === '') {
    if (inside.length > 0) return inside;
    throw new Error(`the key ${path} is described neither in the schema nor in MEANINGS`);
  }
  const name = path.includes('.') || path.includes('[') ? path.replace(/^(providers\.<id>|\w+)\.?/, '') : path;
  const cells = [`\`${name === '' ? path : name}\``, typeOf(node, path), defaultOf(node, isRequired), meaning];
  return [`| ${cells.join(' | ')} |`, ...inside];
}

/** True for the object that the section "limits" describes once for all. */
const isLimits = ({ properties }: SchemaNode): boolean => properties?.['requestsPerMinute'] !== undefined;

function childrenOf(node: SchemaNode, path: string): string[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    rowsOf(child, `${path}.${key}`, { isRequired: node.required?.includes(key) === true }),
  );
  const map = node.additionalProperties;
  const entry = path === 'models' ? '<name>' : '<id>';
  const mapped = typeof map === 'object' && map.properties !== undefined ? childrenOf(map, `${path}.${entry}`) : [];
  const listed = node.items?.properties === undefined ? [] : childrenOf(node.items, `${path}[]`);
  return [...own, ...mapped, ...listed];
}

function meaningOf({ description }: SchemaNode, path: string): string {
  return (description ?? MEANINGS[path] ?? '').replaceAll('|', '\\|');
}

function typeOf(node: SchemaNode, path: string): string {
  if (isLimits(node)) return '[limits](#limits)';
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  const alternatives = node.anyOf ?? node.oneOf;
  if (alternatives !== undefined) return alternatives.map((one) => typeOf(one, path)).join(' or ');
  switch (node.type) {
    case 'array':
      return node.items?.enum === undefined ? `list of ${typeOf(node.items ?? {}, path)}` : 'list of words';
    case 'object':
      return typeof node.additionalProperties === 'object' ? 'map' : 'object';
    case 'integer':
    case 'number':
      return `${node.type}${rangeOf(node)}`;
    case 'string':
      return node.format === 'uri' ? 'URL' : node.format === 'date-time' ? 'date and time' : 'text';
    default:
      return node.type ?? 'any';
  }
}

function rangeOf({ minimum, maximum }: SchemaNode): string {
  const hasLow = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER;
  const hasHigh = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (hasLow && hasHigh) return `, ${minimum} to ${maximum}`;
  return hasLow ? `, at least ${minimum}` : '';
}

function defaultOf({ default: value }: SchemaNode, isRequired: boolean): string {
  if (isRequired) return '_required_';
  if (Array.isArray(value)) return value.length === 0 ? '' : `\`${value.join(', ')}\``;
  if (value === undefined || typeof value === 'object') return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
