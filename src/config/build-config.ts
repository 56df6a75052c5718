import { createHash } from 'node:crypto';
import { configFindings } from './config.checks.js';
import { ConfigError, formatPath, toProblems } from './config.problem.js';
import type { ConfigPath, Finding, Position } from './config.problem.js';
import { configSchema } from './config.schema.js';
import type { ProviderKindDescriptor, TollgateConfig } from './config.schema.js';
import { variable } from './environment.js';
import { withOutboundProxy } from './outbound-proxy.js';
import type { Environment } from './environment.js';
import type { FileReader } from './file-reader.js';
import { freezeDeep } from './freeze.js';
import { inputSchema } from './json-schema.js';
import { resolveReferences } from './references.js';
import { holdBackRestartKeys } from './reload-policy.js';
import { schemaFindings } from './schema-findings.js';

/** A document before anything was resolved or checked. */
export interface ConfigDocument {
  /** File name, or what stands for it, for messages. */
  readonly source: string;
  readonly value: unknown;
  /** Absent = the document has no places. */
  readonly positionOf?: (path: ConfigPath, atKey: boolean) => Position | undefined;
}

/** What a document is built under. */
export interface BuildContext {
  readonly kinds: readonly ProviderKindDescriptor[];
  readonly environment: Environment;
  /** Directory from which relative `file:` references start. */
  readonly directory: string;
  readonly reader: FileReader;
  /** Stands in for auth.pepper where the store is embedded and none is given. */
  readonly pepper: string;
  /** The configuration in force, whose restart keys stay; absent = this is the first. */
  readonly previous?: TollgateConfig;
}

/** A configuration ready to be put in force. */
export interface BuiltConfig {
  /** Frozen; maps have no prototype, so that no name a caller sends can lead out of them. */
  readonly config: TollgateConfig;
  /** SHA-256 of the document with its references resolved, in hex: a rotated secret changes it. Not for display. */
  readonly fingerprint: string;
  /** Keys whose change waits for a restart. */
  readonly heldBack: readonly string[];
}

const PORTS = {
  TOLLGATE_PORT: 'port',
  TOLLGATE_ADMIN_PORT: 'adminPort',
  TOLLGATE_METRICS_PORT: 'metricsPort',
} as const;

/** Resolves, checks and completes a document. Throws ConfigError with every problem; writes nothing anywhere. */
export function buildConfig(document: ConfigDocument, context: BuildContext): BuiltConfig {
  const refuse = (findings: readonly Finding[]) => {
    if (findings.length === 0) return;
    throw new ConfigError(document.source, toProblems(findings, document.positionOf ?? (() => undefined)));
  };
  const resolved = resolveReferences(document.value, context);
  const fingerprint = sha256(JSON.stringify(resolved.value) ?? '');
  const findings = [...resolved.findings, ...overridePorts(resolved.value, context.environment)];
  const unresolved = new Set(findings.map(({ path }) => formatPath(path)));
  const schema = configSchema(context.kinds);
  let parsed = schema.safeParse(resolved.value);
  if (!parsed.success && convertReferenced(resolved.value, parsed.error.issues, resolved.referenced)) {
    parsed = schema.safeParse(resolved.value);
  }
  if (!parsed.success) {
    const issues = schemaFindings(parsed.error.issues, inputSchema(context.kinds), resolved.value);
    findings.push(...issues.filter(({ path, atKey }) => atKey === true || !unresolved.has(formatPath(path))));
    refuse(findings);
    throw new ConfigError(document.source, [{ path: '', message: 'the configuration is not valid' }]);
  }
  const complete = withOutboundProxy(
    { ...parsed.data, organisations: { default: { limits: {}, teams: {} }, ...parsed.data.organisations } },
    context.environment,
  );
  refuse([...findings, ...configFindings(complete)]);
  const merged = context.previous
    ? holdBackRestartKeys(context.previous, complete)
    : { config: complete, heldBack: [] };
  if (merged.heldBack.length > 0) refuse(configFindings(merged.config));
  return {
    config: freezeDeep(withCanonicalModels(withPepper(merged.config, context.pepper))),
    fingerprint,
    heldBack: merged.heldBack,
  };
}

/** SHA-256 in hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What Kubernetes puts in TOLLGATE_PORT beside a Service named "tollgate". */
const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\//;

/** Sets the ports that the environment names; 0 = any free port. */
function overridePorts(document: unknown, environment: Environment): Finding[] {
  return Object.entries(PORTS).flatMap(([name, key]): Finding[] => {
    const text = variable(environment, name);
    if (text === undefined || SERVICE_LINK.test(text)) return [];
    const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    if (!(port <= 65_535)) return [{ path: ['server', key], message: `${name} must be a port, 0 to 65535` }];
    if (!isMap(document)) return [];
    document.server ??= {};
    if (isMap(document.server)) document.server[key] = port;
    return [];
  });
}

/** Turns referenced text into the number or boolean the schema asked for; true if any value changed. */
function convertReferenced(
  document: unknown,
  issues: readonly { readonly code: string; readonly path: readonly PropertyKey[] }[],
  referenced: ReadonlySet<string>,
): boolean {
  let hasChanged = false;
  for (const issue of issues) {
    if (issue.code !== 'invalid_type') continue;
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    const last = path.at(-1);
    if (last === undefined || !referenced.has(formatPath(path))) continue;
    let parent = document;
    for (const step of path.slice(0, -1)) parent = (parent as Record<string | number, unknown>)[step];
    const values = parent as Record<string | number, unknown>;
    const converted = convert(values[last]);
    hasChanged ||= converted !== values[last];
    values[last] = converted;
  }
  return hasChanged;
}

function convert(value: unknown): unknown {
  if (value === 'true' || value === 'false') return value === 'true';
  return typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value;
}

function withPepper(config: TollgateConfig, pepper: string): TollgateConfig {
  return config.auth.pepper === undefined ? { ...config, auth: { ...config.auth, pepper } } : config;
}

/** Replaces aliases in allow-lists by the models they name, so that nobody has to look them up per request. */
function withCanonicalModels(config: TollgateConfig): TollgateConfig {
  const owners = new Map(
    Object.entries(config.models).flatMap(([name, { aliases }]) => aliases.map((alias) => [alias, name] as const)),
  );
  if (owners.size === 0) return config;
  const canonical = <Holder extends { models?: string[] | undefined }>(holder: Holder): Holder =>
    holder.models ? { ...holder, models: [...new Set(holder.models.map((name) => owners.get(name) ?? name))] } : holder;
  return {
    ...config,
    keys: config.keys.map(canonical),
    organisations: Object.fromEntries(
      Object.entries(config.organisations).map(([id, organisation]) => [id, canonical(organisation)]),
    ),
    auth: {
      ...config.auth,
      jwt: config.auth.jwt.map((issuer) => ({ ...canonical(issuer), grants: issuer.grants.map(canonical) })),
    },
  };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
