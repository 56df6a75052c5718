import { StreamTicker, type Ticking } from './stream-ticker.js';

describe('the ticker of all streams', () => {
  let ticker: StreamTicker;

  beforeEach(() => {
    jest.useFakeTimers({ now: 5_000 });
    ticker = new StreamTicker();
  });
  afterEach(() => {
    ticker.onModuleDestroy();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  const entry = () => ({ tick: jest.fn<void, [number]>() });

  it('has one timer, however many streams are open, and none when there are none', () => {
    expect(jest.getTimerCount()).toBe(0);
    const entries = [entry(), entry(), entry()];
    for (const each of entries) ticker.add(each);
    expect(jest.getTimerCount()).toBe(1);
    for (const each of entries.slice(1)) ticker.remove(each);
    expect(jest.getTimerCount()).toBe(1);
    ticker.remove(entries[0] as Ticking);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('tells each the time, every 100 ms, as long as it is registered', () => {
    const [first, second] = [entry(), entry()];
    ticker.add(first);
    ticker.add(second);
    ticker.add(first);
    jest.advanceTimersByTime(100);
    ticker.remove(second);
    jest.advanceTimersByTime(100);
    expect(first.tick.mock.calls).toEqual([[5_100], [5_200]]);
    expect(second.tick.mock.calls).toEqual([[5_100]]);
  });

  it('bears that one leaves while it is told', () => {
    const second = entry();
    const first: { tick: jest.Mock } = { tick: jest.fn(() => ticker.remove(first)) };
    ticker.add(first);
    ticker.add(second);
    jest.advanceTimersByTime(200);
    expect(first.tick).toHaveBeenCalledTimes(1);
    expect(second.tick).toHaveBeenCalledTimes(2);
  });

  it('starts again after a pause', () => {
    const first = entry();
    ticker.add(first);
    ticker.remove(first);
    ticker.add(first);
    jest.advanceTimersByTime(100);
    expect(first.tick).toHaveBeenCalledTimes(1);
  });
});
