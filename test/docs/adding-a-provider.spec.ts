import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');
const COPIED = ['src', 'test', 'scripts', 'package.json', 'tsconfig.json', 'jest.config.mjs', '.prettierrc.json'];

/** The store is not needed: a contract spec talks to its fake alone. */
const JEST = `import config from './jest.config.mjs';
const { globalSetup: _setup, globalTeardown: _teardown, ...rest } = config;
export default rest;
`;

interface Outcome {
  readonly code: number | null;
  /** Both outputs. */
  readonly text: string;
}

describe('the scaffold of a provider kind', () => {
  let copy: string;

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'new-provider-'));
    for (const name of COPIED.filter((each) => existsSync(join(ROOT, each)))) {
      cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'dir');
  });

  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  function run(script: string, ...rest: string[]): Promise<Outcome> {
    return new Promise((done) => {
      const child = spawn(process.execPath, [script, ...rest], { cwd: copy });
      let text = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      }
      child.on('close', (code) => done({ code, text }));
    });
  }

  const scaffold = (...rest: string[]): Promise<Outcome> => run('scripts/new-provider.mjs', ...rest);
  const kinds = (): string => readFileSync(join(copy, 'src/kinds.ts'), 'utf8');

  const filesOf = (kind: string): string[] => [
    ...readdirSync(join(copy, 'src/providers', kind)).map((name) => `src/providers/${kind}/${name}`),
    `test/support/fake-${kind}.ts`,
    `test/contract/${kind}.spec.ts`,
  ];

  it('writes two kinds whose code compiles and whose contract fails for what is still to be written', async () => {
    expect(await scaffold('near-cloud', '--like', 'openai')).toMatchObject({ code: 0 });
    expect(await scaffold('far-cloud')).toMatchObject({ code: 0 });
    const files = [...filesOf('near-cloud'), ...filesOf('far-cloud')];
    writeFileSync(join(copy, 'tsconfig.new.json'), JSON.stringify({ extends: './tsconfig.json', files, include: [] }));
    writeFileSync(join(copy, 'jest.new.mjs'), JEST);
    const types = await run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.new.json');
    expect(types.code === 0 || types.text.includes('error TS')).toBe(true);
    expect(types.text.split('\n').filter((line) => files.some((file) => line.startsWith(file)))).toEqual([]);
    const specs = ['test/contract/near-cloud.spec.ts', 'test/contract/far-cloud.spec.ts'];
    const contract = await run(
      'node_modules/jest/bin/jest.js',
      '-c',
      'jest.new.mjs',
      '-t',
      'without reporting any loss',
      ...specs,
    );
    expect(contract.code).toBe(1);
    expect(contract.text).toMatch(/Tests: +2 failed, \d+ skipped/);
    expect(contract.text).toContain('write createClient: which headers go to http');
    expect(contract.text).toContain('write toChatBody: how are 1 messages told to a-model?');
  }, 60_000);

  it('adds the kind to the list, each line where the alphabet has it', async () => {
    const before = kinds();
    expect(await scaffold('my-cloud')).toMatchObject({ code: 0 });
    const added = kinds()
      .split('\n')
      .filter((line) => !before.split('\n').includes(line));
    expect(added).toEqual(["import { myCloudKind } from './providers/my-cloud/my-cloud.module.js';", '  myCloudKind,']);
    const listed = [...kinds().matchAll(/^ {2}(\w+)Kind,$/gm)].map(([, name = '']) => name.toLowerCase());
    expect(listed).toEqual([...listed].sort());
  });

  it.each([
    [['openai'], '"openai" is taken'],
    [['azure-open-ai'], '"azure-open-ai" is taken'],
    [['My_Cloud'], 'no name for a kind'],
    [['../cloud'], 'no name for a kind'],
    [['cloud-wire'], 'no name for a kind'],
    [[], 'usage: npm run new:provider'],
    [['a-cloud', '--like', 'nothing'], 'usage: npm run new:provider'],
  ])('refuses %j and writes nothing', async (rest, message) => {
    const before = kinds();
    const outcome = await scaffold(...rest);
    expect(outcome.code).toBe(1);
    expect(outcome.text).toContain(message);
    expect(kinds()).toBe(before);
  });
});

it('docs/adding-a-provider.md tells the same of the files as the scaffold writes', () => {
  const page = readFileSync(join(ROOT, 'docs/adding-a-provider.md'), 'utf8');
  const templates = readdirSync(join(ROOT, 'scripts/new-provider/foreign'));
  const files = templates.flatMap((name) => /^provider\.(\w+)\.ts/.exec(name)?.[1] ?? []);
  expect(files.length).toBeGreaterThan(6);
  for (const file of files) expect(page).toContain(`\`<kind>.${file}.ts\``);
});
