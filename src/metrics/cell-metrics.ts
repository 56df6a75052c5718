import { Counter, Gauge, Histogram, type CounterConfiguration, type HistogramConfiguration } from 'prom-client';
import type { CellFamily, CounterCell, GaugeCell, HistogramCell } from './metric-cells.js';

type Labels = Record<string, string>;

/** A value as prom-client renders it. */
interface RenderedValue {
  readonly labels: Labels;
  readonly value: number;
}

/** A line of a histogram; the shared labels are rendered once for all lines of a label set. */
interface HistogramValue {
  readonly metricName: string;
  readonly labels: { readonly le?: number | '+Inf' };
  readonly sharedLabels: Labels;
  readonly value: number;
}

/** Label names and values as the object prom-client wants. */
function labelObject(names: readonly string[], values: readonly string[]): Labels {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}

/** A prom-client counter that shows the values of our cells at scrape time. */
export class CellCounter extends Counter {
  constructor(
    private readonly configuration: CounterConfiguration<string>,
    private readonly family: CellFamily<CounterCell>,
  ) {
    super(configuration);
  }

  override async get() {
    return { ...(await super.get()), values: plainValues(this.configuration.labelNames ?? [], this.family) };
  }
}

/** A prom-client gauge that shows the values of our cells at scrape time. */
export class CellGauge extends Gauge {
  constructor(
    private readonly configuration: CounterConfiguration<string>,
    private readonly family: CellFamily<GaugeCell>,
  ) {
    super(configuration);
  }

  override async get() {
    return { ...(await super.get()), values: plainValues(this.configuration.labelNames ?? [], this.family) };
  }
}

/** A prom-client histogram that shows the values of our cells at scrape time. */
export class CellHistogram extends Histogram {
  constructor(
    private readonly configuration: HistogramConfiguration<string>,
    private readonly family: CellFamily<HistogramCell>,
  ) {
    super(configuration);
  }

  /** Not declared, but what prom-client's registry, and its own `get`, take a histogram's values from. */
  getForPromString() {
    const { name, help } = this.configuration;
    return { name, help, type: 'histogram', aggregator: 'sum', values: this.render() };
  }

  private render(): HistogramValue[] {
    const { name, labelNames = [], buckets = [] } = this.configuration;
    const values: HistogramValue[] = [];
    for (const { labels, cell } of this.family.all()) {
      const sharedLabels = labelObject(labelNames, labels);
      let cumulated = 0;
      buckets.forEach((le, index) => {
        cumulated += cell.counts[index] ?? 0;
        values.push({ metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: cumulated });
      });
      values.push(
        { metricName: `${name}_bucket`, labels: { le: '+Inf' }, sharedLabels, value: cell.count },
        { metricName: `${name}_sum`, labels: {}, sharedLabels, value: cell.sum },
        { metricName: `${name}_count`, labels: {}, sharedLabels, value: cell.count },
      );
    }
    return values;
  }
}

function plainValues(names: readonly string[], family: CellFamily<{ readonly value: number }>): RenderedValue[] {
  return Array.from(family.all(), ({ labels, cell }) => ({ labels: labelObject(names, labels), value: cell.value }));
}
