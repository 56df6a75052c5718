import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { GatewayError } from '../contract/errors.js';
import { QuotaService } from '../quota/quota.service.js';
import { liveRequestOf } from './request/live-request.js';

/** Reserves what the call may cost before anything is sent; the dispatcher settles it. */
@Injectable()
export class MeteringInterceptor implements NestInterceptor {
  constructor(private readonly quota: QuotaService) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const live = liveRequestOf(context.switchToHttp().getRequest());
    const { call, caller, requestId } = live;
    if (call === undefined || caller === undefined) {
      throw new GatewayError('internal_error', { cause: 'metering before the call was read' });
    }
    call.settlement = await this.quota.open({ requestId, call: call.envelope, plan: call.plan, caller });
    return next.handle();
  }
}
