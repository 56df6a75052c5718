import type { Provider } from '../../contract/provider.js';
import type { Transport } from '../../transport/transport.js';
import { wireAbilities } from '../openai-wire/openai-wire.abilities.js';
import type { OpenAISender } from '../openai-wire/openai-wire.sender.js';
import { AZURE_FLAVOUR } from './azure-openai.request.js';

/** The kind's name in the configuration. */
export const AZURE_OPENAI_KIND = 'azure-openai';

/** One Azure OpenAI resource. Connections belong to the transport, so that closing has nothing to release. */
export class AzureOpenAIProvider implements Provider {
  readonly kind = AZURE_OPENAI_KIND;
  /** Azure stops generating when its client goes. */
  readonly onDisconnect = 'abort';
  readonly chat: Provider['chat'];
  readonly embeddings: Provider['embeddings'];
  readonly native: Provider['native'];

  constructor(
    readonly name: string,
    sender: OpenAISender,
    transport: Transport,
  ) {
    const abilities = wireAbilities({ sender, transport, flavour: AZURE_FLAVOUR });
    this.chat = abilities.chat;
    this.embeddings = abilities.embeddings;
    this.native = abilities.native;
  }

  async close(): Promise<void> {}
}
