import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRIC_PREFIX, METRICS, type MetricSpec } from './metric-contract.js';
import { metricTable, withTable } from './metric-table.js';

const FORBIDDEN_LABELS = ['key', 'key_id', 'user', 'user_id', 'request_id', 'session', 'address', 'caller'];
const families = Object.entries<MetricSpec>(METRICS);

describe('the metric contract', () => {
  it('is what docs/metrics.md says (mend with: node scripts/metrics-docs.mjs)', () => {
    const page = readFileSync(join(__dirname, '../../docs/metrics.md'), 'utf8');
    expect(page).toBe(withTable(page, metricTable(METRIC_PREFIX, METRICS)));
  });

  it.each(families)('%s ends as its type and unit demand', (name, { type, buckets }) => {
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(buckets !== undefined).toBe(type === 'histogram');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  });

  it.each(families)('%s has ascending buckets and no label of unbounded values', (_name, { labels, buckets = [] }) => {
    expect([...buckets].sort((left, right) => left - right)).toEqual(buckets);
    expect(labels.filter((label) => FORBIDDEN_LABELS.includes(label))).toEqual([]);
  });

  it('keeps teams off histograms', () => {
    const histograms = families.filter(([, { type }]) => type === 'histogram');
    expect(histograms.filter(([, { labels }]) => labels.includes('team'))).toEqual([]);
  });

  it('refuses a page without its marks', () => {
    expect(() => withTable('# Metrics', 'table')).toThrow('<!-- metrics:begin -->');
  });
});
