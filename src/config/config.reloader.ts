import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { Logger } from 'pino';
import { ConfigError } from './config.problem.js';
import type { ConfigStore } from './config.store.js';
import { FileReader } from './file-reader.js';
import { FileWatcher } from './file-watcher.js';
import type { WatchTiming } from './file-watcher.js';
import { readConfigFile } from './load-config.js';
import type { LoadedConfig } from './load-config.js';

/** How an attempt to reload ended. */
export type ReloadOutcome = 'changed' | 'unchanged' | 'failed';

/**
 * Puts a changed configuration file in force: on changes of the file and of the files it refers to, and on SIGHUP. A file
 * that cannot be used leaves the configuration as it is. In quick-start mode it does nothing.
 */
export class ConfigReloader implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly watcher: FileWatcher;
  private readonly onHangup = () => void this.reload();
  private fingerprint: string;

  constructor(
    private readonly loaded: Pick<LoadedConfig, 'file' | 'fingerprint' | 'reader'>,
    private readonly store: ConfigStore,
    private readonly logger: Logger,
    timing?: WatchTiming,
  ) {
    this.fingerprint = loaded.fingerprint;
    this.watcher = new FileWatcher(() => void this.reload(), timing);
  }

  onApplicationBootstrap(): void {
    if (!this.loaded.file) return;
    this.watcher.watch(this.loaded.reader.stamps);
    process.on('SIGHUP', this.onHangup);
  }

  onModuleDestroy(): void {
    this.watcher.close();
    process.off('SIGHUP', this.onHangup);
  }

  /** Reads the file now. Never throws; `ConfigStore.lastReload` says how it ended. */
  reload(): ReloadOutcome {
    const { file } = this.loaded;
    if (!file) return 'unchanged';
    const reader = new FileReader();
    try {
      return this.apply(readConfigFile(file, { reader, previous: this.store.current.config }));
    } catch (error) {
      this.reportFailure(error);
      return 'failed';
    } finally {
      this.watcher.watch(reader.stamps);
    }
  }

  private apply(next: ReturnType<typeof readConfigFile>): ReloadOutcome {
    const { config, sha, fingerprint, heldBack } = next;
    const { current, lastReload } = this.store;
    if (sha === current.sha && fingerprint === this.fingerprint) {
      if (lastReload.result === 'failure') this.report({ result: 'success', heldBack });
      return 'unchanged';
    }
    this.fingerprint = fingerprint;
    this.logThrown(this.store.replace({ sha, config }));
    const { version } = this.store.current;
    this.logger.info({ version, sha }, 'configuration reloaded');
    if (heldBack.length > 0) {
      this.logger.warn({ keys: heldBack }, 'changed settings keep their old values until the next start');
    }
    this.report({ result: 'success', heldBack });
    return 'changed';
  }

  private reportFailure(error: unknown): void {
    const text = error instanceof ConfigError ? error.message : 'the configuration could not be read';
    this.logger.error(
      error instanceof ConfigError ? { problems: error.problems } : { err: error },
      'configuration not reloaded, the old one stays in force',
    );
    this.report({ result: 'failure', error: text, heldBack: [] });
  }

  private report(report: { result: 'success' | 'failure'; error?: string; heldBack: readonly string[] }): void {
    this.logThrown(this.store.recordReload({ ...report, atMs: Date.now() }));
  }

  private logThrown(thrown: readonly unknown[]): void {
    for (const error of thrown) this.logger.error({ err: error }, 'a subscriber of the configuration failed');
  }
}
