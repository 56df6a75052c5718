import { booleanField, checkNumbers, fieldNames, modelField, numberField } from './fields.js';

const RULES = { whole: { integer: true, min: 1, max: 5 }, real: { integer: false, min: 0, max: 2 } };

describe('checkNumbers', () => {
  it.each([[{}], [{ whole: null, real: null }], [{ whole: 1, real: 0 }], [{ whole: 5, real: 2 }], [{ other: 'x' }]])(
    'accepts %j',
    (body) => {
      expect(() => checkNumbers(body, RULES)).not.toThrow();
    },
  );

  it.each([
    [{ whole: '1' }, '"whole" must be a number.'],
    [{ real: NaN }, '"real" must be a number.'],
    [{ whole: true }, '"whole" must be a number.'],
    [{ whole: 1.5 }, '"whole" must be a whole number.'],
    [{ whole: 0 }, '"whole" must be between 1 and 5.'],
    [{ whole: 6 }, '"whole" must be between 1 and 5.'],
    [{ real: -0.1 }, '"real" must be between 0 and 2.'],
    [{ real: 2.1 }, '"real" must be between 0 and 2.'],
  ])('refuses %j and says why', (body, message) => {
    const [param] = Object.keys(body);
    expect(() => checkNumbers(body, RULES)).toThrow(expect.objectContaining({ code: 'invalid_value', param, message }));
  });
});

describe('the readers of fields', () => {
  it('take null for absent', () => {
    expect(booleanField({}, 'a')).toBe(false);
    expect(booleanField({ a: null }, 'a')).toBe(false);
    expect(booleanField({ a: true }, 'a')).toBe(true);
    expect(numberField({}, 'a')).toBeUndefined();
    expect(numberField({ a: null }, 'a')).toBeUndefined();
    expect(numberField({ a: 0 }, 'a')).toBe(0);
  });

  it('refuse a switch that is none', () => {
    expect(() => booleanField({ a: 1 }, 'a')).toThrow(
      expect.objectContaining({ code: 'invalid_value', param: 'a', message: '"a" must be true or false.' }),
    );
  });

  it('take the model, and tell where the names are', () => {
    expect(modelField({ model: 'body' })).toBe('body');
    expect(() => modelField({})).toThrow('GET /v1/models');
  });
});

describe('fieldNames', () => {
  it('translates the first segment of a path and nothing after it', () => {
    const name = fieldNames({ topP: 'top_p' });
    expect(['topP', 'topP.topP', 'topP[0]', 'topPs', 'a.topP', ''].map(name)).toEqual([
      'top_p',
      'top_p.topP',
      'top_p[0]',
      'topPs',
      'a.topP',
      '',
    ]);
  });
});
