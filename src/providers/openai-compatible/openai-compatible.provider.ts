import type { Provider } from '../../contract/provider.js';
import { wireAbilities, type WireParts } from '../openai-wire/openai-wire.abilities.js';

/** The kind's name in the configuration. */
export const OPENAI_COMPATIBLE_KIND = 'openai-compatible';

/** One server that speaks OpenAI's wire. Connections belong to the transport, so that closing has nothing to release. */
export class OpenAICompatibleProvider implements Provider {
  readonly kind = OPENAI_COMPATIBLE_KIND;
  /** A closed connection is all these servers can be told by; those that do not listen go on by themselves. */
  readonly onDisconnect = 'abort';
  readonly chat: Provider['chat'];
  readonly embeddings: Provider['embeddings'];
  readonly native: Provider['native'];

  constructor(
    readonly name: string,
    parts: WireParts,
  ) {
    const abilities = wireAbilities(parts);
    this.chat = abilities.chat;
    this.embeddings = abilities.embeddings;
    this.native = abilities.native;
  }

  async close(): Promise<void> {}
}
