import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  ThrottlerGuard,
  type ThrottlerLimitDetail,
  type ThrottlerModuleOptions,
  type ThrottlerStorage,
} from '@nestjs/throttler';
import { GatewayError } from '../contract/errors.js';
import { contextOf } from '../contract/request-context.js';
import { FloodControl, floodAddress } from './flood.control.js';
import { FloodObserver } from './flood.observer.js';

/**
 * Second of the three guards: counts requests without an accepted credential per address, and refuses an address that sends
 * too many. Authenticated callers and the metrics listener pass uncounted. Sets no headers.
 */
@Injectable()
export class FloodGuard extends ThrottlerGuard {
  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    private readonly flood: FloodControl,
    private readonly observer: FloodObserver,
  ) {
    super(options, storage, reflector);
  }

  /** A request whose credential cannot be checked is our failure: it is not counted, yet a blocked address stays out. */
  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    const { caller, plane, record, authFailure } = contextOf(context.switchToHttp().getRequest<object>());
    if (caller !== undefined || plane === 'metrics') return Promise.resolve(true);
    this.observer.markCounted(record);
    const blockLeftMs = this.flood.blockLeftMs(record.address);
    if (blockLeftMs > 0) throw blocked(blockLeftMs);
    return Promise.resolve(authFailure?.code === 'authentication_unavailable');
  }

  protected override getTracker(request: object): Promise<string> {
    return Promise.resolve(floodAddress(contextOf(request).record.address));
  }

  /** The address alone: counting per route would multiply the limit by the routes. */
  protected override generateKey(_context: ExecutionContext, address: string): string {
    return address;
  }

  protected override throwThrottlingException(
    _context: ExecutionContext,
    { timeToBlockExpire }: ThrottlerLimitDetail,
  ): Promise<void> {
    throw blocked(timeToBlockExpire * 1_000);
  }
}

function blocked(retryAfterMs: number): GatewayError {
  return new GatewayError('flood_blocked', { retryAfterMs });
}
