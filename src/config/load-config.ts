import { randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { generateApiKey } from '../contract/api-key.js';
import { buildConfig, sha256 } from './build-config.js';
import type { BuildContext, BuiltConfig } from './build-config.js';
import { ConfigError } from './config.problem.js';
import type { ProviderKindDescriptor } from './config.schema.js';
import type { ConfigSnapshot } from './config.store.js';
import { processEnvironment, variable } from './environment.js';
import type { Environment } from './environment.js';
import { FileReader } from './file-reader.js';
import { parseYaml } from './yaml-document.js';

/** Largest configuration file, in bytes. */
const MAX_CONFIG_BYTES = 10_485_760;
const DEFAULT_FILE = 'tollgate.yaml';

/** Injection token of the QuickStart fragment. */
export const QUICK_START = Symbol('QUICK_START');

/** Providers and models that are served when there is no configuration file, as they would be written in one. */
export interface QuickStart {
  readonly providers: Readonly<Record<string, unknown>>;
  readonly models: Readonly<Record<string, unknown>>;
}

/** Where a configuration is looked for. */
export interface LoadOptions {
  readonly kinds: readonly ProviderKindDescriptor[];
  readonly quickStart: QuickStart;
  /** Default: that of the process. */
  readonly environment?: Environment;
  /** Default: that of the process. */
  readonly workingDirectory?: string;
}

/** A configuration file that can be read again. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  readonly context: Omit<BuildContext, 'reader' | 'previous'>;
}

/** The first configuration of a process. */
export interface LoadedConfig {
  readonly snapshot: ConfigSnapshot;
  /** The key generated in quick-start mode; absent otherwise. */
  readonly quickStartKey?: string;
  /** Where to read again; absent in quick-start mode. */
  readonly file?: ConfigFile;
  /** `BuiltConfig.fingerprint` of the snapshot. */
  readonly fingerprint: string;
  /** What was read, with its state. */
  readonly reader: FileReader;
}

/**
 * Reads the file that TOLLGATE_CONFIG names, else ./tollgate.yaml, else makes a quick-start configuration with one
 * generated key. Throws ConfigError with every problem.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const environment = options.environment ?? processEnvironment();
  const directory = options.workingDirectory ?? process.cwd();
  const pepper = randomBytes(32).toString('hex');
  const path = locate(environment, directory);
  if (path === undefined) return quickStart(options, { environment, directory, pepper });
  const file = configFile(path, { kinds: options.kinds, environment, pepper });
  const reader = new FileReader();
  const { config, fingerprint, sha } = readConfigFile(file, { reader });
  return { snapshot: Object.freeze({ version: 1, sha, source: 'file', config }), file, fingerprint, reader };
}

/** A configuration file under a path that is absolute; relative references start from its directory. */
export function configFile(path: string, context: Omit<ConfigFile['context'], 'directory'>): ConfigFile {
  return { path, context: { ...context, directory: dirname(path) } };
}

/** Reads and builds a configuration file. Throws ConfigError with every problem. */
export function readConfigFile(
  { path, context }: ConfigFile,
  run: Pick<BuildContext, 'reader' | 'previous'>,
): BuiltConfig & { readonly sha: string } {
  const read = run.reader.read(path, MAX_CONFIG_BYTES);
  if ('fault' in read) throw new ConfigError(path, [{ path: '', message: `the file ${read.fault}` }]);
  const document = parseYaml(path, read.text);
  return { ...buildConfig({ source: path, ...document }, { ...context, ...run }), sha: sha256(read.text) };
}

function locate(environment: Environment, directory: string): string | undefined {
  const named = variable(environment, 'TOLLGATE_CONFIG');
  if (named !== undefined) return resolve(directory, named);
  const path = resolve(directory, DEFAULT_FILE);
  return lstatSync(path, { throwIfNoEntry: false }) ? path : undefined;
}

function quickStart(
  { kinds, quickStart: fragment }: LoadOptions,
  context: Pick<BuildContext, 'environment' | 'directory' | 'pepper'>,
): LoadedConfig {
  const quickStartKey = generateApiKey();
  const reader = new FileReader();
  const value = { ...fragment, keys: [{ id: 'quick-start', secret: quickStartKey }] };
  const { config, fingerprint } = buildConfig({ source: 'quick start', value }, { ...context, kinds, reader });
  const sha = sha256(JSON.stringify(fragment));
  const snapshot = Object.freeze({ version: 1, sha, source: 'quick-start', config } as const);
  return { snapshot, quickStartKey, fingerprint, reader };
}
