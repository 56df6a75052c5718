import fc from 'fast-check';
import { deployment } from '../../test/support/routing-builders.ts';
import type { Deployment } from '../contract/plan.js';
import { orderAttempts, type PlanningRules } from './planner.js';

function order(deployments: readonly Deployment[], rules: Partial<PlanningRules> = {}): string[] {
  const ordered = orderAttempts(deployments, { isCool: () => false, random: () => 0, maxAttempts: 10, ...rules });
  return ordered.map(({ provider }) => provider.name);
}

/** Random numbers evenly spread over 0 to 1, so that shares are exact. */
function evenly(count: number): () => number {
  let index = 0;
  return () => ((index++ % count) + 0.5) / count;
}

describe('orderAttempts', () => {
  it('exhausts a priority before the next one', () => {
    const group = [deployment('c', { priority: 9 }), deployment('a'), deployment('b', { priority: 1 })];
    expect(order(group)).toEqual(['a', 'b', 'c']);
  });

  it('draws the first attempt in proportion to the weights', () => {
    const group = [deployment('a', { weight: 1 }), deployment('b', { weight: 3 })];
    const random = evenly(1_000);
    const firsts = Array.from({ length: 1_000 }, () => order(group, { random })[0]);
    expect(firsts.filter((name) => name === 'b')).toHaveLength(750);
  });

  it('draws every deployment once', () => {
    const group = ['a', 'b', 'c', 'd'].map((name) => deployment(name));
    expect(order(group, { random: () => 0.999 }).sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes weight 0 only after the rest of its priority, and before the next priority', () => {
    const group = [deployment('zero', { weight: 0 }), deployment('a'), deployment('later', { priority: 1 })];
    for (const chance of [0, 0.5, 0.999]) {
      expect(order(group, { random: () => chance })).toEqual(['a', 'zero', 'later']);
    }
  });

  it('does not fall to weight 0 where the weights do not add up exactly', () => {
    // 0.1 + 0.2 + 0.3 is subtracted to 0, not below, so no deployment is met on the way.
    const group = [0.1, 0.2, 0.3, 0].map((weight) => deployment(String(weight), { weight }));
    expect(order(group, { random: () => 1 - 2 ** -53 })[0]).toBe('0.3');
  });

  it('draws evenly where all weights are 0', () => {
    const group = [deployment('a', { weight: 0 }), deployment('b', { weight: 0 })];
    expect(order(group, { random: () => 0.2 })[0]).toBe('a');
    expect(order(group, { random: () => 0.7 })[0]).toBe('b');
  });

  it('puts those in cool-down last, whatever their priority', () => {
    const group = [deployment('cool'), deployment('warm', { priority: 5 })];
    expect(order(group, { isCool: ({ provider }) => provider.name === 'cool' })).toEqual(['warm', 'cool']);
  });

  it('leaves none out when all are in cool-down', () => {
    expect(order([deployment('b', { priority: 1 }), deployment('a')], { isCool: () => true })).toEqual(['a', 'b']);
  });

  it('stops at the bound of attempts', () => {
    const group = ['a', 'b', 'c'].map((name, priority) => deployment(name, { priority }));
    expect(order(group, { maxAttempts: 2 })).toEqual(['a', 'b']);
  });

  it('holds its promises for any deployments', () => {
    const any = fc.array(
      fc.record({ weight: fc.constantFrom(0, 0.5, 1, 1_000_000), priority: fc.nat(3), cool: fc.boolean() }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(
        any,
        fc.nat({ max: 10 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999999, noNaN: true })),
        (shapes, extra, chances) => {
          const group = shapes.map(({ weight, priority }, index) => deployment(String(index), { weight, priority }));
          const maxAttempts = 1 + extra;
          const isCool = ({ provider }: Deployment) => shapes[Number(provider.name)]?.cool === true;
          const random = () => chances.next().value as number;
          const ordered = orderAttempts(group, { isCool, random, maxAttempts });
          expect(new Set(ordered).size).toBe(ordered.length);
          expect(ordered).toHaveLength(Math.min(group.length, group.length === 1 ? 1 : maxAttempts));
          const ranks = ordered.map((each) => [Number(isCool(each)), each.priority, Number(each.weight === 0)]);
          expect(ranks).toEqual(
            [...ranks].sort((a, b) => a.map((rank, i) => rank - (b[i] ?? 0)).find((d) => d !== 0) ?? 0),
          );
        },
      ),
    );
  });
});
