import { register } from 'prom-client';
import { attemptRecord, requestRecord } from '../../test/support/request-record.js';
import { NO_USAGE } from '../contract/usage.js';
import { MetricFamilies } from './metric-families.js';
import { MetricsObserver } from './metrics.observer.js';
import { TEAM_LIMIT } from './request-series.js';

const create = () => {
  const families = new MetricFamilies();
  return { families, observer: new MetricsObserver(families) };
};

const scrape = async (name: string) =>
  (await register.getSingleMetricAsString(`tollgate_${name}`)).split('\n').filter((line) => !line.startsWith('#'));

describe('MetricsObserver', () => {
  it('counts a request under the labels of the contract', async () => {
    const { observer } = create();
    observer.closed(requestRecord());
    observer.closed(requestRecord());
    expect(await scrape('requests_total')).toEqual([
      'tollgate_requests_total{operation="chat",model="gpt",provider="east",code="200",error_type="none",stream="false"} 2',
    ]);
    expect(await scrape('request_duration_seconds')).toContain(
      'tollgate_request_duration_seconds_sum{operation="chat",model="gpt",provider="east",stream="false"} 1',
    );
  });

  it('counts open requests while they are open', async () => {
    const { observer } = create();
    const [first, second] = [requestRecord(), requestRecord()];
    observer.opened(first);
    observer.opened(second);
    expect(await scrape('inflight_requests')).toEqual(['tollgate_inflight_requests 2']);
    observer.closed(first);
    expect(await scrape('inflight_requests')).toEqual(['tollgate_inflight_requests 1']);
  });

  it('leaves out the metrics listener', async () => {
    const { observer } = create();
    const probe = requestRecord({ plane: 'metrics', route: '/readyz' });
    observer.opened(probe);
    expect(await scrape('inflight_requests')).toEqual(['tollgate_inflight_requests 0']);
    observer.closed(probe);
    expect(await scrape('inflight_requests')).toEqual(['tollgate_inflight_requests 0']);
    expect(await scrape('requests_total')).toEqual([]);
  });

  it('names who has to act on a refusal that got no further than its credential', async () => {
    const { observer } = create();
    observer.closed({
      ...requestRecord({ status: 401, outcome: 'refused', error: 'invalid_api_key', attempts: [], usage: NO_USAGE }),
      operation: undefined,
      model: undefined,
      provider: undefined,
    });
    expect(await scrape('requests_total')).toEqual([
      'tollgate_requests_total{operation="none",model="other",provider="none",code="401",error_type="caller_invalid_api_key",stream="false"} 1',
    ]);
    expect(await scrape('overhead_seconds')).toHaveLength(14);
    expect(await scrape('overhead_seconds')).toContain('tollgate_overhead_seconds_count{operation="none"} 0');
  });

  it.each([
    [{ status: 500, outcome: 'failed' }, 'code="500",error_type="_OTHER"'],
    [{ status: 200, outcome: 'client-abort', bytesOut: 0 }, 'code="499",error_type="caller_client_closed"'],
    [{ status: 200, outcome: 'client-abort', bytesOut: 9 }, 'code="200",error_type="caller_client_closed"'],
    [
      { status: 200, outcome: 'failed', error: 'provider_stream_broken' },
      'code="200",error_type="provider_stream_broken"',
    ],
    [{ status: 7_000, outcome: 'failed' }, 'code="other",error_type="_OTHER"'],
  ] as const)('keeps code and error_type closed for %j', async (changes, labels) => {
    const { observer } = create();
    observer.closed(requestRecord(changes));
    expect((await scrape('requests_total')).join()).toContain(labels);
  });

  it('counts tokens by team, parts beside their totals', async () => {
    const { observer } = create();
    observer.closed(requestRecord());
    const labels = '{model="gpt",provider="east",team="search"}';
    expect(await scrape('input_tokens_total')).toEqual([`tollgate_input_tokens_total${labels} 100`]);
    expect(await scrape('cached_input_tokens_total')).toEqual([`tollgate_cached_input_tokens_total${labels} 40`]);
    expect(await scrape('cache_write_input_tokens_total')).toEqual([
      `tollgate_cache_write_input_tokens_total${labels} 8`,
    ]);
    expect(await scrape('output_tokens_total')).toEqual([`tollgate_output_tokens_total${labels} 20`]);
    expect(await scrape('reasoning_tokens_total')).toEqual([`tollgate_reasoning_tokens_total${labels} 5`]);
  });

  it('counts teams beyond the limit as other', async () => {
    const { observer } = create();
    for (let index = 0; index < TEAM_LIMIT + 5; index++) {
      const caller = { method: 'key', id: 'k', organisation: 'o', team: `team-${index}`, limits: {} } as const;
      observer.closed(requestRecord({ caller }));
    }
    const lines = await scrape('input_tokens_total');
    expect(lines).toHaveLength(TEAM_LIMIT + 1);
    expect(lines.at(-1)).toBe('tollgate_input_tokens_total{model="gpt",provider="east",team="other"} 500');
  });

  it('counts attempts, and a fallback where the deployment changed', async () => {
    const { observer } = create();
    const west = { deployment: 'gpt/west/gpt-4o', provider: 'west' };
    observer.closed(
      requestRecord({
        attempts: [
          attemptRecord({ error: 'provider_timeout' }),
          attemptRecord({ error: 'provider_overloaded' }),
          attemptRecord(west),
        ],
        provider: 'west',
      }),
    );
    expect(await scrape('upstream_attempts_total')).toEqual([
      'tollgate_upstream_attempts_total{provider="east",target="gpt/east/gpt-4o",outcome="failure",error_type="provider_timeout"} 1',
      'tollgate_upstream_attempts_total{provider="east",target="gpt/east/gpt-4o",outcome="failure",error_type="provider_overloaded"} 1',
      'tollgate_upstream_attempts_total{provider="west",target="gpt/west/gpt-4o",outcome="success",error_type="none"} 1',
    ]);
    expect(await scrape('fallbacks_total')).toEqual([
      'tollgate_fallbacks_total{from="gpt/east/gpt-4o",to="gpt/west/gpt-4o",reason="provider_overloaded"} 1',
    ]);
  });

  it('calls an attempt aborted when the client left', async () => {
    const { observer } = create();
    observer.closed(requestRecord({ attempts: [attemptRecord({ error: 'client_closed' })] }));
    expect((await scrape('upstream_attempts_total')).join()).toContain('outcome="aborted"');
  });

  it("measures a stream's first content, its pace and the gateway's share of the wait", async () => {
    const { observer } = create();
    const attempts = [
      attemptRecord({ error: 'provider_timeout', durationMs: 300 }),
      attemptRecord({ durationMs: 150 }),
    ];
    observer.closed(requestRecord({ stream: true, attempts, timeToFirstTokenMs: 500, durationMs: 1_450 }));
    expect(await scrape('time_to_first_token_seconds')).toContain(
      'tollgate_time_to_first_token_seconds_sum{model="gpt",provider="east"} 0.5',
    );
    expect(await scrape('time_per_output_token_seconds')).toContain(
      'tollgate_time_per_output_token_seconds_sum{model="gpt",provider="east"} 0.05',
    );
    expect(await scrape('overhead_seconds')).toContain('tollgate_overhead_seconds_sum{operation="chat"} 0.05');
  });

  it("measures a whole answer's overhead as what was not spent waiting", async () => {
    const { observer } = create();
    observer.closed(requestRecord({ durationMs: 500, upstreamMs: 480 }));
    observer.closed(requestRecord({ durationMs: 500, upstreamMs: 501 }));
    expect(await scrape('overhead_seconds')).toContain('tollgate_overhead_seconds_sum{operation="chat"} 0.02');
  });

  it('tells a client that left at once from one that left later', async () => {
    const { observer } = create();
    observer.closed(requestRecord({ outcome: 'client-abort', bytesOut: 9 }));
    observer.closed(requestRecord({ outcome: 'client-abort', bytesOut: 0 }));
    expect((await scrape('requests_total')).map((line) => /code="(\d+)"/.exec(line)?.[1])).toEqual(['200', '499']);
  });

  it('keeps sums from decreasing when a clock is set back', async () => {
    const { observer } = create();
    observer.closed(requestRecord({ durationMs: -3_600_000 }));
    expect((await scrape('request_duration_seconds')).find((line) => line.includes('_sum'))).toMatch(/ 0$/);
  });

  it('counts an estimated usage as missing', async () => {
    const { observer } = create();
    observer.closed(requestRecord({ usageEstimated: true }));
    expect(await scrape('usage_missing_total')).toEqual(['tollgate_usage_missing_total{provider="east"} 1']);
  });

  it('resolves its cells once for each label set', () => {
    const { families, observer } = create();
    observer.closed(requestRecord());
    const { used } = families.cap;
    const resolve = jest.spyOn(families, 'counter');
    for (let index = 0; index < 100; index++) observer.closed(requestRecord());
    expect(resolve).not.toHaveBeenCalled();
    expect(families.cap.used).toBe(used);
  });
});
