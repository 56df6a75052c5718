import { defineScript } from '../state/script.js';
import type { ActualItem, QuotaItem, ReserveReply, SettleKind, SettleResult, Violation } from './quota-item.js';

export const RESERVE = defineScript(import.meta.dirname, 'reserve.lua');
export const SETTLE = defineScript(import.meta.dirname, 'settle.lua');
export const RENEW = defineScript(import.meta.dirname, 'renew.lua');
export const EXPIRED = defineScript(import.meta.dirname, 'expired.lua');

/** KEYS and ARGV of one script call. */
export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

/** Where a reservation lives. */
export interface ReservationKeys {
  readonly record: string;
  readonly leases: string;
}

export interface ReserveCall {
  readonly requestId: string;
  readonly leaseMs: number;
  /** Kept with the reservation, for whoever has to settle it in its owner's place. */
  readonly meta: string;
  readonly items: readonly QuotaItem[];
}

/** The call of reserve.lua. */
export function reserveCall(at: ReservationKeys, call: ReserveCall): ScriptCall {
  const keys = [at.record, at.leases];
  const args: (string | number)[] = [call.requestId, call.leaseMs, call.items.length, call.meta];
  for (const item of call.items) {
    keys.push(item.key);
    args.push(item.type, item.mode, item.limit, item.cost, item.p1, item.p2);
  }
  return { keys, args };
}

export interface SettleCall {
  readonly requestId: string;
  readonly kind: SettleKind;
  /** How long the request id stays used up, in ms. */
  readonly tombstoneMs: number;
  /** About how many lines the ledger may hold; 0 = unbounded. */
  readonly ledgerLength: number;
  /** What the caller is charged, in nano-dollars. */
  readonly chargeNanoUsd: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly items: readonly ActualItem[];
  /** Names and values in turn. */
  readonly fields: readonly (string | number)[];
}

/** The call of settle.lua. */
export function settleCall(at: ReservationKeys & { readonly ledger: string }, call: SettleCall): ScriptCall {
  const keys = [at.record, at.leases, at.ledger];
  const args: (string | number)[] = [
    call.requestId,
    call.kind,
    call.tombstoneMs,
    call.ledgerLength,
    call.items.length,
    call.chargeNanoUsd,
    call.promptTokens,
    call.completionTokens,
  ];
  for (const item of call.items) {
    keys.push(item.key);
    args.push(item.type, item.actual, item.expiresAtMs);
  }
  args.push(...call.fields);
  return { keys, args };
}

const numbers = (text: unknown): number[] =>
  typeof text === 'string' && text !== '' ? text.split(' ').map(Number) : [];

function violations(text: unknown): Violation[] {
  const flat = numbers(text);
  const found: Violation[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    found.push({ index: (flat[at] ?? 0) - 1, retryAfterMs: flat[at + 1] ?? -1 });
  }
  return found;
}

/** Reads the reply of reserve.lua; throws when it is none. */
export function readReserveReply(reply: unknown): ReserveReply {
  const [code, word, nowText, used, refusals] = reply as readonly unknown[];
  const now = Number(nowText);
  if (code === 1) return { type: 'admitted', now, used: numbers(used), isDuplicate: word === 'dup' };
  if (code === 0) return { type: 'refused', now, used: numbers(used), violations: violations(refusals) };
  if (code === 2) return { type: 'used-up', now, state: String(word) };
  if (code === 3) return { type: 'stale-window', now };
  throw new Error('reserve.lua answered in a form that is not known');
}

/** Reads the reply of settle.lua. */
export function readSettleReply(reply: unknown): { readonly result: SettleResult; readonly now: number } {
  const [, word, now] = reply as readonly [number, SettleResult, string];
  return { result: word, now: Number(now) };
}
