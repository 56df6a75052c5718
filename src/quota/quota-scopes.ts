import type { TollgateConfig } from '../config/config.schema.js';
import type { Caller, Limits } from '../contract/caller.js';
import type { TenantKeys } from '../state/keys.js';

/** Length of the windows behind "per minute". */
export const WINDOW_MS = 60_000;
/** Buckets of a window: one more is kept as a guard, so that a window is never counted short. */
export const WINDOW_BUCKETS = 12;

/** Whose limit it is, in the caller's eyes. */
export type LimitOwner = 'organisation' | 'team' | 'key' | 'caller';

/** One limit that applies to a caller. */
export interface LimitWindow {
  readonly owner: LimitOwner;
  readonly unit: 'requests' | 'tokens';
  readonly key: string;
  readonly limit: number;
}

/** The limits of a caller, compiled once per caller and configuration. */
export interface CallerScopes {
  readonly keys: TenantKeys;
  readonly windows: readonly LimitWindow[];
}

/** All limits a caller's requests count against: organisation, team, then the caller's own. */
export function compileScopes(caller: Caller, config: TollgateConfig, keys: TenantKeys): CallerScopes {
  const organisation = config.organisations[caller.organisation];
  const windows = windowsOf(keys, { owner: 'organisation', scope: 'org' }, organisation?.limits);
  if (caller.team !== undefined) {
    const limits = organisation?.teams[caller.team]?.limits;
    windows.push(...windowsOf(keys, { owner: 'team', scope: `t${caller.team}` }, limits));
  }
  const own =
    caller.method === 'key'
      ? ({ owner: 'key', scope: `k${caller.id}` } as const)
      : ({ owner: 'caller', scope: `j${caller.id}` } as const);
  windows.push(...windowsOf(keys, own, caller.limits));
  return { keys, windows };
}

function windowsOf(
  keys: TenantKeys,
  { owner, scope }: { readonly owner: LimitOwner; readonly scope: string },
  limits: Limits = {},
): LimitWindow[] {
  const windows: LimitWindow[] = [];
  const { requestsPerMinute, tokensPerMinute } = limits;
  if (requestsPerMinute !== undefined) {
    windows.push({ owner, unit: 'requests', key: keys.window(scope, 'rpm'), limit: requestsPerMinute });
  }
  if (tokensPerMinute !== undefined) {
    windows.push({ owner, unit: 'tokens', key: keys.window(scope, 'tpm'), limit: tokensPerMinute });
  }
  return windows;
}
