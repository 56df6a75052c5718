import { call, chatBody, startWorld, type World } from './world.ts';

describe('flood control', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({
      config: {
        auth: {
          pepper: 'a-pepper-for-tests-0123456789abcdef',
          flood: { limit: 10, windowMs: 60_000, blockMs: 60_000 },
        },
        server: { host: '127.0.0.1', trustProxy: ['127.0.0.1'] },
      },
    });
  });
  afterAll(() => world.stop());

  const from = (address: string, headers: Record<string, string> = {}) => ({
    body: chatBody('single'),
    headers: { 'x-forwarded-for': address, ...headers },
  });
  const stranger = { authorization: 'Bearer tg_nobody' };

  it('never counts callers, however many requests they make', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => call(world, from('198.51.100.1'))));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  it('blocks an address after its failures, with the time to wait, and no other address', async () => {
    const statuses = [];
    for (let count = 0; count < 14; count += 1)
      statuses.push((await call(world, from('198.51.100.2', stranger))).status);
    expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401));
    expect(statuses.at(-1)).toBe(429);
    const blocked = await call(world, from('198.51.100.2', stranger));
    expect(blocked.json()).toMatchObject({ error: { code: 'flood_blocked' } });
    expect(Number(blocked.headers['retry-after'])).toBeGreaterThan(0);
    expect((await call(world, from('198.51.100.3', stranger))).status).toBe(401);
  });

  it('still serves callers from a blocked address', async () => {
    expect((await call(world, from('198.51.100.2'))).status).toBe(200);
  });

  it('counts unknown routes of strangers too', async () => {
    const statuses = [];
    for (let count = 0; count < 14; count += 1) {
      const { status } = await call(world, {
        path: `/nothing/${count}`,
        headers: { ...stranger, 'x-forwarded-for': '198.51.100.4' },
      });
      statuses.push(status);
    }
    expect(statuses[0]).toBe(404);
    expect((await call(world, from('198.51.100.4', stranger))).status).toBe(429);
  });
});
