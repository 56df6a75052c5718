import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(__dirname, '..');
const SRC = join(ROOT, 'src');

/** Layers from the bottom up; a folder imports only from folders below it and from itself. */
const LAYERS: readonly (readonly string[])[] = [
  ['contract'],
  ['config'],
  ['state', 'transport'],
  ['auth', 'quota', 'billing', 'cache', 'guardrails', 'metrics', 'providers'],
  ['routing'],
  ['gateway', 'admin', 'console', 'health'],
];

/** Packages by the only places that may import them. */
const FENCES: readonly { readonly packages: RegExp; readonly places: RegExp }[] = [
  { packages: /^(openai|@azure\/.*)(\/|$)/, places: /^providers\/(azure-openai|openai[^/]*)\// },
  { packages: /^(@aws-sdk|@smithy)\//, places: /^providers\/bedrock\// },
  { packages: /^@anthropic-ai\//, places: /^providers\/anthropic[^/]*\// },
  { packages: /^(@google\/|google-auth-library)/, places: /^providers\/(gemini|vertex)[^/]*\// },
  { packages: /^undici(\/|$)/, places: /^transport\// },
  { packages: /^ioredis(\/|$)/, places: /^state\// },
  { packages: /^(passport|passport-jwt|@nestjs\/passport|jose|@nestjs\/throttler)(\/|$)/, places: /^auth\// },
  { packages: /^(prom-client|@willsoto\/nestjs-prometheus)(\/|$)/, places: /^metrics\// },
];

const MAX_FILE_LINES = 300;
const MAX_FUNCTION_LINES = 45;
const MAX_DEPENDENCIES = 5;

interface SourceFile {
  /** Relative to src, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly { readonly specifier: string; readonly isTypeOnly: boolean }[];
}

function sourceFiles(directory = SRC): SourceFile[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    if (!entry.name.endsWith('.ts') || entry.name.endsWith('.spec.ts')) return [];
    return [readSource(path)];
  });
}

function readSource(path: string): SourceFile {
  const text = readFileSync(path, 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const imports: { specifier: string; isTypeOnly: boolean }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ specifier: node.moduleSpecifier.text, isTypeOnly: node.importClause?.isTypeOnly ?? false });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ specifier: node.moduleSpecifier.text, isTypeOnly: node.isTypeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteral(argument)) imports.push({ specifier: argument.text, isTypeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { path: relative(SRC, path).replaceAll('\\', '/'), text, tree, imports };
}

const FILES = sourceFiles();

/** The file below src an import leads to; undefined for packages. */
function target(file: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const path = relative(SRC, resolve(dirname(join(SRC, file.path)), specifier)).replaceAll('\\', '/');
  return path.replace(/\.js$/, '.ts');
}

/** Index of a file's layer; the composition root stands above all. */
function layerOf(path: string): number {
  const folder = path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
  if (folder === '') return LAYERS.length;
  const layer = LAYERS.findIndex((folders) => folders.includes(folder));
  if (layer < 0) throw new Error(`src/${folder} is in no layer: add it to the list above`);
  return layer;
}

const folderOf = (path: string): string => path.split('/')[0] ?? '';

/** Folders below providers that belong to no kind: what several kinds share of one wire. */
const isShared = (folder: string): boolean => folder.endsWith('-wire');

/** The folder below providers a file is in. */
function providerFolderOf(path: string): string | undefined {
  const [top, folder, ...rest] = path.split('/');
  return top === 'providers' && folder !== undefined && rest.length > 0 ? folder : undefined;
}

/** The kind a file belongs to; shared folders belong to none. */
function kindOf(path: string): string | undefined {
  const folder = providerFolderOf(path);
  return folder === undefined || isShared(folder) ? undefined : folder;
}

function walk(file: SourceFile, visit: (node: ts.Node) => void): void {
  const step = (node: ts.Node): void => {
    visit(node);
    ts.forEachChild(node, step);
  };
  step(file.tree);
}

function lineOf(file: SourceFile, node: ts.Node): number {
  return file.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1;
}

describe('the layers', () => {
  it('hold real files', () => {
    expect(FILES.length).toBeGreaterThan(50);
  });

  it('are imported downwards only, and never sideways', () => {
    const wrong = FILES.flatMap((file) =>
      file.imports.flatMap(({ specifier }) => {
        const to = target(file, specifier);
        if (to === undefined || !to.includes('/') || folderOf(to) === folderOf(file.path)) {
          return to !== undefined && !to.includes('/') && file.path.includes('/') ? [`${file.path} -> ${to}`] : [];
        }
        return layerOf(to) < layerOf(file.path) ? [] : [`${file.path} -> ${to}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('let no provider kind import another', () => {
    const wrong = FILES.flatMap((file) =>
      file.imports.flatMap(({ specifier }) => {
        const to = target(file, specifier);
        const kind = kindOf(file.path);
        const other = to === undefined ? undefined : kindOf(to);
        if (to === undefined || other === undefined || other === kind) return [];
        return file.path === 'kinds.ts' ? [] : [`${file.path} -> ${to}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('have no import cycle', () => {
    const edges = new Map(
      FILES.map((file) => [
        file.path,
        file.imports.flatMap(({ specifier, isTypeOnly }) => {
          const to = target(file, specifier);
          return to === undefined || isTypeOnly ? [] : [to];
        }),
      ]),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const follow = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
        return;
      }
      if (done.has(path)) return;
      for (const next of edges.get(path) ?? []) follow(next, [...trail, path]);
      done.add(path);
    };
    for (const path of edges.keys()) follow(path, []);
    expect(cycles).toEqual([]);
  });
});

describe('the fences', () => {
  it('keep each package where it belongs', () => {
    const wrong = FILES.flatMap((file) =>
      file.imports.flatMap(({ specifier }) => {
        const fence = FENCES.find(({ packages }) => packages.test(specifier));
        return fence === undefined || fence.places.test(file.path) ? [] : [`${file.path} imports ${specifier}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('leave no way around them', () => {
    const wrong = FILES.filter(({ text }) => /\bcreateRequire\b|\brequire\(/.test(text));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('keep process.env in config', () => {
    const reads = /\bprocess(\.env\b|\s*\[)|\bglobalThis\.process\b|\}\s*=\s*process\s*;/;
    const wrong = FILES.filter(({ path, text }) => folderOf(path) !== 'config' && reads.test(text));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('keep the names of provider kinds in their folders and in the composition root', () => {
    const kinds = readdirSync(join(SRC, 'providers'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .filter((name) => !isShared(name));
    expect(kinds).toEqual(expect.arrayContaining(['azure-openai', 'bedrock', 'gemini', 'sandbox']));
    const wrong: string[] = [];
    for (const file of FILES.filter(({ path }) => path !== 'kinds.ts')) {
      walk(file, (node) => {
        if (!ts.isStringLiteralLike(node) || !kinds.includes(node.text)) return;
        // A package may bear the name of a kind.
        if (ts.isImportDeclaration(node.parent)) return;
        if (kindOf(file.path) !== node.text) wrong.push(`${file.path}:${lineOf(file, node)} names ${node.text}`);
      });
    }
    expect(wrong).toEqual([]);
  });
});

describe('the house style', () => {
  it('keeps files short', () => {
    const wrong = FILES.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
    expect(wrong.filter(({ lines }) => lines > MAX_FILE_LINES)).toEqual([]);
  });

  it('keeps functions short', () => {
    const wrong: string[] = [];
    for (const file of FILES) {
      walk(file, (node) => {
        if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
        const { line: first } = file.tree.getLineAndCharacterOfPosition(node.getStart());
        const { line: last } = file.tree.getLineAndCharacterOfPosition(node.end);
        if (last - first + 1 > MAX_FUNCTION_LINES)
          wrong.push(`${file.path}:${first + 1} has ${last - first + 1} lines`);
      });
    }
    expect(wrong).toEqual([]);
  });

  it('injects at most five dependencies', () => {
    const wrong: string[] = [];
    for (const file of FILES) {
      walk(file, (node) => {
        if (ts.isConstructorDeclaration(node) && node.parameters.length > MAX_DEPENDENCIES) {
          wrong.push(`${file.path}:${lineOf(file, node)}`);
        }
      });
    }
    expect(wrong).toEqual([]);
  });

  it('has no barrel, no default export, no forwardRef', () => {
    const wrong = FILES.filter(
      ({ path, text }) =>
        /(^|\/)index\.ts$/.test(path) || /^export default /m.test(text) || /\bforwardRef\b/.test(text),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('makes only configuration and state global', () => {
    const wrong = FILES.filter(({ path, text }) => /^@Global\(\)/m.test(text) && !/^(config|state)\//.test(path));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('documents every exported class and function', () => {
    const wrong: string[] = [];
    for (const file of FILES) {
      for (const statement of file.tree.statements) {
        const isNamed = ts.isClassDeclaration(statement) || ts.isFunctionDeclaration(statement);
        if (!isNamed || statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) !== true)
          continue;
        if (ts.getJSDocCommentsAndTags(statement).length > 0) continue;
        wrong.push(`${file.path}:${lineOf(file, statement)} ${statement.name?.text ?? ''}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
