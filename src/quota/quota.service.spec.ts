import { call, caller, plan, quotaBed, uniqueId, usage, type QuotaBed } from '../../test/quota/quota-bed.js';
import { requestRecord } from '../../test/support/request-record.js';
import type { Caller } from '../contract/caller.js';
import type { CallEnvelope } from '../contract/call.js';
import { GatewayError } from '../contract/errors.js';
import { NO_USAGE } from '../contract/usage.js';
import type { Settlement } from './settlement.js';

let bed: QuotaBed;
afterEach(() => bed.close());

const open = (who: Caller, changes: Partial<CallEnvelope> = {}, requestId = uniqueId('r')): Promise<Settlement> =>
  bed.quota.open({ requestId, call: call(changes), plan: plan(), caller: who });

async function refusalOf(opened: Promise<Settlement>): Promise<GatewayError> {
  const error: unknown = await opened.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GatewayError)) throw new Error('the request was not refused');
  return error;
}

const allKeysOf = async (organisation: string): Promise<string[]> => {
  const script = { name: 'keys', source: "return redis.call('KEYS', ARGV[1])", sha: '0'.repeat(40) };
  return ((await bed.store.run(script, [], [`g1:{o:${organisation}}*`])) as string[]).sort();
};

const ledgerOf = async (organisation: string): Promise<string[][]> => {
  const source = "return redis.call('XRANGE', KEYS[1], '-', '+')";
  const script = { name: 'ledger', source, sha: '1'.repeat(40) };
  const rows = (await bed.store.run(script, [bed.store.keys.tenant(organisation).ledger], [])) as [string, string[]][];
  return rows.map(([, fields]) => fields);
};

const field = (line: readonly string[] | undefined, name: string): string | undefined =>
  line?.[(line.indexOf(name) & ~1) + 1];

describe('limits', () => {
  it('admits up to the limit of requests and then refuses with the time to try again', async () => {
    bed = await quotaBed();
    const who = caller(bed.organisation, { limits: { requestsPerMinute: 2 } });
    const first = await open(who);
    expect(first.headers).toMatchObject({
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '1',
    });
    expect(first.headers['x-ratelimit-reset-requests']).toMatch(/^1m[0-5]s$/);
    await open(who);
    const refusal = await refusalOf(open(who));
    expect(refusal).toMatchObject({ code: 'rate_limit_exceeded', status: 429, param: 'key:requests' });
    expect(refusal.retryAfterMs).toBeGreaterThan(54_000);
    expect(refusal.retryAfterMs).toBeLessThanOrEqual(65_000);
    expect(refusal.headers).toMatchObject({
      'retry-after': String(Math.ceil((refusal.retryAfterMs ?? 0) / 1_000)),
      'retry-after-ms': String(refusal.retryAfterMs),
      'x-ratelimit-remaining-requests': '0',
    });
  });

  it('counts organisation, team and key, and the tightest speaks in the headers', async () => {
    bed = await quotaBed({
      limits: { requestsPerMinute: 10, tokensPerMinute: 100_000 },
      teams: { search: { limits: { requestsPerMinute: 5 } } },
    });
    const who = caller(bed.organisation, { team: 'search', limits: { requestsPerMinute: 9 } });
    const { headers } = await open(who);
    expect(headers).toMatchObject({
      'x-ratelimit-limit-requests': '5',
      'x-ratelimit-remaining-requests': '4',
      'x-ratelimit-limit-tokens': '100000',
      'x-ratelimit-remaining-tokens': '99800',
    });
  });

  it('shares the limit of an organisation between its keys, and nothing between organisations', async () => {
    bed = await quotaBed({ limits: { requestsPerMinute: 1 } });
    await open(caller(bed.organisation, { id: 'a' }));
    const refusal = await refusalOf(open(caller(bed.organisation, { id: 'b' })));
    expect(refusal.param).toBe('organisation:requests');
    await expect(open(caller(uniqueId()))).resolves.toBeDefined();
  });

  it('refuses everything at a limit of 0, without a time to try again', async () => {
    bed = await quotaBed();
    const refusal = await refusalOf(open(caller(bed.organisation, { limits: { tokensPerMinute: 0 } })));
    expect(refusal).toMatchObject({ code: 'rate_limit_exceeded', retryAfterMs: undefined });
    expect(refusal.headers).not.toHaveProperty('retry-after');
  });

  it('says that a request can never fit, without a time to try again', async () => {
    bed = await quotaBed();
    const who = caller(bed.organisation, { limits: { tokensPerMinute: 150 } });
    const refusal = await refusalOf(open(who, { maxOutputTokens: 1_000 }));
    expect(refusal).toMatchObject({ code: 'request_too_large_for_limit', retryAfterMs: undefined });
    expect(refusal.headers).not.toHaveProperty('retry-after');
    expect(refusal.message).toContain('about 1100 tokens');
  });

  it('changes no key by a refusal', async () => {
    bed = await quotaBed({ limits: { requestsPerMinute: 5 } });
    const before = await allKeysOf(bed.organisation);
    await refusalOf(open(caller(bed.organisation, { limits: { tokensPerMinute: 10 } })));
    expect(before).toEqual([]);
    expect(await allKeysOf(bed.organisation)).toEqual([]);
  });
});

