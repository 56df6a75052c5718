import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../../test/support/config-samples.js';
import { formatPath } from './config.problem.js';
import { FileReader } from './file-reader.js';
import { resolveReferences } from './references.js';

const directory = temporaryDirectory();
afterAll(() => directory.remove());

const resolve = (value: unknown, environment: Record<string, string> = {}) => {
  const reader = new FileReader();
  const resolved = resolveReferences(value, { environment, directory: directory.path, reader });
  const messages = resolved.findings.map(({ path, message }) => `${formatPath(path)}: ${message}`);
  return { ...resolved, messages, files: [...reader.stamps.keys()] };
};

describe('resolveReferences', () => {
  it('replaces variables wherever they stand in a string', () => {
    const { value, referenced } = resolve({ a: ['${HOST}:${PORT}', 'plain'], b: 7 }, { HOST: 'h', PORT: '1' });
    expect(value).toEqual({ a: ['h:1', 'plain'], b: 7 });
    expect([...referenced]).toEqual(['a[0]']);
  });

  it('takes the default where a variable is not set or empty', () => {
    expect(resolve({ a: '${A:-x}', b: '${B:-y}', c: '${C:-}' }, { A: '', B: 'set' }).value).toEqual({
      a: 'x',
      b: 'set',
      c: '',
    });
  });

  it('keeps an escaped reference', () => {
    const { value, referenced } = resolve({ a: '$${A} costs $5' }, { A: 'x' });
    expect(value).toEqual({ a: '${A} costs $5' });
    expect(referenced.size).toBe(0);
  });

  it('never reads what a reference yields as a reference', () => {
    writeFileSync(join(directory.path, 'nested'), '${B}');
    expect(resolve({ a: '${A}', b: 'file:nested' }, { A: '${B}file:x', B: 'no' }).value).toEqual({
      a: '${B}file:x',
      b: '${B}',
    });
  });

  it('names a missing variable and no value', () => {
    const { messages } = resolve({ a: { b: '${HAVE}${LACK}' } }, { HAVE: 'secret', LACK: '' });
    expect(messages).toEqual(['a.b: the environment variable LACK is not set or empty']);
  });

  it('does not find variables on the prototype', () => {
    expect(resolve({ a: '${constructor}' }).messages).toHaveLength(1);
  });

  it.each(['${', '${A', '${1}', '${A-b}'])('refuses the incomplete reference %s', (text) => {
    expect(resolve({ a: text }, { A: 'x' }).messages).toEqual(['a: the reference is not complete']);
  });

  it('reads files relative to the configuration, without the newline at their end', () => {
    writeFileSync(join(directory.path, 'secret'), ' line one\nline two\r\n');
    const { value, files } = resolve({ a: 'file:secret', b: 'file:${NAME}' }, { NAME: join(directory.path, 'secret') });
    expect(value).toEqual({ a: ' line one\nline two', b: ' line one\nline two' });
    expect(files).toEqual([join(directory.path, 'secret')]);
  });

  it('says why a file cannot be used, and remembers that it was asked for', () => {
    mkdirSync(join(directory.path, 'folder'));
    writeFileSync(join(directory.path, 'empty'), '\n');
    writeFileSync(join(directory.path, 'binary'), Buffer.from([0xff, 0xfe, 0x00]));
    writeFileSync(join(directory.path, 'large'), 'x'.repeat(1_048_577));
    const { messages, files } = resolve(['gone', 'folder', 'empty', 'binary', 'large'].map((name) => `file:${name}`));
    expect(messages.map((message) => message.replace(directory.path, ''))).toEqual([
      '[0]: the file /gone cannot be read (ENOENT)',
      '[1]: the file /folder is not a regular file',
      '[2]: the file /empty is empty',
      '[3]: the file /binary is not valid UTF-8',
      '[4]: the file /large is larger than 1048576 bytes',
    ]);
    expect(files).toHaveLength(5);
  });
});
