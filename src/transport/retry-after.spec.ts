import { retryAfterMs } from './retry-after.js';

const NOW = Date.parse('2026-11-22T10:00:00Z');

describe('retryAfterMs', () => {
  it.each([
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['seconds with a fraction', { 'retry-after': '1.5' }, 1_500],
    ['zero', { 'retry-after': '0' }, 0],
    ['an HTTP date', { 'retry-after': 'Sun, 22 Nov 2026 10:00:30 GMT' }, 30_000],
    ['a date in the past', { 'retry-after': 'Sun, 22 Nov 2026 09:00:00 GMT' }, 0],
    ['milliseconds, which win', { 'retry-after-ms': '250', 'retry-after': '7' }, 250],
    ['more than an hour', { 'retry-after': '86400' }, 3_600_000],
    ['a list of values', { 'retry-after': ['3', '9'] }, 3_000],
    ['spaces around', { 'retry-after': ' 4 ' }, 4_000],
  ])('reads %s', (_name, headers, expected) => {
    expect(retryAfterMs(headers, NOW)).toBe(expected);
  });

  it.each([
    ['nothing', {}],
    ['a word', { 'retry-after': 'soon' }],
    ['a negative number', { 'retry-after': '-5' }],
    ['something Date.parse alone would take', { 'retry-after': '12-5' }],
    ['an empty value', { 'retry-after': '' }],
    ['infinity', { 'retry-after': '1e999' }],
  ])('makes nothing of %s', (_name, headers) => {
    expect(retryAfterMs(headers, NOW)).toBeUndefined();
  });
});
