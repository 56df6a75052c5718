import { Injectable } from '@nestjs/common';
import type { CounterCell, GaugeCell } from './metric-cells.js';
import {
  LIMIT_DECISIONS,
  LIMIT_SCOPES,
  STREAM_TERMINATIONS,
  type LimitDecision,
  type LimitScope,
  type StreamTermination,
} from './metric-contract.js';
import { MetricFamilies } from './metric-families.js';

/** What no closed record tells, told by whoever sees it happen. Every call is an addition or two. */
@Injectable()
export class MetricsRecorder {
  private readonly openStreams: GaugeCell;
  private readonly draining: GaugeCell;
  private readonly redisUp: GaugeCell;
  private readonly redisErrors: CounterCell;
  private readonly terminations: Readonly<Record<StreamTermination, CounterCell>>;
  private readonly decisions: Readonly<Record<LimitScope, Readonly<Record<LimitDecision, CounterCell>>>>;

  constructor(private readonly families: MetricFamilies) {
    this.openStreams = families.gauge('open_streams', []);
    this.draining = families.gauge('draining', []);
    this.redisUp = families.gauge('redis_up', []);
    this.redisErrors = families.counter('redis_errors_total', []);
    this.terminations = table(STREAM_TERMINATIONS, (reason) => families.counter('stream_terminations_total', [reason]));
    this.decisions = table(LIMIT_SCOPES, (scope) =>
      table(LIMIT_DECISIONS, (decision) => families.counter('ratelimit_decisions_total', [scope, decision])),
    );
  }

  /** A streamed answer has begun. */
  streamOpened(): void {
    this.openStreams.add(1);
  }

  /** A stream that was opened has ended; once for each `streamOpened`. */
  streamClosed(reason: StreamTermination): void {
    this.openStreams.add(-1);
    this.terminations[reason].add(1);
  }

  /** Events of a provider's stream were passed on though they could not be understood. */
  malformedEvents(provider: string, count: number): void {
    this.families.counter('malformed_events_total', [provider]).add(count);
  }

  /** Request and token limits have decided: `all` with `admitted`, else the scope that refused. */
  rateLimitDecision(scope: LimitScope, decision: LimitDecision): void {
    this.decisions[scope][decision].add(1);
  }

  /** A check was skipped or weakened because the store is away; `feature` is a word of the code, never of a caller. */
  failOpen(feature: string): void {
    this.families.counter('failopen_total', [feature]).add(1);
  }

  setDraining(draining: boolean): void {
    this.draining.set(draining ? 1 : 0);
  }

  setRedisUp(up: boolean): void {
    this.redisUp.set(up ? 1 : 0);
  }

  /** A store command failed or was not answered in time. */
  redisError(): void {
    this.redisErrors.add(1);
  }
}

function table<Key extends string, Value>(keys: readonly Key[], create: (key: Key) => Value): Record<Key, Value> {
  return Object.fromEntries(keys.map((key) => [key, create(key)])) as Record<Key, Value>;
}
