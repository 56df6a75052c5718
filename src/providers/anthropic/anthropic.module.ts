import { Injectable, Module } from '@nestjs/common';
import type { Provider, ProviderKind } from '../../contract/provider.js';
import { Transport } from '../../transport/transport.js';
import { TransportModule } from '../../transport/transport.module.js';
import type { ProviderKindRegistration } from '../provider-kind.registration.js';
import { AnthropicClient } from './anthropic.client.js';
import { anthropicSettings, type AnthropicSettings } from './anthropic.config.js';
import { ANTHROPIC_KIND, AnthropicProvider } from './anthropic.provider.js';
import { AnthropicSender } from './anthropic.sender.js';

/** Creates providers for accounts at Anthropic. */
@Injectable()
export class AnthropicProviders implements ProviderKind<AnthropicSettings> {
  readonly kind = ANTHROPIC_KIND;

  constructor(private readonly transport: Transport) {}

  create(name: string, settings: AnthropicSettings): Provider {
    const sender = new AnthropicSender(new AnthropicClient(settings), this.transport);
    return new AnthropicProvider(name, sender, this.transport);
  }
}

/** The kind's Nest module. */
@Module({ imports: [TransportModule], providers: [AnthropicProviders], exports: [AnthropicProviders] })
export class AnthropicModule {}

/** What the composition root names to offer this kind. */
export const anthropicKind: ProviderKindRegistration = {
  descriptor: { kind: ANTHROPIC_KIND, settings: anthropicSettings },
  module: AnthropicModule,
  service: AnthropicProviders,
};
