import { setTimeout as sleep } from 'node:timers/promises';

/** Clock, chance and waiting, so that tests can hold them. */
export interface RoutingRuntime {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** Resolves after so many milliseconds; rejects when the signal is aborted before. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Injection token of the runtime. */
export const ROUTING_RUNTIME = Symbol('ROUTING_RUNTIME');

export const systemRuntime: RoutingRuntime = {
  now: () => performance.now(),
  random: () => Math.random(),
  wait: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};
