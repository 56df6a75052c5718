import type { Dialect, Operation } from '../contract/dialect.js';
import type { Provider } from '../contract/provider.js';

/** How a call reaches a provider: in the caller's own dialect, or through the canonical contract. */
export type AttemptPath = 'native' | 'translated';

/** The path by which a provider serves a call; undefined = it cannot. Native wins where both are possible. */
export function attemptPath(provider: Provider, operation: Operation, dialect: Dialect): AttemptPath | undefined {
  if (provider.native?.dialects.has(dialect) === true) return 'native';
  return provider[operation] === undefined ? undefined : 'translated';
}
