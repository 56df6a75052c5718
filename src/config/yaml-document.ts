import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Alias, Document, ErrorCode, Node, YAMLMap } from 'yaml';
import { ConfigError, toProblems } from './config.problem.js';
import type { ConfigPath, Finding, Position } from './config.problem.js';

/** Deepest nesting of a document. */
const MAX_DEPTH = 64;
/** Most values that aliases may copy: far more than any real file, far less than an alias bomb needs. */
const MAX_ALIASED_VALUES = 10_000;

/** One mistake makes many errors after it; the first ones tell where it is. */
const MAX_SYNTAX_ERRORS = 3;

/** Our words where the library's would not help. */
const SYNTAX_MESSAGES: Partial<Record<ErrorCode, string>> = {
  MULTIPLE_DOCS: 'write one document, without "---" after it',
  RESOURCE_EXHAUSTION: 'the document is nested too deeply',
  TAG_RESOLVE_FAILED: 'tags are not supported',
};

/** A parsed document: its values, and where they stood. */
export interface ParsedDocument {
  /** Scalars, arrays and null-prototype objects; what was written as null is undefined. */
  readonly value: unknown;
  /** The place of a value, or of its nearest ancestor that exists; `atKey` asks for its key instead. */
  readonly positionOf: (path: ConfigPath, atKey: boolean) => Position | undefined;
}

/**
 * Parses one YAML 1.2 document (JSON is one too). Refuses duplicate keys, merge keys, tags, `__proto__`, keys that are
 * no strings and documents that grow or nest without bound. Throws ConfigError; its messages quote nothing but keys.
 */
export function parseYaml(source: string, text: string): ParsedDocument {
  const lines = new LineCounter();
  const reader = new Reader(parse(source, text, lines), lines);
  const value = reader.read();
  const positionOf = (path: ConfigPath, atKey: boolean) => reader.positionOf(path, atKey);
  if (reader.findings.length > 0) throw new ConfigError(source, toProblems(reader.findings, positionOf));
  if (value === undefined) throw new ConfigError(source, [{ path: '', message: 'the file is empty' }]);
  return { value, positionOf };
}

function parse(source: string, text: string, lineCounter: LineCounter): Document.Parsed {
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      lineCounter,
      // 'silent' would accept further documents without a word.
      logLevel: 'error',
      merge: false,
      // Pretty errors quote the source line, which may hold a secret.
      prettyErrors: false,
      resolveKnownTags: false,
      schema: 'core',
      stringKeys: true,
      // The library compares every pair of keys; Reader does it with a set.
      uniqueKeys: false,
      version: '1.2',
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError(source, [{ path: '', message: 'the document is nested too deeply' }]);
  }
  const findings = [...document.errors, ...document.warnings].slice(0, MAX_SYNTAX_ERRORS).map((error): Finding => {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    return { path: [], message: SYNTAX_MESSAGES[error.code] ?? error.message, position: { line, column: col } };
  });
  if (document.directives.yaml.version !== '1.2') findings.push({ path: [], message: 'write YAML 1.2' });
  if (findings.length > 0)
    throw new ConfigError(
      source,
      toProblems(findings, () => undefined),
    );
  return document;
}

/** Turns the tree of nodes into values. */
class Reader {
  readonly findings: Finding[] = [];
  private readonly anchors = new Map<string, Node>();
  private readonly targets = new Map<Alias, Node>();
  private aliasedValues = 0;

  constructor(
    private readonly document: Document.Parsed,
    private readonly lines: LineCounter,
  ) {}

  read(): unknown {
    return this.readNode(this.document.contents, [], false);
  }

  positionOf(path: ConfigPath, atKey: boolean): Position | undefined {
    let node: unknown = this.document.contents;
    let offset = isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined;
    for (const [index, step] of path.entries()) {
      const container = isAlias(node) ? this.targets.get(node) : node;
      if (isMap(container)) {
        const pair = container.items.find(({ key }) => keyText(key) === step);
        if (!pair) break;
        node = pair.value;
        const wantsKey = (atKey && index === path.length - 1) || !isScalar(node) || node.value === null;
        offset = (wantsKey ? startOf(pair.key) : startOf(node)) ?? offset;
      } else if (isSeq(container) && typeof step === 'number' && step < container.items.length) {
        node = container.items[step];
        offset = startOf(node) ?? offset;
      } else break;
    }
    if (offset === undefined) return undefined;
    const { line, col } = this.lines.linePos(offset);
    return { line, column: col };
  }

  private readNode(node: unknown, path: ConfigPath, aliased: boolean): unknown {
    if (path.length > MAX_DEPTH) return this.refuse(path.slice(0, 8), 'the document is nested too deeply');
    if (aliased && ++this.aliasedValues > MAX_ALIASED_VALUES) {
      if (this.aliasedValues === MAX_ALIASED_VALUES + 1) this.refuse(path, 'aliases copy too much');
      return undefined;
    }
    if (isAlias(node)) return this.readAlias(node, path);
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined)
      this.anchors.set(node.anchor, node);
    if (isMap(node)) return this.readMap(node, path, aliased);
    if (isSeq(node)) return node.items.map((item, index) => this.readNode(item, [...path, index], aliased));
    return isScalar(node) ? (node.value ?? undefined) : undefined;
  }

  private readAlias(alias: Alias, path: ConfigPath): unknown {
    const target = this.anchors.get(alias.source);
    if (!target) return this.refuse(path, 'the alias names no anchor before it', startOf(alias));
    this.targets.set(alias, target);
    return this.readNode(target, path, true);
  }

  private readMap(map: YAMLMap, path: ConfigPath, aliased: boolean): unknown {
    const value = Object.create(null) as Record<string, unknown>;
    for (const pair of map.items) {
      const key = keyText(pair.key);
      const keyPath = [...path, key ?? '?'];
      const reason = keyFault(key, value);
      if (key === undefined || reason !== undefined) {
        const start = startOf(pair.key);
        this.refuse(keyPath, reason ?? 'a key must be plain text', start);
      } else value[key] = this.readNode(pair.value, keyPath, aliased);
    }
    return value;
  }

  private refuse(path: ConfigPath, message: string, offset?: number): undefined {
    const at = offset === undefined ? undefined : this.lines.linePos(offset);
    this.findings.push({ path, message, ...(at && { position: { line: at.line, column: at.col } }) });
    return undefined;
  }
}

function keyFault(key: string | undefined, siblings: Readonly<Record<string, unknown>>): string | undefined {
  if (key === '<<') return 'merge keys are not supported; write the values out';
  if (key === '__proto__') return 'this key is not allowed';
  return key !== undefined && key in siblings ? 'the key is there twice' : undefined;
}

function keyText(key: unknown): string | undefined {
  return isScalar(key) && typeof key.value === 'string' ? key.value : undefined;
}

function startOf(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
}
