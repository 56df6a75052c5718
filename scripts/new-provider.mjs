// Writes a new provider kind from the templates beside this script: npm run new:provider -- <kind> [--like openai]
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { format, resolveConfig } from 'prettier';

const USAGE = 'usage: npm run new:provider -- <kind> [--like openai]';
const KIND = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const RESERVED = /-wire$/;
const MAX_LENGTH = 40;
const root = join(import.meta.dirname, '..');

function fail(message) {
  console.error(message);
  process.exit(1);
}

/** The kind and the folder of its templates. */
function readArguments([kind, ...rest]) {
  if (kind === undefined || kind.startsWith('-')) fail(USAGE);
  const [option, like, ...more] = rest;
  const isPlain = rest.length === 0;
  if (!isPlain && (option !== '--like' || like !== 'openai' || more.length > 0)) fail(USAGE);
  if (!KIND.test(kind) || kind.length > MAX_LENGTH) {
    fail(`"${kind}" is no name for a kind: use lower case words joined by hyphens, such as "my-cloud"`);
  }
  if (RESERVED.test(kind)) fail(`"${kind}" is no name for a kind: folders ending in -wire are shared by kinds`);
  return { kind, templates: isPlain ? 'foreign' : 'openai' };
}

/** The forms of the name that templates hold. */
function namesOf(kind) {
  const words = kind.split('-');
  const pascal = words.map((word) => word[0].toUpperCase() + word.slice(1)).join('');
  return {
    __kind__: kind,
    __Pascal__: pascal,
    __camel__: pascal[0].toLowerCase() + pascal.slice(1),
    __CONST__: words.join('_').toUpperCase(),
  };
}

/** Where a template's file goes. */
function targetOf(template, kind) {
  const name = template.replace(/\.txt$/, '');
  if (name === 'fake.ts') return `test/support/fake-${kind}.ts`;
  if (name === 'contract.spec.ts') return `test/contract/${kind}.spec.ts`;
  return `src/providers/${kind}/${name.replace(/^provider\./, `${kind}.`)}`;
}

/** src/kinds.ts with the kind's two lines, each where the alphabet has it. */
function withKind(text, { __kind__: kind, __camel__: camel }) {
  const line = `import { ${camel}Kind } from './providers/${kind}/${kind}.module.js';`;
  const lines = text.split('\n');
  const insert = (added, isOfList, keyOf) => {
    const places = lines.flatMap((each, index) => (isOfList(each, index) ? [index] : []));
    const next = places.find((index) => keyOf(lines[index]) > keyOf(added));
    lines.splice(next ?? places.at(-1) + 1, 0, added);
  };
  insert(
    line,
    (each) => /^import \{ \w+Kind \} from/.test(each),
    (each) => each.slice(each.indexOf("'")).replace('/', ''),
  );
  const start = lines.findIndex((each) => each.startsWith('export const KINDS'));
  const end = lines.indexOf('];', start);
  insert(
    `  ${camel}Kind,`,
    (_each, index) => index > start && index < end,
    (each) => each.toLowerCase(),
  );
  return lines.join('\n');
}

const { kind, templates } = readArguments(process.argv.slice(2));
const names = namesOf(kind);
const folder = join(import.meta.dirname, 'new-provider', templates);
const files = readdirSync(folder).map((template) => ({
  path: join(root, targetOf(template, kind)),
  text: readFileSync(join(folder, template), 'utf8').replaceAll(
    /__(kind|Pascal|camel|CONST)__/g,
    (name) => names[name],
  ),
}));
const kindsPath = join(root, 'src/kinds.ts');
const kinds = readFileSync(kindsPath, 'utf8');
const taken = [join(root, 'src/providers', kind), ...files.map(({ path }) => path)].find((path) => existsSync(path));
if (taken !== undefined) fail(`"${kind}" is taken: there is a ${relative(root, taken)}`);
if (new RegExp(`\\b${names.__camel__}Kind\\b`, 'i').test(kinds))
  fail(`"${kind}" is taken: src/kinds.ts has such a kind`);

for (const { path, text } of [...files, { path: kindsPath, text: withKind(kinds, names) }]) {
  mkdirSync(dirname(path), { recursive: true });
  const options = await resolveConfig(path);
  writeFileSync(path, await format(text, { ...options, filepath: path }));
  console.log(`${path === kindsPath ? 'added to' : 'wrote'} ${relative(root, path)}`);
}
console.log(`
Next:
  npx jest test/contract/${kind}.spec.ts    fails, and names the function to write next
  npx tsc --noEmit && npx eslint src/providers/${kind} test
  node scripts/reference-docs.mjs           when the settings stand
  node scripts/providers-docs.mjs           when test/contract/capabilities.ts has the kind
See docs/adding-a-provider.md.`);
