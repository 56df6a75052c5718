import type { RequestRecord } from '../contract/record.js';
import type { MeasuredUsage } from '../contract/usage.js';
import { identityFields, type Reservation } from './reservation.js';

/** The fields of a ledger line beside its amounts, names and values in turn. */
export function ledgerFields(reservation: Reservation, usage: MeasuredUsage, record: RequestRecord): string[] {
  const fields = identityFields(reservation);
  fields.push(
    'deployment',
    record.deployment ?? '',
    'provider',
    record.provider ?? '',
    'cin',
    String(usage.cachedPromptTokens),
    'cw',
    String(usage.cacheWriteTokens),
    'reas',
    String(usage.reasoningTokens),
    'src',
    usage.source,
    'outcome',
    record.outcome,
    'attempts',
    String(record.attempts.length),
    't_start',
    String(Math.round(record.startedAtMs)),
  );
  if (record.timeToFirstTokenMs !== undefined) fields.push('ttft', String(Math.round(record.timeToFirstTokenMs)));
  return fields;
}
