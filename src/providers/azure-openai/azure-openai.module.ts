import { Injectable, Module } from '@nestjs/common';
import type { Provider, ProviderKind } from '../../contract/provider.js';
import { Transport } from '../../transport/transport.js';
import { TransportModule } from '../../transport/transport.module.js';
import { OpenAISender } from '../openai-wire/openai-wire.sender.js';
import type { ProviderKindRegistration } from '../provider-kind.registration.js';
import { AzureOpenAIClient } from './azure-openai.client.js';
import { azureOpenAISettings, type AzureOpenAISettings } from './azure-openai.config.js';
import { AZURE_OPENAI_KIND, AzureOpenAIProvider } from './azure-openai.provider.js';

/** Creates providers for Azure OpenAI resources. */
@Injectable()
export class AzureOpenAIProviders implements ProviderKind<AzureOpenAISettings> {
  readonly kind = AZURE_OPENAI_KIND;

  constructor(private readonly transport: Transport) {}

  create(name: string, settings: AzureOpenAISettings): Provider {
    const secrets = [new URL(settings.endpoint).host, settings.apiKey, settings.entra?.clientSecret];
    const shown = secrets.filter((secret) => secret !== undefined);
    const sender = new OpenAISender(new AzureOpenAIClient(settings), this.transport, shown);
    return new AzureOpenAIProvider(name, sender, this.transport);
  }
}

/** The kind's Nest module. */
@Module({ imports: [TransportModule], providers: [AzureOpenAIProviders], exports: [AzureOpenAIProviders] })
export class AzureOpenAIModule {}

/** What the composition root names to offer this kind. */
export const azureOpenAIKind: ProviderKindRegistration = {
  descriptor: { kind: AZURE_OPENAI_KIND, settings: azureOpenAISettings },
  module: AzureOpenAIModule,
  service: AzureOpenAIProviders,
};
