import { resolve } from 'node:path';
import { ConfigError } from './config.problem.js';
import type { ProviderKindDescriptor } from './config.schema.js';
import { processEnvironment } from './environment.js';
import type { Environment } from './environment.js';
import { FileReader } from './file-reader.js';
import { configFile, readConfigFile } from './load-config.js';

/** What a check of a configuration file found. */
export interface CheckResult {
  readonly ok: boolean;
  /** For a person: the problems, one a line, or what the file declares. */
  readonly report: string;
}

/**
 * Checks a configuration file as a start would, its references included, and puts nothing in force. Rejects only where
 * the gateway itself is at fault.
 */
export async function checkConfigFile(
  path: string,
  kinds: readonly ProviderKindDescriptor[],
  environment: Environment = processEnvironment(),
): Promise<CheckResult> {
  // A pepper is generated at start where none is needed, so its value decides nothing here.
  const file = configFile(resolve(path), { kinds, environment, pepper: '0'.repeat(64) });
  try {
    const { config, sha } = readConfigFile(file, { reader: new FileReader() });
    const counts = (['providers', 'models', 'keys', 'organisations'] as const).map(
      (section) => `${section}: ${Object.keys(config[section]).length}`,
    );
    return Promise.resolve({ ok: true, report: `${file.path}: valid (${counts.join(', ')}; sha256 ${sha})` });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Promise.resolve({ ok: false, report: error.message });
  }
}
