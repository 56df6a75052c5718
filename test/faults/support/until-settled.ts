import type { World } from '../../e2e/world.ts';

/** Resolves when no reservation of the world's organisation is open any more. */
export async function untilSettled({ redis, organisation }: Pick<World, 'redis' | 'organisation'>): Promise<void> {
  while ((await redis.zcard(`g1:{o:${organisation}}:rx`)) > 0) await new Promise((resolve) => setImmediate(resolve));
}
