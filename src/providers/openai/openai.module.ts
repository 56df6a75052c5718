import { Injectable, Module } from '@nestjs/common';
import type { Provider, ProviderKind } from '../../contract/provider.js';
import { Transport } from '../../transport/transport.js';
import { TransportModule } from '../../transport/transport.module.js';
import { OpenAISender } from '../openai-wire/openai-wire.sender.js';
import type { ProviderKindRegistration } from '../provider-kind.registration.js';
import { createClient } from './openai.client.js';
import { openAISettings, type OpenAISettings } from './openai.config.js';
import { OPENAI_KIND, OpenAIProvider } from './openai.provider.js';

/** Creates providers for accounts at OpenAI. */
@Injectable()
export class OpenAIProviders implements ProviderKind<OpenAISettings> {
  readonly kind = OPENAI_KIND;

  constructor(private readonly transport: Transport) {}

  create(name: string, settings: OpenAISettings): Provider {
    const { transport } = this;
    const secrets = [new URL(settings.baseUrl).host, settings.apiKey, settings.organisation, settings.project];
    const hidden = secrets.filter((secret) => secret !== undefined);
    return new OpenAIProvider(name, { sender: new OpenAISender(createClient(settings), transport, hidden), transport });
  }
}

/** The kind's Nest module. */
@Module({ imports: [TransportModule], providers: [OpenAIProviders], exports: [OpenAIProviders] })
export class OpenAIModule {}

/** What the composition root names to offer this kind. */
export const openAIKind: ProviderKindRegistration = {
  descriptor: { kind: OPENAI_KIND, settings: openAISettings },
  module: OpenAIModule,
  service: OpenAIProviders,
};
