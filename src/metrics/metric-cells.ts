/** One series of a counter. Adding is a plain addition: label names are not hashed again. */
export class CounterCell {
  /** Since the start of the process. */
  value = 0;

  add(amount: number): void {
    this.value += amount;
  }
}

/** One series of a gauge. */
export class GaugeCell {
  value = 0;

  set(value: number): void {
    this.value = value;
  }

  add(amount: number): void {
    this.value += amount;
  }
}

/** One label set of a histogram. */
export class HistogramCell {
  /** Observations per bucket, not cumulated; the last is the one above all bounds. */
  readonly counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** A value that is no number, as a broken clock could give, is ignored: it would spoil the sum for good. */
  observe(value: number): void {
    if (!Number.isFinite(value)) return;
    let index = 0;
    for (const bound of this.bounds) {
      if (value <= bound) break;
      index++;
    }
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.sum += value;
    this.count++;
  }
}

/** Counts the series of all families together, so that no mistake of ours can fill the memory with labels. */
export class SeriesCap {
  /** Series that exist. */
  used = 0;
  /** Look-ups that were refused a new series. */
  readonly refused = new CounterCell();

  /** `limit`: how many series may exist; a histogram's label set counts each of its buckets. */
  constructor(readonly limit: number) {}

  /** Takes `count` series if there is room for them. */
  admit(count: number): boolean {
    if (this.used + count > this.limit) {
      this.refused.add(1);
      return false;
    }
    this.used += count;
    return true;
  }
}

/** What a full cap counts under. */
export const OTHER = 'other';

/** A cell with the label values it is shown under. */
export interface LabelledCell<Cell> {
  readonly labels: readonly string[];
  readonly cell: Cell;
}

export interface CellFamilyOptions<Cell> {
  /** How many labels the family has. */
  readonly labelCount: number;
  /** Series one cell is shown as. */
  readonly seriesPerCell: number;
  readonly create: () => Cell;
  readonly cap: SeriesCap;
}

/**
 * The cells of one family, one a label set. `at` is for set-up and for caches: keep what it returns, do not ask
 * again for every request. A label set beyond the cap shares one cell whose labels all read "other".
 */
export class CellFamily<Cell> {
  private readonly cells = new Map<string, LabelledCell<Cell>>();
  private overflow: Cell | undefined;

  constructor(private readonly options: CellFamilyOptions<Cell>) {}

  at(labels: readonly string[]): Cell {
    const key = labels.join('\u0000');
    const existing = this.cells.get(key);
    if (existing !== undefined) return existing.cell;
    if (!this.options.cap.admit(this.options.seriesPerCell)) return this.beyondCap();
    return this.add(key, labels);
  }

  /** Forgets a series that is not true any more; its cell counts no further. */
  remove(labels: readonly string[]): void {
    if (this.cells.delete(labels.join('\u0000'))) this.options.cap.used -= this.options.seriesPerCell;
  }

  /** In order of creation. */
  all(): Iterable<LabelledCell<Cell>> {
    return this.cells.values();
  }

  private add(key: string, labels: readonly string[]): Cell {
    const cell = this.options.create();
    this.cells.set(key, { labels, cell });
    return cell;
  }

  private beyondCap(): Cell {
    const labels = Array.from({ length: this.options.labelCount }, () => OTHER);
    this.overflow ??= this.cells.get(labels.join('\u0000'))?.cell ?? this.add(labels.join('\u0000'), labels);
    return this.overflow;
  }
}
