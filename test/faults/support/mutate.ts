import type { Random } from './random.ts';

/** Values a body may hold that its author did not think of, as JSON text. */
const HOSTILE: readonly string[] = [
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '0',
  '-1',
  '1.5',
  '1e308',
  '1e999',
  '-1e999',
  '9007199254740993',
  '1e-320',
  '"\\u0000"',
  '"\\ud800"',
  '"\\ud83d\\ude00"',
  '"\\u202e"',
  '"a\\r\\nset-cookie: b"',
  '"__proto__"',
  '"constructor"',
  '"data:image/png;base64,"',
  '"data:,"',
  '"http://169.254.169.254/"',
  '"[[reply x]]"',
  '[null]',
  '[[[[[[[[]]]]]]]]',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{"a":1}}}',
  '{"toString":null,"valueOf":null,"toJSON":null}',
  '{"type":"text","text":null}',
  '{"type":"image_url","image_url":{"url":"x"}}',
  '{"role":"assistant","tool_calls":[{"id":"","function":{"name":"","arguments":"{"}}]}',
  '{"$ref":"#"}',
  '{"type":["object","null"],"properties":{"a":{"$ref":"#/properties/a"}}}',
];

const TOKENS: readonly string[] = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u',
  '\\u12',
  '\n',
  '\t',
  '\0',
  '\u2028',
  '-',
  '.',
  'e',
  '0',
  'null',
  '/*',
  '//',
  '\ufeff',
  '\u{10ffff}',
];

/** Most characters one mutation adds; bodies that are large as a whole are another test's matter. */
const MAX_ADDED = 1_000_000;

type Mutation = (text: string, random: Random) => string;

/** Where the values of a JSON text begin and end, found without understanding more of it than needed. */
function spans(text: string): { readonly start: number; readonly end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/g)) {
    found.push({ start: match.index, end: match.index + match[0].length });
  }
  return found;
}

const replaceSpan: Mutation = (text, random) => {
  const { start, end } = random.pick(spans(text));
  const isKey = text[end] === ':';
  const value = isKey
    ? JSON.stringify(random.pick(['__proto__', 'constructor', '', 'stream', 'n', 'role', '\u0000']))
    : random.pick(HOSTILE);
  return text.slice(0, start) + value + text.slice(end);
};

const repeatSpan: Mutation = (text, random) => {
  const { start, end } = random.pick(spans(text));
  const piece = text.slice(start, end);
  const times = random.pick([2, 10, 1_000, 12_000]);
  if (piece.length * times > MAX_ADDED) return text;
  return text[end] === ':' ? text : `${text.slice(0, start)}[${Array(times).fill(piece).join(',')}]${text.slice(end)}`;
};

const duplicateKey: Mutation = (text, random) => {
  const key = random.pick(['model', 'messages', 'stream', 'n', 'tools', 'input', 'x']);
  const at = text.indexOf('{') + 1;
  return `${text.slice(0, at)}"${key}":${random.pick(HOSTILE)},${text.slice(at)}`;
};

const insertToken: Mutation = (text, random) => {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + random.pick(TOKENS) + text.slice(at);
};

const cutOut: Mutation = (text, random) => {
  const start = random.below(text.length);
  return text.slice(0, start) + text.slice(start + 1 + random.below(20));
};

const truncate: Mutation = (text, random) => text.slice(0, random.below(text.length));

const nest: Mutation = (text, random) => {
  const { start, end } = random.pick(spans(text));
  const depth = random.pick([3, 60, 70, 5_000]);
  if (text[end] === ':') return text;
  const [open, close] = random.pick<readonly [string, string]>([
    ['[', ']'],
    ['{"a":', '}'],
  ]);
  return text.slice(0, start) + open.repeat(depth) + text.slice(start, end) + close.repeat(depth) + text.slice(end);
};

const grow: Mutation = (text, random) => {
  const { start, end } = random.pick(spans(text));
  const filler = random.pick(['x', '\\"', '\\\\', '\u00e4', '{', '[[reply ', '\\u0041']);
  if (text[end] === ':') return text;
  return `${text.slice(0, start)}"${filler.repeat(random.pick([100, 5_000, 100_000]))}"${text.slice(end)}`;
};

const swap: Mutation = (text, random) => {
  const [one, other] = [random.pick(spans(text)), random.pick(spans(text))];
  if (one.end > other.start) return text;
  const [left, right] = [text.slice(one.start, one.end), text.slice(other.start, other.end)];
  return text.slice(0, one.start) + right + text.slice(one.end, other.start) + left + text.slice(other.end);
};

const MUTATIONS: readonly Mutation[] = [
  replaceSpan,
  replaceSpan,
  replaceSpan,
  swap,
  duplicateKey,
  repeatSpan,
  insertToken,
  cutOut,
  truncate,
  nest,
  grow,
];

/** A valid body after one to four mutations, and sometimes some flipped bits. */
export function mutate(body: unknown, random: Random): Buffer {
  let text = JSON.stringify(body);
  for (let count = 1 + random.below(4); count > 0; count -= 1) {
    if (spans(text).length > 0) text = random.pick(MUTATIONS)(text, random);
  }
  const bytes = Buffer.from(text);
  if (bytes.length > 0 && random.below(8) === 0) {
    for (let count = 1 + random.below(6); count > 0; count -= 1) {
      const at = random.below(bytes.length);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.below(8)), at);
    }
  }
  return bytes;
}
