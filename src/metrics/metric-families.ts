import { Injectable } from '@nestjs/common';
import { register } from 'prom-client';
import { CellCounter, CellGauge, CellHistogram } from './cell-metrics.js';
import { CellFamily, CounterCell, GaugeCell, HistogramCell, SeriesCap } from './metric-cells.js';
import {
  METRIC_PREFIX,
  METRICS,
  type MetricLabels,
  type MetricName,
  type MetricNameOf,
  type MetricSpec,
} from './metric-contract.js';

/** Series of ours that may exist in one process. */
export const SERIES_LIMIT = 20_000;

/**
 * The families of the metric contract, registered in prom-client's registry. A second instance in the same process
 * (a test's next application) takes the names over from the first.
 */
@Injectable()
export class MetricFamilies {
  readonly cap = new SeriesCap(SERIES_LIMIT);
  private readonly counters = new Map<MetricName, CellFamily<CounterCell>>();
  private readonly gauges = new Map<MetricName, CellFamily<GaugeCell>>();
  private readonly histograms = new Map<MetricName, CellFamily<HistogramCell>>();

  constructor() {
    for (const name of Object.keys(METRICS) as MetricName[]) this.create(name, METRICS[name]);
    for (const name of Object.keys(METRICS) as MetricName[]) this.showAtOnce(name);
  }

  /** The cell of a counter's label set; keep it. */
  counter<Name extends MetricNameOf<'counter'>>(name: Name, labels: MetricLabels<Name>): CounterCell {
    return family(this.counters, name).at(labels);
  }

  /** The cell of a gauge's label set; keep it. */
  gauge<Name extends MetricNameOf<'gauge'>>(name: Name, labels: MetricLabels<Name>): GaugeCell {
    return family(this.gauges, name).at(labels);
  }

  /** The cell of a histogram's label set; keep it. */
  histogram<Name extends MetricNameOf<'histogram'>>(name: Name, labels: MetricLabels<Name>): HistogramCell {
    return family(this.histograms, name).at(labels);
  }

  /** Stops showing a gauge's label set. */
  removeGauge<Name extends MetricNameOf<'gauge'>>(name: Name, labels: MetricLabels<Name>): void {
    family(this.gauges, name).remove(labels);
  }

  private create(name: MetricName, spec: MetricSpec): void {
    const fullName = METRIC_PREFIX + name;
    register.removeSingleMetric(fullName);
    const configuration = { name: fullName, help: spec.help, labelNames: [...spec.labels] };
    const options = { labelCount: spec.labels.length, cap: this.cap };
    switch (spec.type) {
      case 'counter': {
        const create = () => (name === 'metrics_dropped_series_total' ? this.cap.refused : new CounterCell());
        const cells = new CellFamily({ ...options, seriesPerCell: 1, create });
        this.counters.set(name, cells);
        new CellCounter(configuration, cells);
        return;
      }
      case 'gauge': {
        const cells = new CellFamily({ ...options, seriesPerCell: 1, create: () => new GaugeCell() });
        this.gauges.set(name, cells);
        new CellGauge(configuration, cells);
        return;
      }
      case 'histogram': {
        const buckets = [...(spec.buckets ?? [])];
        const create = () => new HistogramCell(buckets);
        const cells = new CellFamily({ ...options, seriesPerCell: buckets.length + 3, create });
        this.histograms.set(name, cells);
        new CellHistogram({ ...configuration, buckets }, cells);
      }
    }
  }

  /** A family without labels is shown from the start, so that its first increase is seen as one. */
  private showAtOnce(name: MetricName): void {
    if (METRICS[name].labels.length > 0) return;
    this.counters.get(name)?.at([]);
    this.gauges.get(name)?.at([]);
    this.histograms.get(name)?.at([]);
  }
}

function family<Cell>(families: ReadonlyMap<MetricName, CellFamily<Cell>>, name: MetricName): CellFamily<Cell> {
  const found = families.get(name);
  if (found === undefined) throw new Error(`the metric ${name} is of another type`);
  return found;
}
