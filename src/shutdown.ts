import type { INestApplication } from '@nestjs/common';
import type { Logger } from 'pino';
import { ConfigStore } from './config/config.store.js';
import { LOGGER } from './config/logging.js';
import { GatewayError } from './contract/errors.js';
import { RequestLifecycle } from './gateway/request/request-lifecycle.js';
import { Readiness } from './health/readiness.js';
import type { Listeners } from './listeners.js';
import { MetricsRecorder } from './metrics/metrics.recorder.js';
import { QuotaService } from './quota/quota.service.js';
import { BackgroundTasks } from './state/background-tasks.js';

/** How long what outlives requests (settlements above all) may still take at the end. */
const FLUSH_MS = 5_000;
/** How long requests that were cut may take to be settled and recorded. */
const CUT_MS = 2_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The way out: readiness fails, requests are still served for `readinessDelayMs`, the listeners close, open requests get
 * `drainMs`, what is left is cut with an in-band error, settlements are flushed, the stores close last.
 */
export class Shutdown {
  private readonly logger: Logger;
  /** Skips the waiting, never the flushing. */
  hurry: () => void = () => undefined;
  /** True once the way out has begun. */
  hasBegun = false;
  private readonly hurried = new Promise<void>((resolve) => {
    this.hurry = resolve;
  });

  constructor(
    private readonly application: INestApplication,
    private readonly listeners: Listeners,
  ) {
    this.logger = application.get<Logger>(LOGGER);
  }

  /** Call it once. Resolves when the process may exit, rejects when something could not be closed. */
  async start(reason: string): Promise<void> {
    this.hasBegun = true;
    const { readinessDelayMs, drainMs } = this.application.get(ConfigStore).current.config.server;
    const lifecycle = this.application.get(RequestLifecycle);
    this.logger.info({ reason, open_requests: lifecycle.openRequests }, 'draining');
    this.application.get(Readiness).startDraining();
    this.application.get(MetricsRecorder).setDraining(true);
    await Promise.race([sleep(readinessDelayMs), this.hurried]);
    lifecycle.startDraining();
    void this.listeners.closeTraffic();
    await Promise.race([lifecycle.idle(), sleep(drainMs), this.hurried]);
    const cut = lifecycle.openRequests;
    if (cut > 0) {
      this.logger.warn({ open_requests: cut }, 'cutting the requests that are still open');
      lifecycle.cutAll(new GatewayError('server_shutting_down'));
      await Promise.race([lifecycle.idle(), sleep(CUT_MS)]);
    }
    await this.application.get(QuotaService).flush(FLUSH_MS);
    await this.application.get(BackgroundTasks).drain(FLUSH_MS);
    await this.listeners.closeAll();
    await this.application.close();
    this.logger.info('stopped');
  }
}
