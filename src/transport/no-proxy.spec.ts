import { bypassesProxy } from './no-proxy.js';

describe('bypassesProxy', () => {
  it.each([
    ['https://api.example.com', 'example.com', true],
    ['https://example.com', '.example.com', true],
    ['https://a.b.example.com', '*.example.com', true],
    ['https://notexample.com', 'example.com', false],
    ['https://example.com.evil.org', 'example.com', false],
    ['https://example.com', 'EXAMPLE.com ', true],
    ['https://example.com', 'example.com:443', true],
    ['https://example.com:8443', 'example.com:443', false],
    ['http://127.0.0.1:9000', '127.0.0.1', true],
    ['http://[::1]:9000', '::1', true],
    ['http://[::1]:9000', '[::1]', true],
    ['https://anything.org', '*', true],
    ['https://anything.org', '', false],
  ])('%s beside %j: %s', (origin, entry, expected) => {
    expect(bypassesProxy(origin, [entry])).toBe(expected);
  });

  it('asks every entry', () => {
    expect(bypassesProxy('https://b.org', ['a.org', 'b.org'])).toBe(true);
    expect(bypassesProxy('https://b.org', [])).toBe(false);
  });
});
