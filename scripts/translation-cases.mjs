// Counts which lines of the list of translation cases a test shows: a title says so by beginning with the ids of its
// cases ('B14: …', 'B14/B15: …', 'O01, O07: …', 'G01-G03: …'). Cases without a test need a reason in
// docs/translation.md. Ends with 1 where a case has neither.
//   node scripts/translation-cases.mjs [FILE] [--where]
// FILE: the list itself, a line `B01. …` a case; without it the ids are those of the list as it was followed.
// --where: also the places of every case.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = join(import.meta.dirname, '..');

/** The sections of the list: letter, what it is about, number of cases. */
export const SECTIONS = [
  { letter: 'B', title: 'OpenAI chat to Bedrock Converse', cases: 95 },
  { letter: 'C', title: 'Bedrock Converse to OpenAI chat', cases: 38 },
  { letter: 'G', title: 'OpenAI chat to Gemini', cases: 41 },
  { letter: 'J', title: 'JSON Schema for Gemini', cases: 15 },
  { letter: 'H', title: 'Gemini to OpenAI chat', cases: 28 },
  { letter: 'N', title: 'OpenAI chat and Anthropic Messages', cases: 22 },
  { letter: 'O', title: 'OpenAI, Azure and the stream', cases: 20 },
];

const ID = String.raw`[${SECTIONS.map(({ letter }) => letter).join('')}]\d\d`;
const IDS = String.raw`${ID}(?:\s*[-–/,]\s*${ID})*`;
const TITLE = new RegExp(String.raw`['"\`](${IDS}):\s`, 'g');
const REASON = new RegExp(String.raw`^\|\s*(${IDS})\s*\|\s*(\S.*?)\s*\|$`, 'gm');
const LISTED = new RegExp(String.raw`^(${ID})\. `, 'gm');

/** 'B14/B16-B18' as B14, B16, B17, B18. */
export function idsIn(text) {
  const ids = [];
  for (const [, sign = '', id = ''] of text.matchAll(new RegExp(String.raw`([-–]?)\s*(${ID})`, 'g'))) {
    const last = ids.at(-1);
    const first = sign !== '' && last?.[0] === id[0] ? Number(last.slice(1)) + 1 : Number(id.slice(1));
    for (let number = first; number <= Number(id.slice(1)); number += 1) {
      ids.push(`${id[0]}${String(number).padStart(2, '0')}`);
    }
  }
  return ids;
}

/** The ids a file's test titles begin with. */
export const idsOfTitles = (source) => [...source.matchAll(TITLE)].flatMap(([, ids]) => idsIn(ids));

/** The reasons a page gives below its heading "Left out", by id. */
export function reasonsOf(page) {
  const [, part = ''] = page.split('\n## Left out\n');
  return new Map([...part.matchAll(REASON)].flatMap(([, ids, reason]) => idsIn(ids).map((id) => [id, reason])));
}

/** The places of every case that a test of the repository shows. */
export function placesOf(root = ROOT) {
  const places = new Map();
  const files = ['src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((path) => /\.ts$/.test(path) && (folder === 'test' || path.endsWith('.spec.ts')))
      .map((path) => join(folder, path)),
  );
  for (const file of files.sort()) {
    for (const id of new Set(idsOfTitles(readFileSync(join(root, file), 'utf8')))) {
      places.set(id, [...(places.get(id) ?? []), file]);
    }
  }
  return places;
}

/** The ids of a list, or of the list as it was followed. */
export function idsOfList(list) {
  if (list !== undefined) return [...new Set([...list.matchAll(LISTED)].map(([, id]) => id))];
  return SECTIONS.flatMap(({ letter, cases }) => idsIn(`${letter}01-${letter}${cases}`));
}

/** Every section with its cases shown by a test, left out for a reason, and missing. */
export function report({ ids, places, reasons }) {
  return SECTIONS.map(({ letter, title }) => {
    const own = ids.filter((id) => id.startsWith(letter));
    const covered = own.filter((id) => places.has(id));
    const reasoned = own.filter((id) => !places.has(id) && reasons.has(id));
    const missing = own.filter((id) => !places.has(id) && !reasons.has(id));
    return { letter, title, total: own.length, covered, reasoned, missing };
  });
}

function main(options) {
  const file = options.find((option) => !option.startsWith('--'));
  const ids = idsOfList(file === undefined ? undefined : readFileSync(file, 'utf8'));
  const places = placesOf();
  const sections = report({ ids, places, reasons: reasonsOf(readFileSync(join(ROOT, 'docs/translation.md'), 'utf8')) });
  for (const { letter, title, total, covered, reasoned, missing } of sections) {
    const rest = `${reasoned.length} by reason${reasoned.length === 0 ? '' : ` (${reasoned.join(' ')})`}`;
    console.log(`${letter} ${title}: ${covered.length} of ${total} by a test, ${rest}, ${missing.length} missing`);
    if (missing.length > 0) console.log(`  missing: ${missing.join(' ')}`);
  }
  if (options.includes('--where')) {
    for (const id of ids) console.log(`${id} ${(places.get(id) ?? ['-']).join(' ')}`);
  }
  const sum = (pick) => sections.reduce((count, section) => count + pick(section), 0);
  const missing = sum((section) => section.missing.length);
  const shown = sum((section) => section.covered.length);
  console.log(
    `all: ${shown} of ${ids.length} by a test, ${sum((section) => section.reasoned.length)} by reason, ${missing} missing`,
  );
  process.exitCode = missing === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
