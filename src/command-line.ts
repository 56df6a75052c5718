import { parseArgs } from 'node:util';
import { printNewKey } from './auth/new-key.command.js';
import { checkConfigFile } from './config/check-config.js';
import { processEnvironment, variable } from './config/environment.js';
import { configJsonSchema } from './config/json-schema.js';
import { KINDS } from './kinds.js';

/** What the process was asked to do. */
export type Command =
  | 'start'
  | { readonly check: string }
  | { readonly schema: true }
  | { readonly newKey: true }
  | { readonly usage: string };

const USAGE = `Usage: node dist/main.js [option]

  (none)         serve; reads TOLLGATE_CONFIG, else ./tollgate.yaml, else runs the quick start
  --check FILE   check a configuration file and exit: 0 when it can be used, else 1
  --schema       print the JSON Schema of the configuration file
  --new-key      print a new key once, with its entry for the configuration file (uses TOLLGATE_PEPPER)
  --help         print this
`;

/** Reads the command line. An option that does not exist becomes a usage text that says so. */
export function commandOf(argv: readonly string[]): Command {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        check: { type: 'string' },
        schema: { type: 'boolean' },
        'new-key': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    if (values.help) return { usage: '' };
    if (values.check !== undefined) return { check: values.check };
    if (values.schema) return { schema: true };
    return values['new-key'] ? { newKey: true } : 'start';
  } catch (error) {
    return { usage: error instanceof Error ? error.message : String(error) };
  }
}

/** Does what was asked, other than serving; resolves with the exit code. */
export async function runCommand(command: Exclude<Command, 'start'>): Promise<number> {
  const kinds = KINDS.map(({ descriptor }) => descriptor);
  if ('check' in command) {
    const { ok, report } = await checkConfigFile(command.check, kinds);
    (ok ? process.stdout : process.stderr).write(`${report}\n`);
    return ok ? 0 : 1;
  }
  if ('schema' in command) {
    process.stdout.write(`${JSON.stringify(configJsonSchema(kinds), null, 2)}\n`);
    return 0;
  }
  if ('newKey' in command) {
    const pepper = variable(processEnvironment(), 'TOLLGATE_PEPPER');
    printNewKey(pepper === undefined ? {} : { pepper });
    return 0;
  }
  const isError = command.usage !== '';
  (isError ? process.stderr : process.stdout).write(isError ? `${command.usage}\n\n${USAGE}` : USAGE);
  return isError ? 2 : 0;
}
