import { isAbsolute, resolve } from 'node:path';
import type { ConfigPath, Finding } from './config.problem.js';
import { formatPath } from './config.problem.js';
import { variable } from './environment.js';
import type { Environment } from './environment.js';
import type { FileReader } from './file-reader.js';

/** Largest file a `file:` reference may name, in bytes. */
const MAX_REFERENCED_BYTES = 1_048_576;
const FILE_PREFIX = 'file:';
/** `$${` stands for a literal `${`; a name without its brace is caught by the second alternative. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/** Where references are looked up. */
export interface ReferenceContext {
  readonly environment: Environment;
  /** Directory from which relative `file:` paths start. */
  readonly directory: string;
  /** Reads them, and remembers their state. */
  readonly reader: FileReader;
}

/** A document whose references were replaced by what they stand for. */
export interface ResolvedDocument {
  /** A copy of the document; maps have no prototype. */
  readonly value: unknown;
  /** Formatted paths of the values that came from a reference. */
  readonly referenced: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/**
 * Replaces `${NAME}`, `${NAME:-default}` and `file:path` in a document's strings. What a reference yields is never read
 * as a reference or as YAML. A variable that is not set or empty, and a file that cannot be read, is a finding.
 */
export function resolveReferences(document: unknown, context: ReferenceContext): ResolvedDocument {
  const resolver = new Resolver(context);
  const value = resolver.copy(document, []);
  return { value, referenced: resolver.referenced, findings: resolver.findings };
}

class Resolver {
  readonly referenced = new Set<string>();
  readonly findings: Finding[] = [];

  constructor(private readonly context: ReferenceContext) {}

  copy(value: unknown, path: ConfigPath): unknown {
    if (typeof value === 'string') return this.resolve(value, path);
    if (Array.isArray(value)) return value.map((item, index) => this.copy(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.create(null) as Record<string, unknown>;
    for (const [key, item] of Object.entries(value)) copy[key] = this.copy(item, [...path, key]);
    return copy;
  }

  private resolve(text: string, path: ConfigPath): string | undefined {
    const isFile = text.startsWith(FILE_PREFIX);
    if (!isFile && !text.includes('${')) return text;
    const missing = this.findings.length;
    let isReference = isFile;
    const expanded = text.replace(REFERENCE, (match: string, name?: string, fallback?: string) => {
      if (match === '$${') return '${';
      isReference = true;
      return this.expand(path, name, fallback);
    });
    if (isReference) this.referenced.add(formatPath(path));
    if (this.findings.length > missing) return undefined;
    return isFile ? this.readFile(expanded.slice(FILE_PREFIX.length), path) : expanded;
  }

  private expand(path: ConfigPath, name: string | undefined, fallback: string | undefined): string {
    if (name === undefined) {
      this.findings.push({
        path,
        message: 'the reference is not complete',
        hint: 'write ${NAME} or ${NAME:-default}; $${ stands for a literal ${',
      });
      return '';
    }
    const value = variable(this.context.environment, name) ?? fallback;
    if (value === undefined) {
      this.findings.push({ path, message: `the environment variable ${name} is not set or empty` });
    }
    return value ?? '';
  }

  private readFile(name: string, path: ConfigPath): string | undefined {
    const file = isAbsolute(name) ? name : resolve(this.context.directory, name);
    const read = this.context.reader.read(file, MAX_REFERENCED_BYTES);
    if ('fault' in read) {
      this.findings.push({ path, message: `the file ${file} ${read.fault}` });
      return undefined;
    }
    const text = read.text.replace(/\r?\n$/, '');
    if (text === '') this.findings.push({ path, message: `the file ${file} is empty` });
    return text;
  }
}
