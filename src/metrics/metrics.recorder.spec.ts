import { register } from 'prom-client';
import { MetricFamilies } from './metric-families.js';
import { MetricsRecorder } from './metrics.recorder.js';

describe('MetricsRecorder', () => {
  it('counts open streams and what ended them', async () => {
    const recorder = new MetricsRecorder(new MetricFamilies());
    recorder.streamOpened();
    recorder.streamOpened();
    recorder.streamClosed('client_abort');
    const page = await register.metrics();
    expect(page).toMatch(/^tollgate_open_streams 1$/m);
    expect(page).toMatch(/^tollgate_stream_terminations_total\{reason="client_abort"\} 1$/m);
    expect(page).toMatch(/^tollgate_stream_terminations_total\{reason="drain_cut"\} 0$/m);
  });

  it('counts decisions, weakened checks and the state of the process', async () => {
    const recorder = new MetricsRecorder(new MetricFamilies());
    recorder.rateLimitDecision('team', 'refused');
    recorder.failOpen('limits');
    recorder.failOpen('limits');
    recorder.setDraining(true);
    recorder.setRedisUp(true);
    recorder.redisError();
    const page = await register.metrics();
    expect(page).toMatch(/^tollgate_ratelimit_decisions_total\{scope="team",decision="refused"\} 1$/m);
    expect(page).toMatch(/^tollgate_failopen_total\{feature="limits"\} 2$/m);
    expect(page).toMatch(/^tollgate_draining 1$/m);
    expect(page).toMatch(/^tollgate_redis_up 1$/m);
    expect(page).toMatch(/^tollgate_redis_errors_total 1$/m);
  });
});
