import type { ProviderState } from '../../contract/chat-request.js';
import { ISSUER } from './wire.js';

/** How a thinking block is proved to be the model's own: by a signature beside its text, or as a whole. */
export interface ReasoningProof {
  readonly type: 'signature' | 'redacted';
  readonly value: string;
}

/** A proof as the state of a reasoning part. */
export function reasoningState(type: ReasoningProof['type'], value: string): ProviderState {
  return { issuer: ISSUER, value: `${type === 'signature' ? 's' : 'r'}:${value}` };
}

/** The proof in a state; undefined = the state is another issuer's, or none of ours. */
export function readReasoningState(state: ProviderState | undefined): ReasoningProof | undefined {
  if (state?.issuer !== ISSUER) return undefined;
  const value = state.value.slice(2);
  if (state.value.startsWith('s:')) return { type: 'signature', value };
  return state.value.startsWith('r:') ? { type: 'redacted', value } : undefined;
}
