import type { RequestRecord } from '../contract/record.js';
import type { MeasuredUsage } from '../contract/usage.js';

/** How a request was admitted: by the store, by this replica's own memory, or unchecked. */
export type AdmittedBy = 'store' | 'shadow' | 'nobody';

/** How an admitted request is ended. Only the first call of `settle` or `cancel` counts; neither waits nor throws. */
export interface Settlement {
  /** `x-ratelimit-*` headers for the response; empty when the caller has no limits. */
  readonly headers: Readonly<Record<string, string>>;
  /** Other than `store` = limits were weakened because the store is away. */
  readonly admittedBy: AdmittedBy;
  /** Tokens of the prompt as they were reserved: what an answer without usage is charged for reading. */
  readonly estimatedPromptTokens: number;
  /** Charges what was really used and gives the rest back. */
  settle(usage: MeasuredUsage, record: RequestRecord): void;
  /** Gives everything back: nothing was dispatched. */
  cancel(): void;
}

/** What a settlement ends by. */
export interface SettlementEnds {
  readonly settle: (usage: MeasuredUsage, record: RequestRecord) => void;
  readonly cancel: () => void;
}

/** Ends a reservation once. */
export class OnceSettlement implements Settlement {
  #isEnded = false;

  constructor(
    readonly headers: Readonly<Record<string, string>>,
    readonly estimatedPromptTokens: number,
    readonly admittedBy: AdmittedBy,
    private readonly ends: SettlementEnds,
  ) {}

  settle(usage: MeasuredUsage, record: RequestRecord): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.ends.settle(usage, record);
  }

  cancel(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.ends.cancel();
  }
}
