import { Injectable } from '@nestjs/common';
import type { RequestObserver, RequestRecord } from '../contract/record.js';
import { FloodControl } from './flood.control.js';

/** Closed by the client, not by a refusal. */
const CLIENT_CLOSED = 499;

/**
 * Counts the refusals no guard has seen: unmatched routes, and what is refused before routing. Callers with an accepted credential
 * never count, nor does the metrics listener.
 */
@Injectable()
export class FloodObserver implements RequestObserver {
  private readonly counted = new WeakSet<RequestRecord>();

  constructor(private readonly flood: FloodControl) {}

  /** Marks a request FloodGuard has dealt with, so that it is not counted again when it closes. */
  markCounted(record: RequestRecord): void {
    this.counted.add(record);
  }

  closed(record: RequestRecord): void {
    const { status } = record;
    if (record.caller !== undefined || record.plane === 'metrics' || this.counted.has(record)) return;
    if (status < 400 || status >= 500 || status === CLIENT_CLOSED) return;
    this.flood.recordFailure(record.address);
  }
}
