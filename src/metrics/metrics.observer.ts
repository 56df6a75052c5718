import { Injectable } from '@nestjs/common';
import type { RequestObserver, RequestRecord } from '../contract/record.js';
import type { GaugeCell } from './metric-cells.js';
import { MetricFamilies } from './metric-families.js';
import { SeriesIndex } from './request-series.js';

/** Never negative, whatever the clocks did: a histogram's sum must not decrease. */
const seconds = (milliseconds: number): number => Math.max(0, milliseconds) / 1_000;

/** Counts closed records. Probes and scrapes are left out: they would hide what callers see. */
@Injectable()
export class MetricsObserver implements RequestObserver {
  private readonly series: SeriesIndex;
  private readonly inflight: GaugeCell;

  constructor(families: MetricFamilies) {
    this.series = new SeriesIndex(families);
    this.inflight = families.gauge('inflight_requests', []);
  }

  opened(record: RequestRecord): void {
    if (record.plane !== 'metrics') this.inflight.add(1);
  }

  closed(record: RequestRecord): void {
    if (record.plane === 'metrics') return;
    this.inflight.add(-1);
    const series = this.series.request(record);
    series.requests.add(1);
    series.duration.observe(seconds(record.durationMs));
    const { attempts } = record;
    if (attempts.length === 0) return;
    const overheadMs = overheadOf(record);
    if (overheadMs !== undefined) series.overhead.observe(seconds(overheadMs));
    this.countAttempts(record);
    this.countAnswer(record);
  }

  private countAttempts({ attempts }: RequestRecord): void {
    let previous = attempts[0];
    for (const attempt of attempts) {
      this.series.attempt(attempt).add(1);
      if (previous !== undefined && attempt !== previous && attempt.deployment !== previous.deployment) {
        this.series.fallback(previous, attempt).add(1);
      }
      previous = attempt;
    }
  }

  private countAnswer(record: RequestRecord): void {
    const { usage, timeToFirstTokenMs } = record;
    const series = this.series.answer(record);
    if (record.stream && timeToFirstTokenMs !== undefined) {
      series.timeToFirstToken.observe(seconds(timeToFirstTokenMs));
      const tokensAfterFirst = usage.completionTokens - 1;
      if (record.outcome === 'completed' && usage.source === 'final' && tokensAfterFirst > 0) {
        series.timePerOutputToken.observe(seconds((record.durationMs - timeToFirstTokenMs) / tokensAfterFirst));
      }
    }
    if (record.usageEstimated) series.usageMissing.add(1);
    if (usage.source === 'none') return;
    series.input.add(usage.promptTokens);
    series.output.add(usage.completionTokens);
    series.cachedInput.add(usage.cachedPromptTokens);
    series.cacheWriteInput.add(usage.cacheWriteTokens);
    series.reasoning.add(usage.reasoningTokens);
  }
}

/**
 * Milliseconds that were ours: of a whole answer all that was not spent waiting for providers, of a stream what
 * passed outside attempts before its first content. Undefined where the client left, or nothing was answered.
 */
function overheadOf(record: RequestRecord): number | undefined {
  if (record.outcome !== 'completed') return undefined;
  if (!record.stream) return record.durationMs - record.upstreamMs;
  if (record.timeToFirstTokenMs === undefined) return undefined;
  const attemptsMs = record.attempts.reduce((total, attempt) => total + attempt.durationMs, 0);
  return record.timeToFirstTokenMs - attemptsMs;
}
