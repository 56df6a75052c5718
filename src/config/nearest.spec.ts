import { nearest } from './nearest.js';

describe('nearest', () => {
  it.each([
    ['servr', 'server'],
    ['PORT', 'port'],
    ['maxbodybyte', 'maxBodyBytes'],
    ['prot', 'port'],
    ['completely-else', undefined],
    ['x', undefined],
  ])('takes %s for %s', (word, expected) => {
    expect(nearest(word, ['server', 'port', 'maxBodyBytes'])).toBe(expected);
  });
});
