import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { MATRIX } from './matrix.ts';

/** The rows of the fault matrix; their numbers have gaps. */
const ROWS = '1-3 5-11 13-18 20-23 25-30 32-40 42-48 50 52-60 62 63 65-70 72-74 76-80'.split(' ').flatMap((range) => {
  const [first = 0, last = first] = range.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => `F${first + index}`);
});
interface Spec {
  readonly titles: ReadonlySet<string>;
  readonly texts: ReadonlySet<string>;
}

const specs = new Map<string, Spec>();

/** The titles of a spec's tests and suites, and every text that stands in it outside of comments. */
function specOf(file: string): Spec {
  const known = specs.get(file);
  if (known !== undefined) return known;
  const source = ts.createSourceFile(
    file,
    readFileSync(join(__dirname, '../..', file), 'utf8'),
    ts.ScriptTarget.ES2023,
  );
  const titles = new Set<string>();
  const texts = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) texts.add(node.text);
    if (ts.isIdentifier(node)) texts.add(node.text);
    if (ts.isCallExpression(node) && isTest(node.expression)) {
      const [title] = node.arguments;
      if (title !== undefined && ts.isStringLiteralLike(title)) titles.add(title.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  const spec = { titles, texts };
  specs.set(file, spec);
  return spec;
}

/** `it`, `it.concurrent`, `it.each(…)` and the same of `describe`; not what skips. */
function isTest(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return callee.text === 'it' || callee.text === 'describe';
  if (ts.isCallExpression(callee)) return isTest(callee.expression);
  return (
    ts.isPropertyAccessExpression(callee) && /^(each|concurrent)$/.test(callee.name.text) && isTest(callee.expression)
  );
}

describe('the fault matrix', () => {
  it('has every row', () => {
    const missing = ROWS.filter((row) => !(row in MATRIX));
    expect(missing).toEqual([]);
  });

  it.each(Object.entries(MATRIX))('%s is shown by tests that are still there', (_row, { shown, waits }) => {
    for (const [file, title, tableCase] of shown) {
      const { titles, texts } = specOf(file);
      expect({ file, title, isThere: titles.has(title) }).toEqual({ file, title, isThere: true });
      if (tableCase !== undefined) {
        expect({ file, tableCase, isThere: texts.has(tableCase) }).toEqual({ file, tableCase, isThere: true });
      }
    }
    if (shown.length === 0) expect(waits).toEqual(expect.any(String));
  });
});