describe('settlement', () => {
  it('gives back what was reserved and not used', async () => {
    bed = await quotaBed();
    const who = caller(bed.organisation, { limits: { tokensPerMinute: 1_000 } });
    const settlement = await open(who, { maxOutputTokens: 800 });
    expect(settlement.headers['x-ratelimit-remaining-tokens']).toBe('100');
    settlement.settle(usage({ promptTokens: 90, completionTokens: 10 }), requestRecord());
    await bed.background.drain(2_000);
    const next = await open(who, { bodyBytes: 0, maxOutputTokens: 0 });
    expect(next.headers['x-ratelimit-remaining-tokens']).toBe('900');
  });

  it('charges what was used beyond the reservation', async () => {
    bed = await quotaBed();
    const who = caller(bed.organisation, { limits: { tokensPerMinute: 1_000 } });
    (await open(who, { bodyBytes: 0, maxOutputTokens: 10 })).settle(
      usage({ promptTokens: 500, completionTokens: 400 }),
      requestRecord(),
    );
    await bed.background.drain(2_000);
    const next = await open(who, { bodyBytes: 0, maxOutputTokens: 0 });
    expect(next.headers['x-ratelimit-remaining-tokens']).toBe('100');
  });

  it('writes one ledger line, for callers without limits too', async () => {
    bed = await quotaBed();
    const settlement = await open(caller(bed.organisation, { team: 'search', user: 'kim' }));
    settlement.settle(usage({ cachedPromptTokens: 40 }), requestRecord());
    settlement.settle(usage(), requestRecord());
    settlement.cancel();
    await bed.background.drain(2_000);
    const lines = await ledgerOf(bed.organisation);
    expect(lines).toHaveLength(1);
    const names = ['k', 'd', 'in', 'out', 'org', 'team', 'user', 'key', 'model', 'cin', 'src', 'outcome', 'provider'];
    expect(names.map((name) => field(lines[0], name))).toEqual([
      'settle',
      '0',
      '80',
      '20',
      bed.organisation,
      'search',
      'kim',
      'key-1',
      'gpt',
      '40',
      'final',
      'completed',
      'east',
    ]);
  });

  it('cancels without a trace but the used-up request id', async () => {
    bed = await quotaBed();
    const who = caller(bed.organisation, { limits: { requestsPerMinute: 3, tokensPerMinute: 1_000 } });
    const requestId = uniqueId('r');
    (await open(who, {}, requestId)).cancel();
    await bed.background.drain(2_000);
    expect(await ledgerOf(bed.organisation)).toEqual([]);
    expect((await refusalOf(open(who, {}, requestId))).code).toBe('internal_error');
    expect((await open(who)).headers).toMatchObject({ 'x-ratelimit-remaining-requests': '2' });
  });

  it('counts a request that used nothing as one request', async () => {
    bed = await quotaBed();
    const who = caller(bed.organisation, { limits: { requestsPerMinute: 3, tokensPerMinute: 1_000 } });
    (await open(who)).settle(NO_USAGE, requestRecord());
    await bed.background.drain(2_000);
    expect((await open(who, { bodyBytes: 0, maxOutputTokens: 0 })).headers).toMatchObject({
      'x-ratelimit-remaining-requests': '1',
      'x-ratelimit-remaining-tokens': '1000',
    });
  });
});

describe('sizes of reservations', () => {
  it('learns the prompt ratio and the usual output of a model', async () => {
    bed = await quotaBed();
    const who = caller(bed.organisation, { limits: { tokensPerMinute: 1_000_000 } });
    const used = async () => {
      const { headers } = await open(who, { maxOutputTokens: undefined });
      return 1_000_000 - Number(headers['x-ratelimit-remaining-tokens']);
    };
    expect(await used()).toBe(100 + 1_024);
    for (let count = 0; count < 60; count += 1) {
      const settlement = await open(caller(uniqueId()), {});
      settlement.settle(usage({ promptTokens: 40, completionTokens: 30 }), requestRecord());
    }
    const before = await used();
    const after = await used();
    expect(after - before).toBeLessThan(90);
    expect(after - before).toBeGreaterThanOrEqual(70);
  });
});
