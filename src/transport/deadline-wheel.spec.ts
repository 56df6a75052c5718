import { DeadlineWheel, type Deadline } from './deadline-wheel.js';

describe('DeadlineWheel', () => {
  let wheel: DeadlineWheel;
  let expired: string[];

  beforeEach(() => {
    jest.useFakeTimers();
    wheel = new DeadlineWheel(100);
    expired = [];
  });

  afterEach(() => jest.useRealTimers());

  function entry(name: string, inMs: number): Deadline {
    const added = { dueMs: wheel.readClock() + inMs, expire: () => void expired.push(name) };
    wheel.add(added);
    return added;
  }

  it('expires an entry once, at most a tick late', () => {
    entry('a', 250);
    jest.advanceTimersByTime(249);
    expect(expired).toEqual([]);
    jest.advanceTimersByTime(101);
    expect(expired).toEqual(['a']);
    jest.advanceTimersByTime(1_000);
    expect(expired).toEqual(['a']);
  });

  it('moves a deadline by an assignment', () => {
    const moved = entry('a', 250);
    entry('b', 250);
    jest.advanceTimersByTime(200);
    moved.dueMs = wheel.nowMs + 500;
    jest.advanceTimersByTime(200);
    expect(expired).toEqual(['b']);
    jest.advanceTimersByTime(400);
    expect(expired).toEqual(['b', 'a']);
  });

  it('forgets an entry that was removed', () => {
    wheel.remove(entry('a', 50));
    jest.advanceTimersByTime(1_000);
    expect(expired).toEqual([]);
  });

  it('runs no timer without entries', () => {
    expect(jest.getTimerCount()).toBe(0);
    const only = entry('a', 1_000);
    expect(jest.getTimerCount()).toBe(1);
    entry('b', 50);
    wheel.remove(only);
    jest.advanceTimersByTime(200);
    expect(expired).toEqual(['b']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('lets bytes that waited while the event loop was stalled move a deadline that has passed', () => {
    const late = entry('late', 250);
    entry('silent', 250);
    // The tick sees that the time is over; the poll phase, before any setImmediate, then delivers the bytes.
    const immediate = jest.spyOn(globalThis, 'setImmediate').mockImplementationOnce((check: () => void) => {
      late.dueMs = wheel.nowMs + 500;
      check();
      return undefined as unknown as NodeJS.Immediate;
    });
    jest.advanceTimersByTime(300);
    expect(immediate).toHaveBeenCalledTimes(1);
    expect(expired).toEqual(['silent']);
  });

  it('keeps going when an entry removes another while it expires', () => {
    const second: Deadline = { dueMs: 0, expire: () => void expired.push('second') };
    wheel.add({
      dueMs: 0,
      expire: () => {
        expired.push('first');
        wheel.remove(second);
      },
    });
    wheel.add(second);
    entry('third', 10);
    jest.advanceTimersByTime(200);
    expect(expired).toEqual(['first', 'third']);
  });
});
