import { DrainSlots } from './drain-slots.js';

describe('the slots of answers that are read on', () => {
  it('are 64, and free again when they are given back', () => {
    const slots = new DrainSlots();
    const taken = Array.from({ length: 65 }, () => slots.take());
    expect(taken.filter(Boolean)).toHaveLength(64);
    expect(taken.at(-1)).toBe(false);
    slots.free();
    expect([slots.take(), slots.take()]).toEqual([true, false]);
  });
});
