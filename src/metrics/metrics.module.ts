import { Module } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { AccessLogObserver } from './access-log.observer.js';
import { MetricFamilies } from './metric-families.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsObserver } from './metrics.observer.js';
import { MetricsRecorder } from './metrics.recorder.js';
import { ProcessGauges } from './process.gauges.js';

/** What is told of requests: numbers at /metrics, and the access line. */
@Module({
  imports: [PrometheusModule.register({ controller: MetricsController, path: '/metrics' })],
  providers: [MetricFamilies, MetricsRecorder, MetricsObserver, AccessLogObserver, ProcessGauges],
  exports: [MetricsRecorder, MetricsObserver, AccessLogObserver],
})
export class MetricsModule {}
