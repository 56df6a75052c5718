import type { Outcome } from '../contract/record.js';
import { ERRORS, type GatewayError } from '../contract/errors.js';

/** How a request ended that was answered with an error: refused where caller or policy are at fault, else failed. */
export function outcomeOf({ code }: GatewayError): Outcome {
  const { domain } = ERRORS[code];
  return domain === 'caller' || domain === 'policy' ? 'refused' : 'failed';
}
