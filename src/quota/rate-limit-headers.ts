import { WINDOW_BUCKETS, WINDOW_MS, type LimitWindow } from './quota-scopes.js';

/** What is known of the windows at one moment: units in use per window, in the windows' order. */
export interface WindowState {
  readonly windows: readonly LimitWindow[];
  readonly used: readonly number[];
  /** The store's time, ms since 1970. */
  readonly now: number;
}

/** A time span as OpenAI writes it: `1s`, `6m0s`; part seconds count as whole. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** The `x-ratelimit-*` headers: for requests and for tokens the limit that leaves least. */
export function rateLimitHeaders(state: WindowState): Record<string, string> {
  const headers: Record<string, string> = {};
  addHeaders(headers, 'requests', state);
  addHeaders(headers, 'tokens', state);
  return headers;
}

function addHeaders(headers: Record<string, string>, unit: LimitWindow['unit'], state: WindowState): void {
  let tightest: LimitWindow | undefined;
  let remaining = Infinity;
  let isUsed = false;
  for (const [index, window] of state.windows.entries()) {
    if (window.unit !== unit) continue;
    const used = state.used[index] ?? 0;
    const left = Math.max(0, window.limit - used);
    if (tightest !== undefined && left >= remaining) continue;
    tightest = window;
    remaining = left;
    isUsed = used > 0;
  }
  if (tightest === undefined) return;
  headers[`x-ratelimit-limit-${unit}`] = String(tightest.limit);
  headers[`x-ratelimit-remaining-${unit}`] = String(remaining);
  headers[`x-ratelimit-reset-${unit}`] = spanText(isUsed ? msUntilForgotten(state.now) : 0);
}

/** How long the bucket of this moment counts, its guard included. */
function msUntilForgotten(now: number): number {
  const width = WINDOW_MS / WINDOW_BUCKETS;
  return (Math.floor(now / width) + WINDOW_BUCKETS + 1) * width - now;
}
