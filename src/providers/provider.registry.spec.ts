import { pino } from 'pino';
import { ConfigStore } from '../config/config.store.js';
import { provider } from '../../test/support/routing-builders.ts';
import type { ProviderEntry, TollgateConfig } from '../config/config.schema.js';
import type { Provider, ProviderKind } from '../contract/provider.js';
import { ProviderRegistry, RETIREMENT_GRACE_MS } from './provider.registry.js';

type Entries = Record<string, ProviderEntry>;

/** A kind whose settings `{ broken: true }` cannot be used; it remembers what it created and what was closed. */
class FakeKind implements ProviderKind<{ broken?: boolean }> {
  readonly kind = 'fake';
  readonly created: string[] = [];
  readonly closed: Provider[] = [];

  create(name: string, { broken }: { broken?: boolean }): Provider {
    if (broken === true) throw new Error('the setting "broken" cannot be used');
    this.created.push(name);
    const made: Provider = provider(name, {
      close: () => {
        this.closed.push(made);
        return Promise.resolve();
      },
    });
    return made;
  }
}

const entry = (settings: Record<string, unknown> = {}): ProviderEntry => ({ kind: 'fake', settings });

function setUp(entries: Entries, logger = pino({ level: 'silent' })) {
  const config = (providers: Entries) => ({ providers }) as unknown as TollgateConfig;
  const store = new ConfigStore({ version: 1, sha: '1', source: 'file', config: config(entries) });
  const kind = new FakeKind();
  const registry = new ProviderRegistry(store, [kind], logger);
  const reload = (next: Entries) => expect(store.replace({ sha: '2', config: config(next) })).toEqual([]);
  const find = (name: string): Provider => {
    const found = registry.find(name);
    if (found === undefined) throw new Error(`there is no provider ${name}`);
    return found;
  };
  return { registry, kind, reload, find };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('ProviderRegistry', () => {
  it('creates the providers of the configuration', () => {
    const { registry, kind } = setUp({ east: entry(), west: entry() });
    registry.onModuleInit();
    expect(kind.created).toEqual(['east', 'west']);
    expect(registry.find('east')?.name).toBe('east');
    expect(registry.find('north')).toBeUndefined();
  });

  it.each([
    ['has a setting that cannot be used', entry({ broken: true }), /provider "east".*"broken" cannot be used/],
    ['is of an unknown kind', { kind: 'other', settings: {} }, /provider "east".*no provider kind "other"/],
  ])('refuses to start, naming the provider, when one %s', (_name, bad, message) => {
    const { registry } = setUp({ east: bad });
    expect(() => registry.onModuleInit()).toThrow(message);
  });

  it('keeps a provider whose settings did not change', () => {
    const { registry, kind, reload, find } = setUp({ east: entry({ region: { name: 'a' } }) });
    registry.onModuleInit();
    const before = find('east');
    reload({ east: entry({ region: { name: 'a' } }), west: entry() });
    expect(find('east')).toBe(before);
    expect(kind.created).toEqual(['east', 'west']);
  });

  it('replaces a provider whose settings changed and closes the old one after the grace', async () => {
    const { registry, kind, reload, find } = setUp({ east: entry({ region: 'a' }) });
    registry.onModuleInit();
    const before = find('east');
    reload({ east: entry({ region: 'b' }) });
    expect(find('east')).not.toBe(before);
    await jest.advanceTimersByTimeAsync(RETIREMENT_GRACE_MS - 1);
    expect(kind.closed).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(kind.closed).toEqual([before]);
  });

  it('lets a request planned before the reload take and use the old provider', async () => {
    const { registry, kind, reload, find } = setUp({ east: entry() });
    registry.onModuleInit();
    const before = find('east');
    reload({});
    const lease = registry.acquire(before);
    await jest.advanceTimersByTimeAsync(RETIREMENT_GRACE_MS * 10);
    expect(kind.closed).toEqual([]);
    lease.release();
    expect(kind.closed).toEqual([before]);
    expect(() => registry.acquire(before)).toThrow(expect.objectContaining({ code: 'no_deployment' }));
  });

  it('does not close a replaced provider within the grace because one of its requests ended', async () => {
    const { registry, kind, reload, find } = setUp({ east: entry() });
    registry.onModuleInit();
    const before = find('east');
    reload({});
    registry.acquire(before).release();
    expect(kind.closed).toEqual([]);
    await jest.advanceTimersByTimeAsync(RETIREMENT_GRACE_MS);
    expect(kind.closed).toEqual([before]);
  });

  it('closes once, at the last of several releases, however often each is repeated', async () => {
    const { registry, kind, reload, find } = setUp({ east: entry() });
    registry.onModuleInit();
    const [first, second] = [registry.acquire(find('east')), registry.acquire(find('east'))];
    reload({});
    await jest.advanceTimersByTimeAsync(RETIREMENT_GRACE_MS);
    first.release();
    first.release();
    expect(kind.closed).toEqual([]);
    second.release();
    second.release();
    expect(kind.closed).toHaveLength(1);
  });

  it('does not close a provider in use because its leases ended', async () => {
    const { registry, kind, find } = setUp({ east: entry() });
    registry.onModuleInit();
    registry.acquire(find('east')).release();
    await jest.advanceTimersByTimeAsync(RETIREMENT_GRACE_MS * 2);
    expect(kind.closed).toEqual([]);
  });

  it('keeps the old provider and logs when a changed one cannot be created, and tries again at the next reload', () => {
    const lines: string[] = [];
    const logger = pino({ level: 'error' }, { write: (line: string) => lines.push(line) });
    const { registry, reload, find } = setUp({ east: entry() }, logger);
    registry.onModuleInit();
    const before = find('east');
    reload({ east: entry({ broken: true }), west: entry() });
    expect(find('east')).toBe(before);
    expect(find('west').name).toBe('west');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('the previous one stays in use');
    reload({ east: entry({ region: 'b' }) });
    expect(find('east')).not.toBe(before);
  });

  it('closes everything at shutdown, also what waits for its grace, and listens no more', async () => {
    const { registry, kind, reload } = setUp({ east: entry(), west: entry() });
    registry.onModuleInit();
    reload({ west: entry() });
    await registry.onApplicationShutdown();
    expect(kind.closed.map(({ name }) => name).sort()).toEqual(['east', 'west']);
    await jest.advanceTimersByTimeAsync(RETIREMENT_GRACE_MS);
    expect(kind.closed).toHaveLength(2);
    reload({ north: entry() });
    expect(registry.find('north')).toBeUndefined();
  });

  it('does not fail at shutdown when a provider does not close', async () => {
    const { registry, find } = setUp({ east: entry() });
    registry.onModuleInit();
    Object.assign(find('east'), { close: () => Promise.reject(new Error('stuck')) });
    await expect(registry.onApplicationShutdown()).resolves.toBeUndefined();
  });
});
