import type { CallEnvelope } from '../../contract/call.js';
import type { JsonObject } from '../../contract/json.js';
import type { Plan } from '../../contract/plan.js';
import type { Settlement } from '../../quota/settlement.js';
import type { AnyDialect } from '../dialects/dialect.js';

/** A call that has been read and planned; the metering interceptor adds its settlement. */
export interface GatewayCall {
  readonly dialect: AnyDialect;
  readonly body: JsonObject;
  readonly envelope: CallEnvelope;
  readonly plan: Plan;
  /** True = refuse rather than lose a field in translation. */
  readonly isStrict: boolean;
  settlement?: Settlement;
}
