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
  /** Called when the client leaves, and when the gateway cuts the request; set by whoever is answering. */
  onAbandoned?: () => void;
  /** True once the client has left before its answer was whole. */
  clientGone = false;
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

  /** True once nobody waits for the answer any more, or the gateway has cut it. */
  get isAbandoned(): boolean {
    return this.clientGone || this.cutBy !== undefined;
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

  /**
   * Ends the request from our side: an answer that has begun gets an in-band error, and one that is read on although its
   * client has gone is given up.
   */
  cut(error: GatewayError): void {
    if (this.cutBy !== undefined) return;
    this.cutBy = error;
    this.onAbandoned?.();
  }

  /** The client is gone before its answer was whole. */
  abandon(): void {
    const wasAbandoned = this.isAbandoned;
    this.clientGone = true;
    if (!wasAbandoned) this.onAbandoned?.();
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
