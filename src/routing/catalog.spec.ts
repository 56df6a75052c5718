import { caller, provider } from '../../test/support/routing-builders.ts';
import { configSchema } from '../config/config.schema.js';
import { sandboxKind } from '../providers/sandbox/sandbox.module.js';
import { Catalog, type CatalogSources } from './catalog.js';

const FILE = {
  providers: { east: { kind: 'sandbox' }, west: { kind: 'sandbox' } },
  organisations: { narrow: { models: ['fast'] }, closed: { models: [] } },
  models: {
    large: { deployments: [{ provider: 'east', model: 'l', weight: 2, priority: 1, labels: ['eu'] }] },
    vectors: { operation: 'embeddings', deployments: [{ provider: 'west', model: 'v' }] },
    small: {
      aliases: ['fast', 'cheap'],
      deployments: [
        { provider: 'east', model: 's' },
        { provider: 'west', model: 's' },
      ],
    },
  },
};

function compile(sources: Partial<CatalogSources> = {}): Catalog {
  const config = configSchema([sandboxKind.descriptor]).parse(FILE);
  return Catalog.compile(config, { providerOf: (name) => provider(name), nowSeconds: 100, ...sources });
}

const names = (catalog: Catalog, who = caller()) => catalog.list(who).map(({ name }) => name);

describe('Catalog', () => {
  it('compiles deployments with an id of model, provider and upstream model', () => {
    const model = compile().find('large', caller());
    expect(model).toMatchObject({ name: 'large', operation: 'chat', maxAttempts: 3, defaultOutputTokens: 1_024 });
    expect(model?.deployments).toEqual([
      expect.objectContaining({ id: 'large/east/l', upstreamModel: 'l', weight: 2, priority: 1, labels: ['eu'] }),
    ]);
  });

  it('finds a model by its alias, under its configured name', () => {
    const catalog = compile();
    expect(catalog.find('fast', caller())).toBe(catalog.find('small', caller()));
    expect(catalog.find('fast', caller())?.name).toBe('small');
  });

  it('leaves out deployments whose provider could not be created', () => {
    const catalog = compile({ providerOf: (name) => (name === 'east' ? undefined : provider(name)) });
    expect(catalog.find('small', caller())?.deployments.map(({ id }) => id)).toEqual(['small/west/s']);
    expect(catalog.find('large', caller())?.deployments).toEqual([]);
  });

  it('lists chat first, then by name, aliases as entries of their own', () => {
    const catalog = compile();
    expect(names(catalog)).toEqual(['cheap', 'fast', 'large', 'small', 'vectors']);
    expect(catalog.list(caller())[1]).toEqual({
      name: 'fast',
      model: 'small',
      operation: 'chat',
      aliases: ['fast', 'cheap'],
      createdSeconds: 100,
    });
  });

  it.each([
    ['by its name', ['small'], ['cheap', 'fast', 'small']],
    ['by an alias', ['cheap'], ['cheap', 'fast', 'small']],
    ['not at all when the list is empty', [], []],
    ['not by a name that does not exist', ['other'], []],
  ])('admits a model to an allow-list %s', (_name, models, expected) => {
    const who = caller({ models: new Set(models) });
    expect(names(compile(), who)).toEqual(expected);
    expect(compile().find('small', who)?.name).toBe(expected.length > 0 ? 'small' : undefined);
  });

  it("bounds the caller's list by the organisation's", () => {
    const catalog = compile();
    expect(names(catalog, caller({ organisation: 'narrow' }))).toEqual(['cheap', 'fast', 'small']);
    expect(names(catalog, caller({ organisation: 'narrow', models: new Set(['large']) }))).toEqual([]);
    expect(names(catalog, caller({ organisation: 'closed' }))).toEqual([]);
  });

  it('keeps the creation time of names it knew', () => {
    const previous = compile();
    const [entry] = compile({ nowSeconds: 200, previous }).list(caller());
    expect(entry?.createdSeconds).toBe(100);
  });

  it('does not take inherited names for models', () => {
    expect(compile().find('constructor', caller())).toBeUndefined();
    expect(compile().find('__proto__', caller())).toBeUndefined();
  });
});
