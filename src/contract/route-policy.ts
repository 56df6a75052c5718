import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import type { Plane } from './plane.js';

/** What a route demands of whoever calls it. */
export interface RoutePolicySettings {
  /** The listener that serves the route; the others answer 404. */
  readonly plane: Plane;
  /** `caller` needs an accepted credential; `public` needs none. */
  readonly access: 'caller' | 'public';
}

/** Metadata key of a class's or handler's policy, for `Reflector.getAllAndOverride`. */
export const ROUTE_POLICY = 'tollgate:route-policy';

/** Declares the policy of a controller or handler; the handler's wins. A route without one is refused. */
export const RoutePolicy = (policy: RoutePolicySettings): CustomDecorator => SetMetadata(ROUTE_POLICY, policy);
