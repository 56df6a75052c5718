import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOGGER } from '../config/logging.js';

/** The one place for work that outlives a request; shutdown waits for it. */
@Injectable()
export class BackgroundTasks {
  readonly #open = new Set<Promise<unknown>>();

  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  /** Tasks that have not ended. */
  get size(): number {
    return this.#open.size;
  }

  /** Takes charge of a task. A rejection is logged under `name` and goes no further. */
  run(name: string, task: Promise<unknown>): void {
    this.#open.add(task);
    task.then(
      () => this.#open.delete(task),
      (error: unknown) => {
        this.#open.delete(task);
        this.logger.error({ err: error, task: name }, 'a background task failed');
      },
    );
  }

  /** Waits until no task is open, tasks started meanwhile included; false when `timeoutMs` passed first. */
  async drain(timeoutMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    let isOver = false;
    void timeout.then(() => (isOver = true));
    while (this.#open.size > 0 && !isOver) {
      await Promise.race([timeout, Promise.allSettled(this.#open)]);
    }
    clearTimeout(timer);
    return this.#open.size === 0;
  }
}
