import { Injectable, Module } from '@nestjs/common';
import type { Provider, ProviderKind } from '../../contract/provider.js';
import { Transport } from '../../transport/transport.js';
import { TransportModule } from '../../transport/transport.module.js';
import { OpenAISender } from '../openai-wire/openai-wire.sender.js';
import type { ProviderKindRegistration } from '../provider-kind.registration.js';
import { createClient } from './azure-ai-foundry.client.js';
import { azureAiFoundrySettings, type AzureAiFoundrySettings } from './azure-ai-foundry.config.js';
import { AZURE_AI_FOUNDRY_KIND, AzureAiFoundryProvider } from './azure-ai-foundry.provider.js';

/** Creates providers of the kind. */
@Injectable()
export class AzureAiFoundryProviders implements ProviderKind<AzureAiFoundrySettings> {
  readonly kind = AZURE_AI_FOUNDRY_KIND;

  constructor(private readonly transport: Transport) {}

  create(name: string, settings: AzureAiFoundrySettings): Provider {
    const { transport } = this;
    const hidden = [new URL(settings.baseUrl).host, settings.apiKey];
    const sender = new OpenAISender(createClient(settings), transport, hidden);
    return new AzureAiFoundryProvider(name, { sender, transport });
  }
}

/** The kind's Nest module. */
@Module({ imports: [TransportModule], providers: [AzureAiFoundryProviders], exports: [AzureAiFoundryProviders] })
export class AzureAiFoundryModule {}

/** What the composition root names to offer this kind. */
export const azureAiFoundryKind: ProviderKindRegistration = {
  descriptor: { kind: AZURE_AI_FOUNDRY_KIND, settings: azureAiFoundrySettings },
  module: AzureAiFoundryModule,
  service: AzureAiFoundryProviders,
};
