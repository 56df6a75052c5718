import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { anchorsOf, commandsOf, fencedBlocks, linksOf, proseOf } from './markdown.ts';

const ROOT = join(__dirname, '../..');

/** Pages for people: those at the root, docs and the chart's. */
const PAGES = ['.', 'docs', 'helm'].flatMap((directory) =>
  readdirSync(join(ROOT, directory))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(directory, name)),
);

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');
const isExternal = (target: string): boolean => /^[a-z]+:/i.test(target);

/** What is wrong with a link; undefined = nothing. */
function brokenLink(page: string, target: string): string | undefined {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? join(ROOT, page) : resolve(dirname(join(ROOT, page)), path);
  if (relative(ROOT, file).startsWith('..')) return 'leads out of the repository';
  if (!existsSync(file)) return 'leads nowhere';
  if (anchor === undefined || statSync(file).isDirectory()) return undefined;
  return anchorsOf(readFileSync(file, 'utf8')).has(anchor) ? undefined : 'has no such heading';
}

/** Files of the repository that a page names in code marks: `src/main.ts`; not patterns such as `<kind>.ts`. */
function namedFiles(page: string): string[] {
  const names = [...proseOf(read(page)).matchAll(/`((?:src|test|scripts|docs|helm)\/[\w./-]+)`/g)];
  return names.map(([, name = '']) => name);
}

describe('the pages', () => {
  it('are found', () => {
    expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'docs/architecture.md', 'docs/metrics.md']));
  });

  it.each(PAGES)('%s links to what exists', (page) => {
    const broken = linksOf(read(page))
      .filter(({ target }) => !isExternal(target))
      .flatMap(({ target, line }) => {
        const problem = brokenLink(page, target);
        return problem === undefined ? [] : [`${page}:${line} ${target} ${problem}`];
      });
    expect(broken).toEqual([]);
  });

  it.each(PAGES)('%s names files that exist', (page) => {
    expect(namedFiles(page).filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });

  it('need nothing from the net to be read', () => {
    const images = PAGES.filter((page) => /!\[[^\]]*\]\(https?:|<img[^>]+https?:/.test(read(page)));
    expect(images).toEqual([]);
  });
});

describe('the reader of pages', () => {
  it('finds blocks, and which follow each other', () => {
    const page = '# A\n\n```sh\none\n```\n\n```text\ntwo\n```\n\nwords\n\n```ts\nthree\n```\n';
    expect(fencedBlocks(page).map(({ language, text, isFollowed }) => [language, text, isFollowed])).toEqual([
      ['sh', 'one', true],
      ['text', 'two', false],
      ['ts', 'three', false],
    ]);
  });

  it('finds a link that leads nowhere, and a heading that is not there', () => {
    expect(brokenLink('README.md', 'docs/absent.md')).toBe('leads nowhere');
    expect(brokenLink('README.md', '#no-such-heading')).toBe('has no such heading');
    expect(brokenLink('README.md', '../outside.md')).toBe('leads out of the repository');
    expect(linksOf('a [b](c.md#d) `[e](f)`\n```\n[g](h)\n```')).toEqual([{ target: 'c.md#d', line: 1 }]);
  });

  it('makes anchors as GitHub does', () => {
    expect([...anchorsOf('# Run it\n## `a.b`: what?\n## Run it\n')]).toEqual(['run-it', 'ab-what', 'run-it-1']);
  });

  it('joins continued lines and drops comments', () => {
    expect(commandsOf('# first\na \\\n  b   # why\nc && d\n')).toEqual(['a b', 'c', 'd']);
  });
});
