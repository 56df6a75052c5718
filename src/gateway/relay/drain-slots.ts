import { Injectable } from '@nestjs/common';

/** Most answers read to their end after their client has gone, at once … */
const MAX_DRAINS = 64;
/** … and for so long each. */
export const DRAIN_MS = 60_000;

/** Bounds the answers that are read on only because their provider bills them in full. */
@Injectable()
export class DrainSlots {
  private taken = 0;

  /** Takes a slot, or returns false when all are taken. */
  take(): boolean {
    if (this.taken >= MAX_DRAINS) return false;
    this.taken += 1;
    return true;
  }

  free(): void {
    this.taken -= 1;
  }
}
