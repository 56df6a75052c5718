import { ConfigError } from './config.problem.js';
import { parseYaml } from './yaml-document.js';

const refusal = (text: string): string => {
  try {
    parseYaml('f.yaml', text);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('parseYaml', () => {
  it('reads nulls as absent and keeps the keys that hold them', () => {
    const { value } = parseYaml('f.yaml', 'a: 1\nb:\nc: [x, ~, true]\n');
    expect(value).toEqual({ a: 1, b: undefined, c: ['x', undefined, true] });
    expect(Object.keys(value as object)).toEqual(['a', 'b', 'c']);
  });

  it('reads JSON', () => {
    expect(parseYaml('f.json', '{"a": {"b": [1, "2"]}}').value).toEqual({ a: { b: [1, '2'] } });
  });

  it('tells the place of values, keys and, for what is absent, of the nearest ancestor', () => {
    const { positionOf } = parseYaml('f.yaml', 'a:\n  b: [10, 20]\n  c:\n');
    expect(positionOf(['a', 'b', 1], false)).toEqual({ line: 2, column: 11 });
    expect(positionOf(['a', 'b'], true)).toEqual({ line: 2, column: 3 });
    expect(positionOf(['a', 'c'], false)).toEqual({ line: 3, column: 3 });
    expect(positionOf(['a', 'zzz', 'y'], false)).toEqual({ line: 1, column: 1 });
  });

  it('tells places inside of what an alias copies', () => {
    const { value, positionOf } = parseYaml('f.yaml', 'a: &x\n  b: 1\nc: *x\n');
    expect(value).toEqual({ a: { b: 1 }, c: { b: 1 } });
    expect(positionOf(['c', 'b'], false)).toEqual({ line: 2, column: 6 });
  });

  it.each([
    ['duplicate keys', 'a: 1\nb: 2\na: 3\n', 'f.yaml:3:1 a: the key is there twice'],
    [
      'merge keys',
      'a: &x {b: 1}\nc: {<<: *x}\n',
      'f.yaml:2:5 c["<<"]: merge keys are not supported; write the values out',
    ],
    ['__proto__', 'a:\n  __proto__: {polluted: true}\n', 'f.yaml:2:3 a.__proto__: this key is not allowed'],
    ['quoted __proto__', '{"__proto__": 1}', 'f.yaml:1:2 __proto__: this key is not allowed'],
    ['tags', 'a: !!binary aGk=\n', 'f.yaml:1:4: tags are not supported'],
    ['own tags', 'a: !env HOME\n', 'f.yaml:1:4: tags are not supported'],
    ['aliases to nowhere', 'a: *x\n', 'f.yaml:1:4 a: the alias names no anchor before it'],
    ['several documents', 'a: 1\n---\nb: 2\n', 'f.yaml:2:1: write one document, without "---" after it'],
    ['YAML 1.1', '%YAML 1.1\n---\na: 010\n', 'f.yaml: write YAML 1.2'],
    ['an empty file', '', 'f.yaml: the file is empty'],
    ['a file of comments', '# nothing\n', 'f.yaml: the file is empty'],
    ['keys that are maps', '{a: 1}: b\n', /^f\.yaml:1:1/],
  ])('refuses %s', (_name, text, message) => {
    if (typeof message === 'string') expect(refusal(text)).toBe(message);
    else expect(refusal(text)).toMatch(message);
  });

  it('refuses half a file without quoting it', () => {
    const message = refusal('auth:\n  pepper: "a-secret-that-must-not-show\n');
    expect(message).toMatch(/^f\.yaml:\d+:\d+: /);
    expect(message).not.toContain('must-not-show');
  });

  it('refuses an alias bomb at once', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const item = level === 0 ? 'lol' : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array.from({ length: 10 }, () => item).join(', ')}]`;
    });
    expect(refusal(levels.join('\n'))).toMatch(/aliases copy too much/);
  });

  it('refuses an alias that holds itself', () => {
    expect(refusal('a: &a [*a]\n')).toMatch(/nested too deeply|copy too much|alias/i);
  });

  it('refuses bottomless nesting', () => {
    expect(refusal('['.repeat(200) + ']'.repeat(200))).toMatch(/nested too deeply/);
    expect(refusal('['.repeat(100_000))).toMatch(/nested too deeply/);
  });

  it('leaves no trace on Object.prototype', () => {
    const { value } = parseYaml('f.yaml', 'constructor: {prototype: {polluted: true}}\n');
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
