import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { API_KEY_PATTERN, hashApiKey } from '../../src/contract/api-key.js';
import { hasLines, runFile, runShell, startByCommand, type StartedGateway } from './commands.ts';
import { commandsOf, fencedBlocks } from './markdown.ts';

const ROOT = join(__dirname, '../..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const BLOCKS = fencedBlocks(README);
const textsOf = (language: string): string[] =>
  BLOCKS.filter((one) => one.language === language).map(({ text }) => text);
const YAML_TEXT = textsOf('yaml')[0] ?? '';
const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
};

/** One command of the page; `output` is the block of text right after it. */
interface PageCommand {
  readonly command: string;
  readonly output: string | undefined;
}

const COMMANDS: readonly PageCommand[] = BLOCKS.flatMap(({ language, text, isFollowed }, index) => {
  if (language !== 'sh') return [];
  const commands = commandsOf(text);
  const follower = isFollowed ? BLOCKS[index + 1] : undefined;
  const output = follower?.language === 'text' ? follower.text : undefined;
  return commands.map((command, at) => ({ command, output: at === commands.length - 1 ? output : undefined }));
});

/** Values for the references of the page's YAML that the page itself does not set. */
const SECRETS = { REDIS_URL: 'redis://127.0.0.1:6379', AZURE_OPENAI_API_KEY: 'a', GEMINI_API_KEY: 'g' };

let scratch: string;
let gateway: StartedGateway;
/** What the page's `export` lines set so far. */
const exported: Record<string, string> = {};

const withPorts = (text: string): string =>
  text.replaceAll('localhost:8080', gateway.data).replaceAll('localhost:9464', gateway.metrics);

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'tollgate-readme-'));
  // A file of the developer's own would be served instead of the quick start.
  if (existsSync(join(ROOT, 'tollgate.yaml'))) throw new Error('move tollgate.yaml out of the checkout to run this');
  gateway = await startByCommand('npm start');
}, 120_000);
afterAll(async () => {
  await gateway?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

async function runCurl({ command, output }: PageCommand): Promise<void> {
  const finished = await runShell(`${withPorts(command)} -sS -w '\n%{http_code}'`, exported);
  expect(finished).toMatchObject({ code: 0, stderr: '' });
  if (output !== undefined)
    expect([finished.stdout, hasLines(finished.stdout, output)]).toEqual([finished.stdout, true]);
  if (output?.startsWith('HTTP/') !== true) expect(finished.stdout).toMatch(/\n200$/);
}

async function runExport({ command }: PageCommand): Promise<void> {
  const [, name = ''] = /^export (\w+)=/.exec(command) ?? [];
  const { code, stdout } = await runShell(`${command}; printf %s "$${name}"`, exported);
  expect([code, stdout === '']).toEqual([0, false]);
  exported[name] = name === 'TOLLGATE_KEY' ? gateway.key : stdout;
}

async function runNewKey({ command }: PageCommand): Promise<void> {
  const { code, stdout } = await runShell(command, exported);
  const key = /^tg_\w+$/m.exec(stdout)?.[0] ?? '';
  const [, hash = ''] = /hash: "([0-9a-f]{64})"/.exec(stdout) ?? [];
  expect(code).toBe(0);
  expect(key).toMatch(API_KEY_PATTERN);
  expect(hash).toBe(hashApiKey(exported['TOLLGATE_PEPPER'] ?? '', key));
}

async function runCheck({ command }: PageCommand): Promise<void> {
  const file = join(scratch, 'tollgate.yaml');
  writeFileSync(file, YAML_TEXT);
  const finished = await runShell(command.replace('tollgate.yaml', file), { ...SECRETS, ...exported });
  expect(finished.stderr + finished.stdout).toContain(`${file}: valid`);
  expect(finished.code).toBe(0);
  writeFileSync(file, YAML_TEXT.replace('azure, model', 'azur, model'));
  const mistaken = await runShell(command.replace('tollgate.yaml', file), { ...SECRETS, ...exported });
  expect(mistaken.stderr).toMatch(/tollgate\.yaml:\d+:\d+.*did you mean "azure"/);
  expect(mistaken.code).not.toBe(0);
}

async function runSchema({ command }: PageCommand): Promise<void> {
  const { stdout } = await runShell(command);
  const schema = JSON.parse(stdout) as { properties: Record<string, unknown> };
  const known = Object.keys(schema.properties);
  expect(known).toEqual(expect.arrayContaining(Object.keys(parse(YAML_TEXT) as object)));
}

/** What `npm ci` refuses: a lock that does not fit. Running it would take the packages away under the other tests. */
async function checkInstall(): Promise<void> {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dependencies?: Record<string, string> }>;
  };
  expect(lock.packages['']?.dependencies).toEqual(PACKAGE.dependencies);
}

