import type { Logger } from 'pino';
import type { RequestRecord } from '../contract/record.js';
import type { MeasuredUsage } from '../contract/usage.js';
import type { BackgroundTasks } from '../state/background-tasks.js';
import type { RedisStore } from '../state/redis.store.js';
import { ledgerFields } from './ledger-fields.js';
import { settleCall, type SettleCall } from './quota-scripts.js';
import { actualItems, type Reservation } from './reservation.js';
import { SettlementQueue, type SettlementJob } from './settlement-queue.js';

/** How long the store remembers a settled request id: far longer than a settlement is repeated. */
const TOMBSTONE_MS = 3_600_000;
const LEDGER_LENGTH = 1_000_000;
/** The embedded server has little memory and a short life. */
const EMBEDDED_TOMBSTONE_MS = 600_000;
const EMBEDDED_LEDGER_LENGTH = 100_000;

/** Makes settlements of what requests used and brings them to the store in the background. */
export class Settler {
  readonly #queue: SettlementQueue;
  readonly #bounds: Pick<SettleCall, 'tombstoneMs' | 'ledgerLength'>;

  constructor(
    store: RedisStore,
    private readonly background: BackgroundTasks,
    logger: Logger,
  ) {
    this.#bounds = store.isEmbedded
      ? { tombstoneMs: EMBEDDED_TOMBSTONE_MS, ledgerLength: EMBEDDED_LEDGER_LENGTH }
      : { tombstoneMs: TOMBSTONE_MS, ledgerLength: LEDGER_LENGTH };
    this.#queue = new SettlementQueue(store, logger, this.#bounds);
  }

  get queue(): SettlementQueue {
    return this.#queue;
  }

  /** The settlement of a request by what it used. */
  settlement(reservation: Reservation, usage: MeasuredUsage, record: RequestRecord): SettleCall {
    const { promptTokens, completionTokens } = usage;
    return {
      ...this.#bounds,
      requestId: reservation.requestId,
      kind: 'settle',
      chargeNanoUsd: 0,
      promptTokens,
      completionTokens,
      items: actualItems(reservation, promptTokens + completionTokens),
      fields: ledgerFields(reservation, usage, record),
    };
  }

  /** The settlement that gives everything back. */
  cancellation(reservation: Reservation): SettleCall {
    return {
      ...this.#bounds,
      requestId: reservation.requestId,
      kind: 'cancel',
      chargeNanoUsd: 0,
      promptTokens: 0,
      completionTokens: 0,
      items: actualItems(reservation, 0),
      fields: [],
    };
  }

  /** The settlement of a request whose owner is gone: what is certain to have been sent, marked as an estimate. */
  orphan(call: Pick<SettleCall, 'requestId' | 'chargeNanoUsd' | 'promptTokens' | 'items' | 'fields'>): SettleCall {
    const fields = [...call.fields, 'src', 'estimate', 'outcome', 'orphan'];
    return { ...this.#bounds, ...call, kind: 'orphan', completionTokens: 0, fields };
  }

  /** Brings a settlement to the store, in the background; `acknowledged` hears what it did there. */
  submit(
    { scopes: { keys } }: Pick<Reservation, 'scopes'>,
    call: SettleCall,
    acknowledged?: SettlementJob['acknowledged'],
  ): void {
    const at = { record: keys.reservation(call.requestId), leases: keys.leases, ledger: keys.ledger };
    this.background.run(
      'settle',
      this.#queue.submit({ requestId: call.requestId, ...settleCall(at, call), acknowledged }),
    );
  }
}
