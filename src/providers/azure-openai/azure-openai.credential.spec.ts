import { contextOf } from '../../../test/support/provider-context.ts';
import { EntraToken } from './azure-openai.credential.js';

const HOUR_MS = 3_600_000;

describe('EntraToken', () => {
  let nowMs: number;
  let asked: number;
  let isBroken: boolean;
  let token: EntraToken;

  beforeEach(() => {
    nowMs = 1_000_000;
    asked = 0;
    isBroken = false;
    const getToken = async (scope: string): Promise<{ token: string; expiresOnTimestamp: number }> => {
      asked += 1;
      if (isBroken) throw new Error('no network');
      return { token: `${scope}-${asked}`, expiresOnTimestamp: nowMs + HOUR_MS };
    };
    token = new EntraToken(
      'scope',
      async () => ({ getToken }),
      () => nowMs,
    );
  });

  it('is asked for once and kept', async () => {
    expect(await token.getFor(contextOf())).toBe('scope-1');
    nowMs += HOUR_MS / 2;
    expect(await token.getFor(contextOf())).toBe('scope-1');
    expect(asked).toBe(1);
  });

  it('is renewed in the background in its last five minutes, while the old one is used', async () => {
    await token.getFor(contextOf());
    nowMs += HOUR_MS - 60_000;
    expect(await token.getFor(contextOf())).toBe('scope-1');
    await new Promise(setImmediate);
    expect(asked).toBe(2);
    expect(await token.getFor(contextOf())).toBe('scope-2');
  });

  it('is used to its very end when it cannot be renewed, then fails as provider_authentication', async () => {
    await token.getFor(contextOf());
    isBroken = true;
    nowMs += HOUR_MS - 1_000;
    expect(await token.getFor(contextOf())).toBe('scope-1');
    await new Promise(setImmediate);
    nowMs += 1_000;
    await expect(token.getFor(contextOf())).rejects.toMatchObject({ code: 'provider_authentication' });
    isBroken = false;
    await expect(token.getFor(contextOf())).resolves.toMatch(/^scope-/);
  });
});
