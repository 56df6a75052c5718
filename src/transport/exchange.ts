import type { Dispatcher } from 'undici';
import { GatewayError } from '../contract/errors.js';
import type { AttemptContext } from '../contract/provider.js';
import type { Deadline, DeadlineWheel } from './deadline-wheel.js';
import { transportError, type ExchangePhase } from './transport.error.js';

type Controller = Dispatcher.DispatchController;
type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

/**
 * One HTTP exchange as undici's dispatch sees it: it keeps the deadlines, hears the caller's signal and ends exactly
 * once. What is done with status and body is its subclasses' matter.
 */
export abstract class Exchange implements Dispatcher.DispatchHandler, Deadline {
  dueMs = 0;
  protected controller: Controller | undefined;
  protected phase: ExchangePhase = 'connect';
  protected isOver = false;
  /** When the whole call must be over, on the wheel's clock. */
  protected totalDueMs = 0;

  constructor(
    protected readonly context: AttemptContext,
    protected readonly wheel: DeadlineWheel,
  ) {}

  /** Bound on the wait for response headers, in milliseconds from the start. */
  protected abstract headersTimeoutMs(): number;
  protected abstract headersArrived(status: number, headers: Headers): void;
  protected abstract dataArrived(chunk: Buffer): void;
  protected abstract bodyEnded(): void;
  protected abstract failed(error: GatewayError): void;

  /** Starts the clocks. False = the signal was aborted already, the exchange has failed and must not be dispatched. */
  begin(): boolean {
    const { signal, timeouts } = this.context;
    if (signal.aborted) {
      this.isOver = true;
      this.failed(new GatewayError('client_closed'));
      return false;
    }
    const now = this.wheel.readClock();
    this.totalDueMs = now + timeouts.totalMs;
    this.dueMs = Math.min(now + timeouts.connectMs, this.totalDueMs);
    this.wheel.add(this);
    signal.addEventListener('abort', this);
    return true;
  }

  /** The signal was aborted. */
  handleEvent(): void {
    this.fail(new GatewayError('client_closed'));
  }

  expire(): void {
    const isDead = this.phase === 'body' && this.wheel.nowMs < this.totalDueMs;
    const message = isDead ? 'The provider fell silent in the middle of its answer.' : undefined;
    this.fail(new GatewayError('provider_timeout', message === undefined ? {} : { message }));
  }

  onRequestStart(controller: Controller): void {
    if (this.isOver) {
      controller.abort(new Error('the call was given up before a connection was free'));
      return;
    }
    this.controller = controller;
    this.phase = 'headers';
    this.dueMs = Math.min(this.wheel.nowMs + this.headersTimeoutMs(), this.totalDueMs);
    this.context.onDispatch();
  }

  onResponseStart(controller: Controller, status: number, headers: Headers): void {
    // They are views of the first chunk read, which they would keep for as long as the answer lasts.
    controller.rawHeaders = [];
    if (this.isOver || status < 200) return;
    this.phase = 'body';
    this.headersArrived(status, headers);
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    if (!this.isOver) this.dataArrived(chunk);
  }

  onResponseEnd(): void {
    if (this.isOver) return;
    this.finish();
    this.bodyEnded();
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.isOver) return;
    this.finish();
    this.failed(transportError(error, this.phase));
  }

  /** Dispatching itself failed. */
  refuse(error: unknown): void {
    this.fail(transportError(error, this.phase));
  }

  /** Gives the exchange up for our own reasons: the socket is destroyed at once. */
  protected fail(error: GatewayError): void {
    if (this.isOver) return;
    this.close();
    this.failed(error);
  }

  /** Ends the exchange without a word to anyone. */
  protected close(): void {
    if (this.isOver) return;
    this.finish();
    this.controller?.abort(new Error('the call was given up'));
  }

  private finish(): void {
    this.isOver = true;
    this.wheel.remove(this);
    this.context.signal.removeEventListener('abort', this);
  }
}
