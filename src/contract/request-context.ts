import type { Caller } from './caller.js';
import type { GatewayError } from './errors.js';
import type { Plane } from './plane.js';
import type { RequestRecord } from './record.js';

export type { Plane };

/** The one object a request's life hangs on; the first middleware opens it. */
export interface RequestContext {
  /** Ours, never the client's. */
  readonly requestId: string;
  readonly plane: Plane;
  readonly record: RequestRecord;
  /** Set by the authenticate guard when the credential was accepted. */
  caller?: Caller;
  /** Set by the authenticate guard instead of throwing; the access guard throws it. */
  authFailure?: GatewayError;
}

const CONTEXT = Symbol('tollgate.context');

/** Hangs a context on a request object. */
export function openContext(request: object, context: RequestContext): void {
  (request as { [CONTEXT]?: RequestContext })[CONTEXT] = context;
}

/** The context of a request; throws when the first middleware did not run, which is a defect of ours. */
export function contextOf(request: object): RequestContext {
  const context = (request as { [CONTEXT]?: RequestContext })[CONTEXT];
  if (context === undefined) throw new Error('the request has no context: the first middleware did not run');
  return context;
}
