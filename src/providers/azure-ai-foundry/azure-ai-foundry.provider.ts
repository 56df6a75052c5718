import type { Provider } from '../../contract/provider.js';
import { wireAbilities, type WireParts } from '../openai-wire/openai-wire.abilities.js';
import { AZURE_AI_FOUNDRY_FLAVOUR } from './azure-ai-foundry.request.js';

/** The kind's name in the configuration. */
export const AZURE_AI_FOUNDRY_KIND = 'azure-ai-foundry';

/** One resource. Connections belong to the transport, so that closing has nothing to release. */
export class AzureAiFoundryProvider implements Provider {
  readonly kind = AZURE_AI_FOUNDRY_KIND;
  /** Nobody is left to read the answer. */
  readonly onDisconnect = 'abort';
  readonly chat: Provider['chat'];
  readonly embeddings: Provider['embeddings'];
  readonly native: Provider['native'];

  constructor(
    readonly name: string,
    parts: Omit<WireParts, 'flavour'>,
  ) {
    const abilities = wireAbilities({ ...parts, flavour: AZURE_AI_FOUNDRY_FLAVOUR });
    this.chat = abilities.chat;
    this.embeddings = abilities.embeddings;
    this.native = abilities.native;
  }

  async close(): Promise<void> {}
}
