/** Hears when the store goes away (`false`) and when it is back (`true`). */
export type AvailabilityListener = (available: boolean) => void;

/** When a breaker opens and how it closes. */
export interface BreakerOptions {
  /** Failures in a row after which it opens; 5 by default. */
  readonly failures?: number;
  /** Silence is borne for this long after the first call that got no answer, in ms; 0 by default. */
  readonly silenceMs?: number;
  /** How often an absent store is asked, in ms; 500 by default. */
  readonly probeMs?: number;
}

/**
 * Keeps calls away from a store that does not answer: opens after five failures in a row, then asks `probe` every
 * 500 ms and closes at its first success. Calls that were sent together and got no answer are one stall, not five:
 * only when silence lasts does it count.
 */
export class StoreBreaker {
  #isOpen = false;
  #failures = 0;
  #silentSinceMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isProbing = false;
  readonly #listeners = new Set<AvailabilityListener>();

  constructor(
    private readonly probe: () => Promise<unknown>,
    private readonly options: BreakerOptions = {},
    private readonly now: () => number = () => performance.now(),
  ) {}

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Adds a listener; returns what removes it. */
  subscribe(listener: AvailabilityListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#silentSinceMs = undefined;
  }

  /** A call failed; `isSilence` = it got no answer in time, rather than one that tells the store is away. */
  failed(isSilence: boolean): void {
    const { failures = 5, silenceMs = 0 } = this.options;
    const now = this.now();
    this.#failures += 1;
    if (isSilence) this.#silentSinceMs ??= now;
    if (this.#failures < failures) return;
    if (!isSilence || now - (this.#silentSinceMs ?? now) >= silenceMs) this.open();
  }

  /** Opens at once: the connection itself is gone. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#timer = setInterval(() => void this.tryNow(), this.options.probeMs ?? 500);
    this.#timer.unref();
    this.#notify(false);
  }

  /** Probes without waiting for the next turn, for when a connection is ready again. */
  async tryNow(): Promise<void> {
    if (!this.#isOpen || this.#isProbing) return;
    this.#isProbing = true;
    try {
      await this.probe();
      this.#close();
    } catch {
      // The store is still away; the next probe asks again.
    } finally {
      this.#isProbing = false;
    }
  }

  /** Ends probing for good. */
  stop(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  #close(): void {
    clearInterval(this.#timer);
    this.#isOpen = false;
    this.succeeded();
    this.#notify(true);
  }

  #notify(available: boolean): void {
    for (const listener of this.#listeners) listener(available);
  }
}
