import type { CacheBreakpoint } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';
import type { TextBlock } from './wire.js';

type CacheControl = NonNullable<TextBlock['cache_control']>;

/** A block that can carry a breakpoint. */
export interface CacheHolder {
  cache_control?: CacheControl | null;
}

/** "A maximum of 4 blocks with cache_control may be provided." */
const MAX_BREAKPOINTS = 4;

/** Marks the blocks of one request as asked, and keeps to the number the API allows. */
export class CacheMarks {
  /** In the order the API reads them: tools, system, messages. */
  private readonly marks: { readonly holder: CacheHolder; readonly field: string }[] = [];

  /** `field` names the holder in a warning. Without breakpoint nothing is done. */
  mark(holder: CacheHolder, cache: CacheBreakpoint | undefined, field: string): void {
    if (cache === undefined) return;
    if (holder.cache_control === undefined) this.marks.push({ holder, field });
    holder.cache_control = { type: 'ephemeral', ...(cache.ttl === undefined ? {} : { ttl: cache.ttl }) };
  }

  /** Takes the earliest marks away until what is left fits beside `others`; the later ones cover their prompt too. */
  clamp(others: number, warn: (warning: LossWarning) => void): void {
    for (const { holder, field } of this.marks.splice(0, Math.max(0, this.marks.length + others - MAX_BREAKPOINTS))) {
      delete holder.cache_control;
      warn({
        field: `${field}.cache`,
        kind: 'dropped',
        detail: `at most ${MAX_BREAKPOINTS} cache breakpoints; the earliest go`,
      });
    }
  }
}
