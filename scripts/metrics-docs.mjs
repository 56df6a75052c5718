// Writes the table of docs/metrics.md anew from the metric contract.
import { readFileSync, writeFileSync } from 'node:fs';
import { METRIC_PREFIX, METRICS } from '../src/metrics/metric-contract.ts';
import { metricTable, withTable } from '../src/metrics/metric-table.ts';

const page = new URL('../docs/metrics.md', import.meta.url);
writeFileSync(page, withTable(readFileSync(page, 'utf8'), metricTable(METRIC_PREFIX, METRICS)));
