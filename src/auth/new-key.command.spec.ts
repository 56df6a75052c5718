import { parse } from 'yaml';
import { hashApiKey, parseApiKey } from '../contract/api-key.js';
import { printNewKey } from './new-key.command.js';

function print(pepper?: string): { key: string; entry: Record<string, string>; text: string } {
  let text = '';
  printNewKey({ ...(pepper !== undefined && { pepper }), write: (part) => (text += part) });
  const { keys } = parse(text.slice(text.indexOf('keys:'))) as { keys: [Record<string, string>] };
  return { key: text.slice(0, text.indexOf('\n')), entry: keys[0], text };
}

describe('printNewKey', () => {
  it('prints the key and, with a pepper, the entry with its hash', () => {
    const { key, entry, text } = print('pepper');

    expect(entry).toEqual({ id: parseApiKey(key)?.publicId, hash: hashApiKey('pepper', key) });
    expect(text.split(key)).toHaveLength(2);
    expect(text).not.toContain('pepper');
  });

  it('prints an entry that refers to an environment variable without one', () => {
    const { key, entry, text } = print();
    const id = parseApiKey(key)?.publicId ?? '';

    expect(entry).toEqual({ id, secret: `\${TOLLGATE_KEY_${id}}` });
    expect(text).toContain(`export TOLLGATE_KEY_${id}='${key}'`);
  });
});
