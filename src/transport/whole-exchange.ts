import { GatewayError } from '../contract/errors.js';
import type { AttemptContext } from '../contract/provider.js';
import type { DeadlineWheel } from './deadline-wheel.js';
import { Exchange } from './exchange.js';
import type { UpstreamHeaders, WholeResponse } from './upstream.js';

export interface WholeExchangeOptions {
  readonly context: AttemptContext;
  readonly wheel: DeadlineWheel;
  /** A longer body is `provider_bad_response`. */
  readonly maxBytes: number;
  readonly resolve: (response: WholeResponse) => void;
  readonly reject: (error: GatewayError) => void;
}

/** An exchange whose body is gathered into one buffer. Only the total time counts: its first byte is its last. */
export class WholeExchange extends Exchange {
  private status = 0;
  private headers: UpstreamHeaders = {};
  private readonly chunks: Buffer[] = [];
  private bytes = 0;

  constructor(private readonly options: WholeExchangeOptions) {
    super(options.context, options.wheel);
  }

  protected headersTimeoutMs(): number {
    return this.context.timeouts.totalMs;
  }

  protected headersArrived(status: number, headers: UpstreamHeaders): void {
    this.status = status;
    this.headers = headers;
  }

  protected dataArrived(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes > this.options.maxBytes) this.fail(tooLong());
    else this.chunks.push(chunk);
  }

  protected bodyEnded(): void {
    const { chunks, status, headers } = this;
    const [first] = chunks;
    const body = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, this.bytes);
    this.options.resolve({ status, headers, body });
  }

  protected failed(error: GatewayError): void {
    this.options.reject(error);
  }
}

/** The answer is longer than `transport.maxResponseBytes`. */
export function tooLong(): GatewayError {
  return new GatewayError('provider_bad_response', { message: 'The answer of the provider is longer than allowed.' });
}
