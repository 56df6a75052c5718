import { RefreshedKeys } from './bedrock.keys.js';
import type { RoleCredentials } from './bedrock.role.js';

const HOUR_MS = 3_600_000;

/** Keys whose fetches are settled by hand, on a clock that is set by hand. */
function setUp() {
  const clock = { nowMs: 0 };
  const fetches: { give(lifetimeMs?: number): void; fail(): void }[] = [];
  const fetch = (): Promise<RoleCredentials> =>
    new Promise((resolve, reject) => {
      const accessKeyId = `key-${fetches.length + 1}`;
      fetches.push({
        give: (lifetimeMs = HOUR_MS) => {
          const expiration = new Date(clock.nowMs + lifetimeMs);
          resolve({ accessKeyId, secretAccessKey: 's', sessionToken: 't', expiration });
        },
        fail: () => reject(new Error('no keys')),
      });
    });
  const keys = new RefreshedKeys(fetch, () => clock.nowMs);
  const current = async (): Promise<string> => (await keys.current()).accessKeyId;
  return { clock, fetches, current };
}

async function begun() {
  const setting = setUp();
  const first = setting.current();
  setting.fetches[0]?.give();
  await first;
  return setting;
}

describe('RefreshedKeys', () => {
  it('fetches once for all who wait for the first keys', async () => {
    const { fetches, current } = setUp();
    const waiting = Promise.all([current(), current(), current()]);
    fetches[0]?.give();
    expect(await waiting).toEqual(['key-1', 'key-1', 'key-1']);
    expect(fetches).toHaveLength(1);
  });

  it('does not fetch while the keys are good for long', async () => {
    const { clock, fetches, current } = await begun();
    clock.nowMs = HOUR_MS - 300_001;
    expect(await current()).toBe('key-1');
    expect(fetches).toHaveLength(1);
  });

  it('fetches ahead of expiry, once, and goes on with the old keys until the new ones are there', async () => {
    const { clock, fetches, current } = await begun();
    clock.nowMs = HOUR_MS - 300_000;
    expect(await Promise.all([current(), current()])).toEqual(['key-1', 'key-1']);
    expect(fetches).toHaveLength(2);
    fetches[1]?.give();
    await new Promise(setImmediate);
    expect(await current()).toBe('key-2');
    expect(fetches).toHaveLength(2);
  });

  it('keeps the old keys when a fetch fails, and tries again later', async () => {
    const { clock, fetches, current } = await begun();
    clock.nowMs = HOUR_MS - 60_000;
    expect(await current()).toBe('key-1');
    fetches[1]?.fail();
    await new Promise(setImmediate);
    expect(await current()).toBe('key-1');
    expect(fetches).toHaveLength(2);
    clock.nowMs += 5_000;
    expect(await current()).toBe('key-1');
    expect(fetches).toHaveLength(3);
  });

  it('waits for new keys when the old ones are spent, and tells when there are none', async () => {
    const { clock, fetches, current } = await begun();
    clock.nowMs = HOUR_MS - 30_000;
    const waiting = current();
    fetches[1]?.fail();
    await expect(waiting).rejects.toThrow('no keys');
    const again = current();
    fetches[2]?.give();
    expect(await again).toBe('key-3');
  });
});
