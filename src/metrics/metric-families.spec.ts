import { register } from 'prom-client';
import { CellFamily, CounterCell, HistogramCell, SeriesCap } from './metric-cells.js';
import { METRIC_PREFIX, METRICS } from './metric-contract.js';
import { MetricFamilies } from './metric-families.js';

describe('MetricFamilies', () => {
  it('shows every family of the contract with its type and help', async () => {
    new MetricFamilies();
    const page = await register.metrics();
    for (const [name, { type, help }] of Object.entries(METRICS)) {
      expect(page).toContain(`# HELP ${METRIC_PREFIX}${name} ${help}\n# TYPE ${METRIC_PREFIX}${name} ${type}`);
    }
  });

  it('shows families without labels from the start', async () => {
    new MetricFamilies();
    expect(await register.metrics()).toMatch(/^tollgate_redis_errors_total 0$/m);
  });

  it('adds what cells count to what is scraped', async () => {
    const families = new MetricFamilies();
    const cell = families.counter('failopen_total', ['limits']);
    cell.add(1);
    cell.add(2);
    families.counter('failopen_total', ['cache']);
    expect(await register.getSingleMetricAsString('tollgate_failopen_total')).toContain(
      'tollgate_failopen_total{feature="limits"} 3\ntollgate_failopen_total{feature="cache"} 0',
    );
  });

  it('renders histograms cumulated, with the sum and the count', async () => {
    const families = new MetricFamilies();
    const cell = families.histogram('overhead_seconds', ['chat']);
    for (const seconds of [0.0005, 0.0006, 0.25, 7]) cell.observe(seconds);
    const lines = (await register.getSingleMetricAsString('tollgate_overhead_seconds')).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'tollgate_overhead_seconds_bucket{le="0.0005",operation="chat"} 1',
        'tollgate_overhead_seconds_bucket{le="0.001",operation="chat"} 2',
        'tollgate_overhead_seconds_bucket{le="0.25",operation="chat"} 3',
        'tollgate_overhead_seconds_bucket{le="1",operation="chat"} 3',
        'tollgate_overhead_seconds_bucket{le="+Inf",operation="chat"} 4',
        'tollgate_overhead_seconds_sum{operation="chat"} 7.2511',
        'tollgate_overhead_seconds_count{operation="chat"} 4',
      ]),
    );
  });

  it('escapes label values', async () => {
    new MetricFamilies().gauge('config_info', ['a"b\\c\nd', '1']).set(1);
    expect(await register.metrics()).toContain('sha="a\\"b\\\\c\\nd"');
  });

  it('stops showing a removed gauge', async () => {
    const families = new MetricFamilies();
    families.gauge('config_info', ['old', '1']).set(1);
    families.removeGauge('config_info', ['old', '1']);
    expect(await register.metrics()).not.toContain('sha="old"');
  });

  it('says in the scrape how many series the cap refused', async () => {
    const families = new MetricFamilies();
    families.cap.used = families.cap.limit;
    families.counter('failopen_total', ['limits']).add(1);
    const page = await register.metrics();
    expect(page).toMatch(/^tollgate_failopen_total\{feature="other"\} 1$/m);
    expect(page).toMatch(/^tollgate_metrics_dropped_series_total 1$/m);
  });
});

describe('CellFamily', () => {
  const family = (cap: SeriesCap) =>
    new CellFamily({ labelCount: 2, seriesPerCell: 1, create: () => new CounterCell(), cap });

  it('gives the same cell for the same labels and tells adjacent labels apart', () => {
    const cells = family(new SeriesCap(10));
    expect(cells.at(['a', 'bc'])).toBe(cells.at(['a', 'bc']));
    expect(cells.at(['a', 'bc'])).not.toBe(cells.at(['ab', 'c']));
  });

  it('shares one cell among all label sets beyond the cap and keeps the total', () => {
    const cells = family(new SeriesCap(2));
    for (let index = 0; index < 100; index++) cells.at([`model-${index}`, 'x']).add(1);
    const all = [...cells.all()];
    expect(all.map(({ labels, cell }) => [labels.join(), cell.value])).toEqual([
      ['model-0,x', 1],
      ['model-1,x', 1],
      ['other,other', 98],
    ]);
  });

  it('frees the room of a removed label set', () => {
    const cap = new SeriesCap(1);
    const cells = family(cap);
    cells.at(['a', 'b']);
    cells.remove(['a', 'b']);
    cells.remove(['a', 'b']);
    cells.at(['c', 'd']);
    expect([cap.used, cap.refused.value]).toEqual([1, 0]);
  });
});

describe('HistogramCell', () => {
  it('ignores what is no number', () => {
    const cell = new HistogramCell([1]);
    cell.observe(Number.NaN);
    cell.observe(Number.POSITIVE_INFINITY);
    expect([cell.count, cell.sum]).toEqual([0, 0]);
  });
});
