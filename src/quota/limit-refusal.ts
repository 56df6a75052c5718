import { GatewayError } from '../contract/errors.js';
import type { QuotaItem, Violation } from './quota-item.js';
import type { LimitOwner, LimitWindow } from './quota-scopes.js';
import { rateLimitHeaders, type WindowState } from './rate-limit-headers.js';

const OWNERS = {
  organisation: 'your organisation',
  team: 'your team',
  key: 'this key',
  caller: 'this caller',
} as const satisfies Record<LimitOwner, string>;

/** What a refusal is told from. */
export interface Refusal extends WindowState {
  readonly items: readonly QuotaItem[];
  /** At least one. */
  readonly violations: readonly Violation[];
}

interface Violated {
  readonly window: LimitWindow;
  readonly cost: number;
  readonly retryAfterMs: number;
}

function violated(refusal: Refusal): Violated[] {
  return refusal.violations.flatMap(({ index, retryAfterMs }) => {
    const window = refusal.windows[index];
    return window === undefined ? [] : [{ window, cost: refusal.items[index]?.cost ?? 0, retryAfterMs }];
  });
}

const limitText = ({ limit, unit, owner }: LimitWindow): string => `${limit} ${unit} per minute of ${OWNERS[owner]}`;

/** The answer to a request that goes over limits: the one that will hold it back longest decides. */
export function limitRefusal(refusal: Refusal): GatewayError {
  const headers = rateLimitHeaders(refusal);
  const all = violated(refusal);
  const closed = all.find(({ window }) => window.limit === 0);
  const tooLarge = all.find(({ window, retryAfterMs }) => window.limit > 0 && retryAfterMs < 0);
  const worst = closed ?? tooLarge ?? all.reduce((a, b) => (b.retryAfterMs > a.retryAfterMs ? b : a));
  const { window, cost, retryAfterMs } = worst;
  const param = `${window.owner}:${window.unit}`;
  if (worst === closed) {
    const message = `The limit of ${limitText(window)} refuses every request.`;
    return new GatewayError('rate_limit_exceeded', { message, param, headers });
  }
  if (worst === tooLarge) {
    const message =
      `The request needs about ${cost} ${window.unit}, more than the limit of ${limitText(window)} ever allows. ` +
      'Shorten the prompt or ask for fewer output tokens.';
    return new GatewayError('request_too_large_for_limit', { message, param, headers });
  }
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return new GatewayError('rate_limit_exceeded', {
    message: `The limit of ${limitText(window)} is reached. Try again in ${seconds} s.`,
    param,
    retryAfterMs,
    headers: { ...headers, 'retry-after': String(seconds), 'retry-after-ms': String(retryAfterMs) },
  });
}
