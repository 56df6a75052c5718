import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { ROUTE_POLICY, type RoutePolicySettings } from '../contract/route-policy.js';

/** The policy of the route a guard is asked about: the handler's, else its class's, else undefined. */
export function policyOf(reflector: Reflector, context: ExecutionContext): RoutePolicySettings | undefined {
  return reflector.getAllAndOverride<RoutePolicySettings | undefined>(ROUTE_POLICY, [
    context.getHandler(),
    context.getClass(),
  ]);
}
