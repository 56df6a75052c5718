import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { GatewayError } from '../contract/errors.js';
import { contextOf } from '../contract/request-context.js';
import { authenticationRequired } from './refusal.js';
import { policyOf } from './route-policy.js';

/**
 * Last of the three guards, and the one that refuses. A route without a policy is refused: `internal_error`, for it is a
 * defect of ours. A route of another listener does not exist here. Everything else needs a caller unless it is public.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const policy = policyOf(this.reflector, context);
    if (policy === undefined) {
      const route = `${context.getClass().name}.${context.getHandler().name}`;
      throw new GatewayError('internal_error', { cause: new Error(`the route ${route} declares no policy`) });
    }
    const { plane, caller, authFailure } = contextOf(context.switchToHttp().getRequest<object>());
    if (policy.plane !== plane) throw new GatewayError('route_not_found');
    if (policy.access === 'caller' && caller === undefined) throw authFailure ?? authenticationRequired();
    return true;
  }
}
