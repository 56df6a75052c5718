import type { Provider } from '../../contract/provider.js';
import { wireAbilities, type WireParts } from '../openai-wire/openai-wire.abilities.js';
import { OPENAI_FLAVOUR } from './openai.request.js';

/** The kind's name in the configuration. */
export const OPENAI_KIND = 'openai';

/** One account at OpenAI. Connections belong to the transport, so that closing has nothing to release. */
export class OpenAIProvider implements Provider {
  readonly kind = OPENAI_KIND;
  /** OpenAI stops generating when its client goes. */
  readonly onDisconnect = 'abort';
  readonly chat: Provider['chat'];
  readonly embeddings: Provider['embeddings'];
  readonly native: Provider['native'];

  constructor(
    readonly name: string,
    parts: Omit<WireParts, 'flavour'>,
  ) {
    const abilities = wireAbilities({ ...parts, flavour: OPENAI_FLAVOUR });
    this.chat = abilities.chat;
    this.embeddings = abilities.embeddings;
    this.native = abilities.native;
  }

  async close(): Promise<void> {}
}
