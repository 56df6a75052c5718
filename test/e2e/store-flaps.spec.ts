import { generateApiKey } from '../../src/contract/api-key.ts';
import { startRedisServer, type RedisServer } from '../support/redis-server.ts';
import { call, chatBody, startWorld, type Answer, type World } from './world.ts';

const LIMIT = 50;

describe('a store that is held for moments', () => {
  const keys = Array.from({ length: 2 }, () => generateApiKey());
  let server: RedisServer;
  let world: World;
  beforeAll(async () => {
    server = await startRedisServer();
    world = await startWorld({
      config: {
        redis: { url: server.url },
        keys: keys.map((secret, index) => ({ id: `k${index}`, secret, limits: { requestsPerMinute: LIMIT } })),
      },
    });
  });
  afterAll(async () => {
    await world.stop();
    await server.kill();
  });

  const burst = (index: number, size: number): Promise<Answer[]> => {
    const caller = { gateway: world.gateway, key: keys[index] ?? '' };
    return Promise.all(Array.from({ length: size }, () => call(caller, { body: chatBody('single') })));
  };

  const statuses = (answers: readonly Answer[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };

  /** Holds the store for `heldMs` and lets it go for as long, `times` times. */
  const holding = (heldMs: number, times: number): Promise<void> =>
    new Promise((resolve) => {
      let turns = 0;
      const turn = (): void => {
        if (turns % 2 === 0) server.pause();
        else server.resume();
        turns += 1;
        if (turns < 2 * times) return;
        clearInterval(timer);
        resolve();
      };
      const timer = setInterval(turn, heldMs);
      turn();
    });

  it.each([
    [0, 140],
    [1, 300],
  ])('admits no more than the limit of key %s, held for %s ms at a time', async (index, heldMs) => {
    const answers: Answer[] = [];
    let isOver = false;
    const held = holding(heldMs, 5).then(() => {
      isOver = true;
    });
    while (!isOver) answers.push(...(await burst(index, 40)));
    await held;
    answers.push(...(await burst(index, 2 * LIMIT)));
    const counts = statuses(answers);
    expect(Object.keys(counts).sort()).toEqual(['200', '429']);
    expect(counts['200']).toBeLessThanOrEqual(LIMIT);
    expect(counts['200']).toBeGreaterThan(LIMIT / 2);
  });
});
