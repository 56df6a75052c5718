import type { CacheBreakpoint } from '../../contract/chat-request.js';
import type { LossWarning } from '../../contract/provider.js';
import type { ModelTraits } from './bedrock.model.js';

/** Asks for the prompt to be cached up to the block before it. */
export interface CachePointBlock {
  readonly cachePoint: { readonly type: 'default'; readonly ttl?: '5m' | '1h' };
}

/** "A maximum of 4 blocks with cache_control may be provided." */
const MAX_CACHE_POINTS = 4;

/** The cache points of one request: which can be made, and which of them go when there are too many. */
export class CachePoints {
  /** The canonical field each point stands for. */
  private readonly fields = new WeakMap<object, string>();

  constructor(
    private readonly traits: ModelTraits,
    private readonly warn: (warning: LossWarning) => void,
  ) {}

  /** The point after what `field` names; nothing where none is asked for or the model takes none there. */
  after(cache: CacheBreakpoint | undefined, field: string, place: 'turn' | 'tool' = 'turn'): CachePointBlock[] {
    if (cache === undefined) return [];
    const { cachePoints } = this.traits;
    if (cachePoints === 'none' || (cachePoints === 'turns' && place === 'tool')) {
      this.drop(field, 'the model takes no cache point here');
      return [];
    }
    const point: CachePointBlock = { cachePoint: { type: 'default', ...this.ttl(cache, field) } };
    this.fields.set(point, field);
    return [point];
  }

  /** Puts blocks behind others. Of points that meet the last lifetime given wins; one with nothing before it goes. */
  append<Block extends object>(blocks: Block[], added: readonly Block[]): void {
    for (const block of added) {
      const last = blocks.at(-1);
      if (!isCachePoint(block)) blocks.push(block);
      else if (last === undefined) this.drop(this.fields.get(block) ?? 'cache', 'there is nothing before it to cache');
      else if (!isCachePoint(last)) blocks.push(block);
      else if (block.cachePoint.ttl !== undefined) blocks[blocks.length - 1] = block;
    }
  }

  /** Takes the earliest points out of the lists, in the order of the prompt, until as many are left as are allowed. */
  limit(lists: readonly object[][]): void {
    let surplus = lists.flat().filter(isCachePoint).length - MAX_CACHE_POINTS;
    for (const list of lists) {
      for (let at = 0; at < list.length && surplus > 0;) {
        const block = list[at];
        if (block === undefined || !isCachePoint(block)) at += 1;
        else {
          list.splice(at, 1);
          surplus -= 1;
          this.drop(this.fields.get(block) ?? 'cache', `at most ${MAX_CACHE_POINTS} cache points: the earliest go`);
        }
      }
    }
  }

  private ttl({ ttl }: CacheBreakpoint, field: string): { ttl?: '5m' | '1h' } {
    if (ttl === undefined) return {};
    if (this.traits.cacheTtl) return { ttl };
    if (ttl === '1h') {
      this.warn({ field: `${field}.ttl`, kind: 'approximated', detail: 'the model caches for five minutes' });
    }
    return {};
  }

  private drop(field: string, detail: string): void {
    this.warn({ field, kind: 'dropped', detail });
  }
}

/** True for a cache point among other blocks. */
export function isCachePoint(block: object): block is CachePointBlock {
  return 'cachePoint' in block;
}

/** Several breakpoints at one place are one; the last lifetime given wins. */
export function joinBreakpoints(breakpoints: readonly (CacheBreakpoint | undefined)[]): CacheBreakpoint | undefined {
  const given = breakpoints.filter((breakpoint) => breakpoint !== undefined);
  if (given.length === 0) return undefined;
  const ttl = given.findLast((breakpoint) => breakpoint.ttl !== undefined)?.ttl;
  return ttl === undefined ? {} : { ttl };
}
