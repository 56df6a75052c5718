import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { GatewayError } from '../contract/errors.js';
import { LIMIT_SCOPES, type LimitScope } from '../metrics/metric-contract.js';
import { MetricsRecorder } from '../metrics/metrics.recorder.js';
import { QuotaService } from '../quota/quota.service.js';
import { liveRequestOf } from './request/live-request.js';

/** The scope that refused, as the error's parameter names it (`team:tokens`); a key is a caller. */
function refusedScope({ param = '' }: GatewayError): LimitScope {
  const owner = param.split(':', 1)[0];
  return LIMIT_SCOPES.find((scope) => scope === owner) ?? 'caller';
}

/** Reserves what the call may cost before anything is sent; the dispatcher settles it. */
@Injectable()
export class MeteringInterceptor implements NestInterceptor {
  constructor(
    private readonly quota: QuotaService,
    private readonly metrics: MetricsRecorder,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const live = liveRequestOf(context.switchToHttp().getRequest());
    const { call, caller, requestId } = live;
    if (call === undefined || caller === undefined) {
      throw new GatewayError('internal_error', { cause: 'metering before the call was read' });
    }
    try {
      call.settlement = await this.quota.open({ requestId, call: call.envelope, plan: call.plan, caller });
    } catch (thrown) {
      const isRefusal = thrown instanceof GatewayError && thrown.status === 429;
      if (isRefusal) this.metrics.rateLimitDecision(refusedScope(thrown), 'refused');
      throw thrown;
    }
    if (call.settlement.admittedBy !== 'store') this.metrics.failOpen('limits');
    this.metrics.rateLimitDecision('all', 'admitted');
    return next.handle();
  }
}
