import type { TollgateConfig } from './config.schema.js';
import { withOutboundProxy } from './outbound-proxy.js';

const config = (transport: Partial<TollgateConfig['transport']> = {}) =>
  ({ transport: { connectionsPerOrigin: 1, noProxy: [], ...transport } }) as unknown as TollgateConfig;

const proxied = (environment: Record<string, string>, transport?: Partial<TollgateConfig['transport']>) =>
  withOutboundProxy(config(transport), environment).transport;

describe('withOutboundProxy', () => {
  it('takes HTTPS_PROXY with the exceptions of NO_PROXY, and never stands before this machine', () => {
    expect(proxied({ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '.corp, 10.0.0.1' })).toMatchObject({
      proxy: 'http://proxy:3128',
      noProxy: ['.corp', '10.0.0.1', 'localhost', '127.0.0.1', '::1'],
    });
  });

  it('reads small letters and ALL_PROXY too', () => {
    expect(proxied({ https_proxy: 'http://a:1' }).proxy).toBe('http://a:1');
    expect(proxied({ ALL_PROXY: 'http://b:1' }).proxy).toBe('http://b:1');
  });

  it('leaves what the file says, and nothing where nobody says anything', () => {
    const file = { proxy: 'http://file:1', noProxy: ['x'] };
    expect(proxied({ HTTPS_PROXY: 'http://env:1', NO_PROXY: 'y' }, file)).toMatchObject(file);
    expect(proxied({ NO_PROXY: 'y' }).proxy).toBeUndefined();
  });
});
