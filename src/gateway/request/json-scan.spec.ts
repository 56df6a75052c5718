import fc from 'fast-check';
import { GatewayError } from '../../contract/errors.js';
import { parseJsonBody, type JsonLimits } from './json-scan.js';

const LIMITS: JsonLimits = { maxDepth: 8, maxArrayLength: 4 };

const parse = (text: string, limits = LIMITS) => parseJsonBody(Buffer.from(text), limits);
const codeOf = (text: string, limits = LIMITS): string => {
  try {
    parse(text, limits);
    return 'accepted';
  } catch (error) {
    return error instanceof GatewayError ? error.code : 'crashed';
  }
};

describe('parseJsonBody', () => {
  it('reads what JSON.parse reads', () => {
    const wide = { maxDepth: 64, maxArrayLength: 100_000 };
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          fc.jsonValue(),
        ),
        (value) => {
          const text = JSON.stringify(value);
          if (text.includes('__proto__')) return;
          expect(parse(text, wide)).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  it('refuses a nesting deeper than the limit without parsing it', () => {
    expect(codeOf(`{"a":${'['.repeat(7)}${']'.repeat(7)}}`)).toBe('accepted');
    expect(codeOf(`{"a":${'['.repeat(8)}${']'.repeat(8)}}`)).toBe('invalid_value');
    const started = process.cpuUsage();
    expect(codeOf(`{"a":${'['.repeat(1_000_000)}`)).toBe('invalid_value');
    expect(process.cpuUsage(started).user).toBeLessThan(100_000);
  });

  it('counts brackets only outside of strings, whatever is escaped in them', () => {
    expect(codeOf(JSON.stringify({ a: '[{'.repeat(100), b: '"\\"[[[[[[[[[[[', c: '\\' }))).toBe('accepted');
    expect(codeOf('{"a":"\\\\","b":[[[[[[[[1]]]]]]]]}')).toBe('invalid_value');
  });

  it('refuses a list with too many entries, but not many numbers', () => {
    expect(codeOf('{"a":["1","2","3","4"]}')).toBe('accepted');
    expect(codeOf('{"a":["1","2","3","4","5"]}')).toBe('invalid_value');
    expect(codeOf('{"a":[{},{},[],[],{}]}')).toBe('invalid_value');
    expect(codeOf('{"a":[1,2,3,4,5,6,7]}')).toBe('accepted');
    expect(codeOf('{"a":[{"k":"v","l":"w","m":"x"},{"k":"v","l":"w","m":"x"}]}')).toBe('accepted');
  });

  it('refuses an object with too many fields', () => {
    expect(codeOf('{"a":{"k":1,"l":"x","m":[],"n":{}}}')).toBe('accepted');
    expect(codeOf('{"a":{"k":1,"l":"x","m":[],"n":{},"o":1}}')).toBe('invalid_value');
    expect(codeOf('{"a":{"k":"a:b,c:d,e:f,g:h","l":":::::"}}')).toBe('accepted');
  });

  it('refuses more entries in all than ten times as many', () => {
    const objects = (count: number) => `{"a":[[${Array(count).fill('{"k":1}').join('],[')}]]}`;
    const wide = { maxDepth: 8, maxArrayLength: 16 };
    // Each object is an entry, its field another, the list around it a third.
    expect(codeOf(objects(16), wide)).toBe('accepted');
    expect(codeOf(`{"a":[${Array(16).fill('{"k":1,"l":[{"m":{"n":[""]}},{"o":"","p":1}]}').join(',')}]}`, wide)).toBe(
      'invalid_value',
    );
  });

  it('refuses more numbers than a hundred times as many', () => {
    const numbers = (count: number) => `{"a":[${Array(count).fill('1').join(',')}]}`;
    expect(codeOf(numbers(400))).toBe('accepted');
    expect(codeOf(numbers(402))).toBe('invalid_value');
  });

  it.each([
    ['plain', '{"a":{"__proto__":{"admin":true}}}'],
    ['escaped', '{"a":[{"\\u005f_proto__":1}]}'],
    ['half escaped', '{"__pr\\u006fto__":1}'],
  ])('refuses the key __proto__: %s', (_name, text) => {
    expect(codeOf(text)).toBe('invalid_value');
    expect(({} as { admin?: true }).admin).toBeUndefined();
  });

  it('keeps keys that are legal names of properties, and text that mentions __proto__', () => {
    expect(codeOf('{"constructor":{"prototype":1},"a":"__proto__"}')).toBe('accepted');
  });

  it.each([['[1]'], ['"text"'], ['1'], ['null']])('refuses %s, which is no object', (text) => {
    expect(codeOf(text)).toBe('invalid_json');
  });

  it.each([[''], ['{'], ['{"a":NaN}'], ['{"a":1}}'], ['{a:1}'], ['\u0000']])('refuses %j as JSON', (text) => {
    expect(codeOf(text)).toBe('invalid_json');
  });

  it('reads arbitrary bytes without anything but a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['accepted', 'invalid_json', 'invalid_value']).toContain(codeOf(Buffer.from(bytes).toString('latin1')));
      }),
    );
  });
});
