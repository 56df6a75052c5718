/**
 * One counter a request is checked against and charged to. `W` is a sliding window, `C` a concurrency limit, `B` a
 * budget.
 */
export interface QuotaItem {
  readonly type: 'W' | 'C' | 'B';
  readonly key: string;
  /** `e` enforces, `s` counts the same and never refuses. */
  readonly mode: 'e' | 's';
  /** -1 = only counted, 0 = refuses everything. Safe integer. */
  readonly limit: number;
  /** What is reserved: requests, tokens, slots or nano-dollars. Non-negative safe integer. */
  readonly cost: number;
  /** W: the window in ms. B: the end of the budget's window in ms since 1970, 0 = it has none. C: 0. */
  readonly p1: number;
  /** W: buckets of the window. B: when the counter may be forgotten, in ms since 1970, 0 = never. C: 0. */
  readonly p2: number;
}

/** What one item is settled with. */
export interface ActualItem {
  readonly type: QuotaItem['type'];
  readonly key: string;
  /** What was really used, in the item's unit. */
  readonly actual: number;
  /** B: as at the reservation; else 0. */
  readonly expiresAtMs: number;
}

/** One violated item: its index, and when to try again in ms from now; -1 = it can never fit. */
export interface Violation {
  readonly index: number;
  readonly retryAfterMs: number;
}

/** What the reserve script, and the in-memory model of it, answer. Times are the store's, in ms since 1970. */
export type ReserveReply =
  | { readonly type: 'admitted'; readonly now: number; readonly used: readonly number[]; readonly isDuplicate: boolean }
  | {
      readonly type: 'refused';
      readonly now: number;
      readonly used: readonly number[];
      readonly violations: readonly Violation[];
    }
  | { readonly type: 'used-up'; readonly now: number; readonly state: string }
  | { readonly type: 'stale-window'; readonly now: number };

/** How a settlement may end a reservation. */
export type SettleKind = 'settle' | 'cancel' | 'orphan';

/** What a settlement did; see settle.lua. */
export type SettleResult = 'settle' | 'adjust' | 'late' | 'orphan' | 'cancel' | 'tombstone' | 'dup' | 'alive' | 'gone';
