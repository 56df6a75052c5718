import type { AttemptRecord, RequestRecord } from '../contract/record.js';
import {
  attemptErrorLabel,
  attemptOutcome,
  CappedLabel,
  codeLabel,
  errorLabel,
  leftUnanswered,
  NONE,
} from './label-values.js';
import { OTHER, type CounterCell, type HistogramCell } from './metric-cells.js';
import type { MetricFamilies } from './metric-families.js';

/** Teams that get a label value of their own. */
export const TEAM_LIMIT = 200;

/** Distinct label sets remembered before the memory is started afresh; the cells themselves stay. */
const REMEMBERED = 20_000;

/** The cells that one kind of request counts in. */
export interface RequestSeries {
  readonly requests: CounterCell;
  readonly duration: HistogramCell;
  readonly overhead: HistogramCell;
}

/** The cells that answers of one model, provider and team count in. */
export interface AnswerSeries {
  readonly timeToFirstToken: HistogramCell;
  readonly timePerOutputToken: HistogramCell;
  readonly input: CounterCell;
  readonly output: CounterCell;
  readonly cachedInput: CounterCell;
  readonly cacheWriteInput: CounterCell;
  readonly reasoning: CounterCell;
  readonly usageMissing: CounterCell;
}

/** A map that is emptied when it is full: a cache of what can be made again. */
class Memory<Value> {
  private readonly values = new Map<string, Value>();

  getOrCreate(key: string, create: () => Value): Value {
    const existing = this.values.get(key);
    if (existing !== undefined) return existing;
    const value = create();
    if (this.values.size >= REMEMBERED) this.values.clear();
    this.values.set(key, value);
    return value;
  }
}

/** Finds the cells of a record by one look-up of one joined key. */
export class SeriesIndex {
  private readonly requests = new Memory<RequestSeries>();
  private readonly answers = new Memory<AnswerSeries>();
  private readonly attempts = new Memory<CounterCell>();
  private readonly fallbacks = new Memory<CounterCell>();
  private readonly teams = new CappedLabel(TEAM_LIMIT);

  constructor(private readonly families: MetricFamilies) {}

  request(record: RequestRecord): RequestSeries {
    const { operation, model, provider, status, outcome, error, stream } = record;
    const code = leftUnanswered(record) ? '' : status;
    const key = `${operation}|${model}|${provider}|${code}|${outcome}|${error}|${stream}`;
    return this.requests.getOrCreate(key, () => this.createRequest(record));
  }

  answer(record: RequestRecord): AnswerSeries {
    const key = `${record.model}|${record.provider}|${record.caller?.team}`;
    return this.answers.getOrCreate(key, () => this.createAnswer(record));
  }

  attempt(attempt: AttemptRecord): CounterCell {
    return this.attempts.getOrCreate(`${attempt.deployment}|${attempt.error}`, () =>
      this.families.counter('upstream_attempts_total', [
        attempt.provider,
        attempt.deployment,
        attemptOutcome(attempt),
        attemptErrorLabel(attempt),
      ]),
    );
  }

  fallback(from: AttemptRecord, to: AttemptRecord): CounterCell {
    return this.fallbacks.getOrCreate(`${from.deployment}|${to.deployment}|${from.error}`, () =>
      this.families.counter('fallbacks_total', [from.deployment, to.deployment, attemptErrorLabel(from)]),
    );
  }

  private createRequest(record: RequestRecord): RequestSeries {
    const { families } = this;
    const operation = record.operation ?? NONE;
    const model = record.model ?? OTHER;
    const provider = record.provider ?? NONE;
    const stream = String(record.stream);
    const code = codeLabel(record);
    const failure = errorLabel(record);
    return {
      requests: families.counter('requests_total', [operation, model, provider, code, failure, stream]),
      duration: families.histogram('request_duration_seconds', [operation, model, provider, stream]),
      overhead: families.histogram('overhead_seconds', [operation]),
    };
  }

  private createAnswer(record: RequestRecord): AnswerSeries {
    const { families } = this;
    const upstream = [record.model ?? OTHER, record.provider ?? NONE] as const;
    const labels = [...upstream, this.teams.of(record.caller?.team ?? NONE)] as const;
    return {
      timeToFirstToken: families.histogram('time_to_first_token_seconds', upstream),
      timePerOutputToken: families.histogram('time_per_output_token_seconds', upstream),
      input: families.counter('input_tokens_total', labels),
      output: families.counter('output_tokens_total', labels),
      cachedInput: families.counter('cached_input_tokens_total', labels),
      cacheWriteInput: families.counter('cache_write_input_tokens_total', labels),
      reasoning: families.counter('reasoning_tokens_total', labels),
      usageMissing: families.counter('usage_missing_total', [upstream[1]]),
    };
  }
}
