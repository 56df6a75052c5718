import { StoreUnavailableError } from './store-error.js';

interface PendingCall {
  readonly deadline: number;
  readonly reject: (error: StoreUnavailableError) => void;
  isSettled: boolean;
}

/**
 * Ends every call after one common time, whatever the client does: the client library leaves commands unanswered for
 * ever in some disconnects. One coarse timer sweeps a queue that is in order of deadline; no timer is set per call.
 */
export class CallDeadlines {
  #queue: PendingCall[] = [];
  #head = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #intervalMs: number;

  /** `timeoutMs` bounds each call; it is noticed at most a tenth of it (5 to 20 ms) late. */
  constructor(private readonly timeoutMs: number) {
    this.#intervalMs = Math.min(20, Math.max(5, timeoutMs / 10));
  }

  /** The result of `call`, or StoreUnavailableError with outcome `unknown` when the time is up. */
  guard<T>(call: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const pending: PendingCall = { deadline: performance.now() + this.timeoutMs, reject, isSettled: false };
      this.#queue.push(pending);
      if (this.#timer === undefined) this.#timer = setTimeout(this.#tick, this.#intervalMs);
      call().then(
        (value) => {
          pending.isSettled = true;
          resolve(value);
        },
        (error: unknown) => {
          pending.isSettled = true;
          reject(error);
        },
      );
    });
  }

  // Replies that are already in the socket are read between the timers phase and setImmediate: a blocked event loop
  // must not look like a silent store.
  readonly #tick = (): void => {
    setImmediate(this.#sweep);
  };

  readonly #sweep = (): void => {
    const now = performance.now();
    const queue = this.#queue;
    let head = this.#head;
    for (let call = queue[head]; call !== undefined && (call.isSettled || call.deadline <= now); call = queue[head]) {
      head += 1;
      if (call.isSettled) continue;
      call.isSettled = true;
      call.reject(new StoreUnavailableError(`The store did not answer within ${this.timeoutMs} ms.`, 'unknown'));
    }
    if (head === queue.length) {
      this.#queue = [];
      this.#head = 0;
      this.#timer = undefined;
      return;
    }
    this.#queue = head > 1_024 ? queue.slice(head) : queue;
    this.#head = head > 1_024 ? 0 : head;
    this.#timer = setTimeout(this.#tick, this.#intervalMs);
  };
}