/** These run this very suite, or for minutes: only their scripts are looked at. */
async function checkScript({ command }: PageCommand): Promise<void> {
  expect(Object.keys(PACKAGE.scripts)).toContain(command.split(' ').at(-1));
}

/** Needs a daemon and the network; what it says of ports and variables must fit image and file all the same. */
async function checkDocker({ command }: PageCommand): Promise<void> {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const [, exposed = ''] = /^EXPOSE (.+)$/m.exec(dockerfile) ?? [];
  for (const [, port = ''] of command.matchAll(/-p \d+:(\d+)/g)) expect(exposed.split(' ')).toContain(port);
  if (!command.startsWith('docker run')) return;
  const passed = [...command.matchAll(/-e (\w+)/g)].map(([, name]) => name);
  const references = [...YAML_TEXT.matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
  expect(passed).toEqual(expect.arrayContaining(['TOLLGATE_CONFIG', ...references]));
}

const RUNNERS: readonly (readonly [RegExp, (command: PageCommand) => Promise<void>])[] = [
  [/^curl /, runCurl],
  [/^export \w+=/, runExport],
  [/^npm start$/, async () => expect(gateway.key).toMatch(API_KEY_PATTERN)],
  [/^npm run key:new$/, runNewKey],
  [/^npm start -- --check tollgate\.yaml$/, runCheck],
  [/^npm start --silent -- --schema$/, runSchema],
  [/^npm ci$/, checkInstall],
  [/^npm (test|run (check|bench))$/, checkScript],
  [/^docker (build|run) /, checkDocker],
];

describe('the commands of README.md', () => {
  it('are there', () => {
    expect(COMMANDS.length).toBeGreaterThan(10);
  });

  it.each(COMMANDS)(
    '$command',
    async (command) => {
      const runner = RUNNERS.find(([pattern]) => pattern.test(command.command))?.[1];
      if (runner === undefined) throw new Error('nothing here knows how to run this command: teach it');
      await runner(command);
    },
    120_000,
  );
});

describe('the programs of README.md', () => {
  const runProgram = async (name: string, text: string, program: string) => {
    const directory = join(scratch, name.replace(/\W/g, '-'));
    mkdirSync(directory);
    symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    writeFileSync(join(directory, name), withPorts(text));
    return runFile(program, [name], { directory, variables: { TOLLGATE_KEY: gateway.key } });
  };

  it('in TypeScript run as they stand', async () => {
    const finished = await Promise.all(
      textsOf('ts').map((text, index) => runProgram(`example-${index}.ts`, text, process.execPath)),
    );
    expect(finished.map(({ code, stderr }) => [code, stderr])).toEqual(finished.map(() => [0, '']));
    expect(finished.map(({ stdout }) => stdout)).toEqual([expect.stringContaining('You said: "Hello"'), '2 vectors\n']);
  }, 60_000);

  const hasPython = spawnSync('python3', ['-c', 'import openai']).status === 0;
  const why = hasPython ? '' : ' (skipped: python3 has no package openai here)';
  (hasPython ? it : it.skip)(
    `in Python run as they stand${why}`,
    async () => {
      const [text = ''] = textsOf('python');
      const finished = await runProgram('example.py', text, 'python3');
      expect(finished).toMatchObject({ code: 0, stderr: '' });
      expect(finished.stdout).toContain('You said: "Hello"');
    },
    60_000,
  );

  it('are in languages that are run here', () => {
    expect(new Set(BLOCKS.map(({ language }) => language))).toEqual(
      new Set(['mermaid', 'sh', 'text', 'ts', 'python', 'yaml']),
    );
  });
});

describe('the sandbox instructions of README.md', () => {
  it('are those of the sandbox', () => {
    const source = readFileSync(join(ROOT, 'src/providers/sandbox/sandbox.config.ts'), 'utf8');
    const words = [...README.matchAll(/\[\[(\w+)/g)].map(([, word]) => word);
    expect(new Set(words).size).toBeGreaterThan(5);
    expect(words.filter((word) => !source.includes(`[[${word}`))).toEqual([]);
    for (const fault of ['unreachable', 'content_filter', 'context_length']) expect(source).toContain(`"${fault}"`);
  });
});
