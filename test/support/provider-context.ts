import type { AttemptContext, Timeouts } from '../../src/contract/provider.js';

export interface ContextOptions {
  readonly signal?: AbortSignal;
  readonly timeouts?: Partial<Timeouts>;
  readonly onDispatch?: () => void;
}

/** What an attempt is run under, with generous timeouts unless given otherwise. */
export function contextOf({ signal, timeouts, onDispatch }: ContextOptions = {}): AttemptContext {
  return {
    requestId: 'test',
    signal: signal ?? new AbortController().signal,
    timeouts: { connectMs: 2_000, firstContentMs: 10_000, idleMs: 10_000, totalMs: 10_000, ...timeouts },
    onDispatch: onDispatch ?? ((): void => undefined),
  };
}
