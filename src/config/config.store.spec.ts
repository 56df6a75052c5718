import { sampleKinds, sampleQuickStart } from '../../test/support/config-samples.js';
import { configSchema } from './config.schema.js';
import { ConfigStore } from './config.store.js';

const config = configSchema(sampleKinds).parse(sampleQuickStart);
const createStore = () => new ConfigStore({ version: 1, sha: 'a', source: 'file', config }, 'key');

describe('ConfigStore', () => {
  it('swaps the snapshot as a whole and tells the subscribers both', () => {
    const store = createStore();
    const first = store.current;
    const seen: unknown[] = [];
    store.subscribe((next, previous) => seen.push(next === store.current, next, previous));
    expect(store.replace({ sha: 'b', config })).toEqual([]);
    expect(store.current).toEqual({ version: 2, sha: 'b', source: 'file', config });
    expect(seen).toEqual([true, store.current, first]);
    expect(first.version).toBe(1);
  });

  it('tells nobody who left', () => {
    const store = createStore();
    const listener = jest.fn();
    store.subscribe(listener)();
    store.onReload(listener)();
    store.replace({ sha: 'b', config });
    store.recordReload({ result: 'success', atMs: 1, heldBack: [] });
    expect(listener).not.toHaveBeenCalled();
  });

  it('lets no failing subscriber stop another', () => {
    const store = createStore();
    const listener = jest.fn();
    const failure = new Error('no');
    store.subscribe(() => {
      throw failure;
    });
    store.subscribe(listener);
    expect(store.replace({ sha: 'b', config })).toEqual([failure]);
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('remembers how the last reload ended', () => {
    const store = createStore();
    expect(store.lastReload).toMatchObject({ result: 'success', heldBack: [] });
    const report = { result: 'failure', atMs: 5, error: 'why', heldBack: [] } as const;
    const listener = jest.fn();
    store.onReload(listener);
    store.recordReload(report);
    expect(store.lastReload).toBe(report);
    expect(listener).toHaveBeenCalledWith(report);
  });
});
