import type { Caller } from '../../contract/caller.js';
import type { GatewayError } from '../../contract/errors.js';
import type { Plane } from '../../contract/plane.js';
import type { RequestRecord } from '../../contract/record.js';
import { contextOf, type RequestContext } from '../../contract/request-context.js';
import type { GatewayCall } from './gateway-call.js';

/**
 * One request from its first byte to its closed record. The record closes once: when the response is over and nobody
 * holds the request any more (an answer may still be drained or settled after its client has gone).
 */
export class LiveRequest implements RequestContext {
  caller?: Caller;
  authFailure?: GatewayError;
  /** Set by the call interceptor. */
  call?: GatewayCall;
  /** Why the gateway itself ended the request; absent = it did not. */
  cutBy?: GatewayError;
  /** Called once when nobody waits for the answer any more, or the gateway cuts it; set by whoever is answering. */
  onAbandoned?: () => void;
  /** True once `onAbandoned` was or would have been called. */
  isAbandoned = false;
  /** The answer has left whole, though its connection is kept for a while: a client that closes it breaks nothing off. */
  hasAnswered = false;
  private readonly openedAtMs = performance.now();
  private holds = 0;
  private responseOver = false;
  private closed = false;

  constructor(
    readonly requestId: string,
    readonly plane: Plane,
    readonly record: RequestRecord,
    private readonly onClosed: (request: LiveRequest) => void,
  ) {}

  /** Milliseconds since the request was opened, on the monotonic clock. */
  get elapsedMs(): number {
    return performance.now() - this.openedAtMs;
  }

  /** True once the client can receive nothing more. */
  get clientGone(): boolean {
    return this.isAbandoned && this.cutBy === undefined;
  }

  /** Keeps the record open until `release`. */
  hold(): void {
    this.holds += 1;
  }

  release(): void {
    this.holds -= 1;
    this.closeIfOver();
  }

  /** The response was sent whole, or its connection is gone. */
  endResponse(): void {
    this.responseOver = true;
    this.closeIfOver();
  }

  /** Ends the request from our side: an answer that has begun gets an in-band error. */
  cut(error: GatewayError): void {
    if (this.isAbandoned) return;
    this.cutBy = error;
    this.abandon();
  }

  /** The client is gone before its answer was whole. */
  abandon(): void {
    if (this.isAbandoned) return;
    this.isAbandoned = true;
    this.onAbandoned?.();
  }

  private closeIfOver(): void {
    if (this.closed || !this.responseOver || this.holds > 0) return;
    this.closed = true;
    this.onClosed(this);
  }
}

/** The live request behind an Express request. */
export function liveRequestOf(request: object): LiveRequest {
  const context = contextOf(request);
  if (context instanceof LiveRequest) return context;
  throw new Error('the request was opened by something other than the request lifecycle');
}
