import { sampleKinds, sampleQuickStart } from '../../test/support/config-samples.js';
import { configSchema } from './config.schema.js';
import { holdBackRestartKeys } from './reload-policy.js';

const parse = (document: object) => configSchema(sampleKinds).parse({ ...sampleQuickStart, ...document });

describe('holdBackRestartKeys', () => {
  it('takes live keys from the new configuration and restart keys from the old one', () => {
    const previous = parse({ server: { port: 1, drainMs: 1 }, redis: { keyPrefix: 'a' }, logging: { level: 'info' } });
    const next = parse({ server: { port: 2, drainMs: 2 }, redis: { keyPrefix: 'b' }, logging: { level: 'warn' } });
    const { config, heldBack } = holdBackRestartKeys(previous, next);
    expect(heldBack).toEqual(['server.port', 'redis']);
    expect(config.server).toMatchObject({ port: 1, drainMs: 2 });
    expect(config.redis.keyPrefix).toBe('a');
    expect(config.logging.level).toBe('warn');
  });

  it('holds nothing back where only live keys changed', () => {
    const next = parse({ stream: { holdMs: 5 }, keys: [{ id: 'a', secret: 's' }], auth: { pepper: 'q'.repeat(32) } });
    expect(holdBackRestartKeys(parse({}), next)).toEqual({ config: next, heldBack: [] });
  });
});
