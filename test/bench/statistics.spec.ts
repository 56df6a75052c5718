import { median, percentile, rounded } from './statistics.ts';

describe('the statistics of the bench', () => {
  it.each([
    [[3], 3],
    [[3, 1, 2], 2],
    [[10, 2, 1, 3], 2.5],
  ])('takes the middle of %j', (values, middle) => {
    expect(median(values)).toBe(middle);
  });

  it('has no median of nothing', () => {
    expect(() => median([])).toThrow('no values');
  });

  it.each([
    [0.5, 5],
    [0.99, 10],
    [0, 1],
    [1, 10],
  ])('gives the value that a share of %d does not exceed', (share, value) => {
    expect(percentile(Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), share)).toBe(value);
  });

  it('rounds to places', () => {
    expect([rounded(1.005_1), rounded(12.34, 0)]).toEqual([1.01, 12]);
  });
});
