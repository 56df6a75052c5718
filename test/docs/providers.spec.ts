import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS } from '../../src/kinds.js';
import { CAPABILITIES, type Capabilities } from '../contract/capabilities.ts';
import { capabilityTables } from './capability-table.ts';
import { withGenerated } from './reference-tables.ts';

const ROOT = join(__dirname, '../..');
const COLUMNS: readonly Capabilities[] = Object.values(CAPABILITIES);

/** Kinds without an upstream, which the contract suite has nothing to hold to. */
const WITHOUT_UPSTREAM = ['sandbox'];

const page = (): string => readFileSync(join(ROOT, 'docs/providers.md'), 'utf8');

/** The files of the contract suite but the declarations themselves. */
const suite = (): string =>
  readdirSync(join(ROOT, 'test/contract'))
    .filter((name) => name !== 'capabilities.ts')
    .map((name) => readFileSync(join(ROOT, 'test/contract', name), 'utf8'))
    .join('\n');

describe('what providers can do (mend with: npx node scripts/providers-docs.mjs)', () => {
  it('docs/providers.md is what the contract suite holds them to', () => {
    expect(page()).toBe(withGenerated(page(), 'capabilities', capabilityTables(COLUMNS)));
  });

  it('is declared for every kind of this build', () => {
    const kinds = KINDS.map(({ descriptor }) => descriptor.kind).filter((kind) => !WITHOUT_UPSTREAM.includes(kind));
    expect([...new Set(COLUMNS.map(({ kind }) => kind))].sort()).toEqual(kinds.sort());
  });

  it.each(Object.keys(CAPABILITIES))('is held by a contract spec: %s', (name) => {
    expect(suite().includes(`declared('${name}')`)).toBe(true);
  });

  it('shows the modes, and yes, emulated and no apart', () => {
    const [first] = COLUMNS;
    if (first === undefined) throw new Error('no kind declares anything');
    const text = capabilityTables([
      { ...first, of: 'a test', native: ['seed'], emulated: ['cache'], answers: ['refusal'] },
    ]);
    expect(text).toContain('| feature | answer | `anthropic`, a test |');
    expect(text).toContain('| seed | whole | yes |\n| seed | stream | yes |');
    expect(text).toContain('| cache breakpoints | stream | emulated |');
    expect(text).toContain('| bias of tokens | whole | no |');
    expect(text).toContain('| refusal apart from the text | whole | yes |');
    expect(text).toContain('| tokens of reasoning | stream | no |');
  });
});

describe('the cases of docs/translation.md', () => {
  it('each have a test or a reason', () => {
    const counted = execFileSync(process.execPath, [join(ROOT, 'scripts/translation-cases.mjs')], { encoding: 'utf8' });
    expect(counted.trim().split('\n').at(-1)).toMatch(/^all: \d+ of 259 by a test, \d+ by reason, 0 missing$/);
  });
});
