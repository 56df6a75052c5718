import type { CallEnvelope } from '../contract/call.js';
import type { Caller } from '../contract/caller.js';
import { WINDOW_BUCKETS, WINDOW_MS, type CallerScopes } from './quota-scopes.js';
import type { ActualItem, QuotaItem } from './quota-item.js';

/** How long a reservation lives without a sign of its owner, in ms. */
export const LEASE_MS = 30_000;

/** What is being asked for. */
export interface ReservationRequest {
  readonly requestId: string;
  readonly call: CallEnvelope;
  readonly caller: Caller;
  /** The model's configured name. */
  readonly model: string;
  readonly scopes: CallerScopes;
  readonly promptEstimate: number;
  readonly outputEstimate: number;
}

/** A request with what it has to reserve. */
export interface Reservation extends ReservationRequest {
  readonly items: readonly QuotaItem[];
}

/** The items of a request: one unit of every request limit, all estimated tokens of every token limit. */
export function reservationOf(request: ReservationRequest): Reservation {
  const tokens = request.promptEstimate + request.outputEstimate;
  const items = request.scopes.windows.map((window): QuotaItem => ({
    type: 'W',
    key: window.key,
    mode: 'e',
    limit: window.limit,
    cost: window.unit === 'requests' ? 1 : tokens,
    p1: WINDOW_MS,
    p2: WINDOW_BUCKETS,
  }));
  return { ...request, items };
}

/** The same items with what was really used; a request counts as one whatever it used. */
export function actualItems(reservation: Reservation, tokens: number): ActualItem[] {
  return reservation.scopes.windows.map((window) => ({
    type: 'W',
    key: window.key,
    actual: window.unit === 'requests' ? 1 : tokens,
    expiresAtMs: 0,
  }));
}

/** What is kept with a reservation for whoever finds it orphaned. */
export interface ReservationMeta {
  readonly promptEstimate: number;
  /** Names and values of the ledger line, in turn. */
  readonly fields: readonly string[];
  /** Keys of the items. */
  readonly keys: readonly string[];
  /** Unit of each item: requests or tokens. */
  readonly units: readonly string[];
}

/** The ledger fields that are known before the answer. */
export function identityFields({ caller, model }: Pick<ReservationRequest, 'caller' | 'model'>): string[] {
  return [
    'org',
    caller.organisation,
    'team',
    caller.team ?? '',
    'user',
    caller.user ?? '',
    'key',
    caller.method === 'key' ? caller.id : `j:${caller.id}`,
    'model',
    model,
  ];
}

/** What is kept with a reservation, as text. */
export function metaText(reservation: Reservation): string {
  const { windows } = reservation.scopes;
  const meta: ReservationMeta = {
    promptEstimate: reservation.promptEstimate,
    fields: identityFields(reservation),
    keys: windows.map((window) => window.key),
    units: windows.map((window) => window.unit),
  };
  return JSON.stringify(meta);
}
