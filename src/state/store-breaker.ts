/** Hears when the store goes away (`false`) and when it is back (`true`). */
export type AvailabilityListener = (available: boolean) => void;

/**
 * Keeps calls away from a store that does not answer: opens after five failures in a row, then asks `probe` every
 * 500 ms and closes at its first success.
 */
export class StoreBreaker {
  #isOpen = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #isProbing = false;
  readonly #listeners = new Set<AvailabilityListener>();

  constructor(
    private readonly probe: () => Promise<unknown>,
    private readonly options: { readonly failures: number; readonly probeMs: number } = { failures: 5, probeMs: 500 },
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
  }

  failed(): void {
    this.#failures += 1;
    if (this.#failures >= this.options.failures) this.open();
  }

  /** Opens at once: the connection itself is gone. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#timer = setInterval(() => void this.tryNow(), this.options.probeMs);
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
    this.#failures = 0;
    this.#notify(true);
  }

  #notify(available: boolean): void {
    for (const listener of this.#listeners) listener(available);
  }
}
