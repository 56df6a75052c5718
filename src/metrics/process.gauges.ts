import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { ConfigStore, type ConfigSnapshot, type ReloadReport } from '../config/config.store.js';
import { RedisStore } from '../state/redis.store.js';
import { buildVersion } from './build-version.js';
import { MetricFamilies } from './metric-families.js';
import { MetricsRecorder } from './metrics.recorder.js';

/** Shows the configuration in force, its reloads, the store's state and what is running. */
@Injectable()
export class ProcessGauges implements OnModuleInit, OnModuleDestroy {
  private readonly leave: (() => void)[] = [];

  constructor(
    private readonly families: MetricFamilies,
    private readonly recorder: MetricsRecorder,
    private readonly config: ConfigStore,
    private readonly store: RedisStore,
  ) {}

  onModuleInit(): void {
    this.families.gauge('build_info', [buildVersion(), process.version]).set(1);
    for (const result of ['success', 'failure']) this.families.counter('config_reload_total', [result]);
    this.showConfig(this.config.current);
    this.showLoadTime(this.config.lastReload);
    this.recorder.setRedisUp(this.store.available);
    this.leave.push(
      this.config.subscribe((next, previous) => {
        this.families.removeGauge('config_info', configLabels(previous));
        this.showConfig(next);
      }),
      this.config.onReload((report) => {
        this.families.counter('config_reload_total', [report.result]).add(1);
        this.showLoadTime(report);
      }),
      this.store.onAvailability((available) => this.recorder.setRedisUp(available)),
      this.store.onFailure(() => this.recorder.redisError()),
    );
  }

  onModuleDestroy(): void {
    for (const leave of this.leave.splice(0)) leave();
  }

  private showConfig(snapshot: ConfigSnapshot): void {
    this.families.gauge('config_info', configLabels(snapshot)).set(1);
  }

  private showLoadTime({ result, atMs }: ReloadReport): void {
    if (result === 'success') this.families.gauge('config_last_success_timestamp_seconds', []).set(atMs / 1_000);
  }
}

/** The start of the hash tells configurations apart; the version counts those of this process. */
function configLabels({ sha, version }: ConfigSnapshot): readonly [string, string] {
  return [sha.slice(0, 12), String(version)];
}
