import type { ProviderState } from '../../contract/chat-request.js';
import { ISSUER as CLAUDE_ISSUER } from '../anthropic-wire/wire.js';
import type { ModelTraits } from './bedrock.model.js';
import { KIND } from './bedrock.wire.js';

/** What vouches for reasoning of an earlier turn, as Converse has it. */
export type ReasoningSeal =
  | { readonly type: 'signature'; readonly value: string }
  /** `value` is base64: Converse's bytes on the wire. */
  | { readonly type: 'redacted'; readonly value: string };

/**
 * Whose reasoning state a family of models issues, and alone accepts. Claude's signatures are good on every platform
 * that serves Claude (Anthropic, "Extended thinking").
 */
export function issuerOf({ family }: ModelTraits): string {
  return family === 'claude' ? CLAUDE_ISSUER : KIND;
}

/** A seal as state. Claude's redacted thinking is text, which Converse carries as bytes and other platforms as it is. */
export function reasoningState(issuer: string, { type, value }: ReasoningSeal): ProviderState {
  if (type === 'signature') return { issuer, value: `s:${value}` };
  const data = issuer === CLAUDE_ISSUER ? Buffer.from(value, 'base64').toString('utf8') : value;
  return { issuer, value: `r:${data}` };
}

/** The seal of a state; undefined where another issuer gave it or its form is not known. */
export function readReasoningState(issuer: string, state: ProviderState | undefined): ReasoningSeal | undefined {
  if (state?.issuer !== issuer) return undefined;
  const value = state.value.slice(2);
  if (state.value.startsWith('s:')) return { type: 'signature', value };
  if (!state.value.startsWith('r:')) return undefined;
  return { type: 'redacted', value: issuer === CLAUDE_ISSUER ? Buffer.from(value).toString('base64') : value };
}
