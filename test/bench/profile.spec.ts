import { categoryOf, selfTimes, type CpuProfile } from './profile.ts';

const node = (id: number, functionName: string, url: string) => ({
  id,
  callFrame: { functionName, url, lineNumber: 0 },
});

const PROFILE: CpuProfile = {
  nodes: [node(1, '(idle)', ''), node(2, 'plan', 'file:///app/dist/routing/planner.js'), node(3, 'writev', '')],
  samples: [2, 1, 3, 2],
  timeDeltas: [100, 1_000, 30, 50],
};

describe('the profile of the bench', () => {
  it.each([
    ['file:///app/dist/routing/planner.js', 'ours routing'],
    ['file:///app/dist/providers/gemini/gemini.stream.js', 'ours providers/gemini'],
    ['file:///app/dist/main.js', 'ours main.js'],
    ['file:///app/node_modules/ioredis/built/Redis.js', 'ioredis'],
    ['file:///app/node_modules/a/node_modules/@nestjs/core/router.js', '@nestjs/core'],
    ['node:internal/streams/readable', 'node streams'],
    ['', 'native code and system calls'],
  ])('finds the owner of %s', (url, owner) => {
    expect(categoryOf(node(1, 'f', url))).toBe(owner);
  });

  it('adds up self time, most first, without idling', () => {
    expect(selfTimes(PROFILE, 0, ({ callFrame }) => callFrame.functionName)).toEqual([
      ['plan', 150],
      ['writev', 30],
    ]);
  });

  it('leaves out what came before', () => {
    expect(selfTimes(PROFILE, 101, ({ callFrame }) => callFrame.functionName)).toEqual([
      ['plan', 50],
      ['writev', 30],
    ]);
  });
});
