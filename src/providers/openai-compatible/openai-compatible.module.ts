import { Injectable, Module } from '@nestjs/common';
import type { Provider, ProviderKind } from '../../contract/provider.js';
import { Transport } from '../../transport/transport.js';
import { TransportModule } from '../../transport/transport.module.js';
import { OpenAISender } from '../openai-wire/openai-wire.sender.js';
import type { ProviderKindRegistration } from '../provider-kind.registration.js';
import { createClient } from './openai-compatible.client.js';
import { baseUrlOf, openAICompatibleSettings, type OpenAICompatibleSettings } from './openai-compatible.config.js';
import { flavourOf } from './openai-compatible.flavour.js';
import { OPENAI_COMPATIBLE_KIND, OpenAICompatibleProvider } from './openai-compatible.provider.js';

/** Shorter values of headers are not taken for credentials, in characters. */
const MIN_SECRET_LENGTH = 8;

/** Creates providers for servers that speak OpenAI's wire. */
@Injectable()
export class OpenAICompatibleProviders implements ProviderKind<OpenAICompatibleSettings> {
  readonly kind = OPENAI_COMPATIBLE_KIND;

  constructor(private readonly transport: Transport) {}

  create(name: string, settings: OpenAICompatibleSettings): Provider {
    const { transport } = this;
    const { apiKey, headers = {} } = settings;
    // A header's value too short to be a credential would only tear words apart.
    const values = Object.values(headers).filter((value) => value.length >= MIN_SECRET_LENGTH);
    const hidden = [new URL(baseUrlOf(settings)).host, ...(apiKey === undefined ? [] : [apiKey]), ...values];
    const sender = new OpenAISender(createClient(settings), transport, hidden);
    return new OpenAICompatibleProvider(name, { sender, transport, flavour: flavourOf(settings) });
  }
}

/** The kind's Nest module. */
@Module({
  imports: [TransportModule],
  providers: [OpenAICompatibleProviders],
  exports: [OpenAICompatibleProviders],
})
export class OpenAICompatibleModule {}

/** What the composition root names to offer this kind. */
export const openAICompatibleKind: ProviderKindRegistration = {
  descriptor: { kind: OPENAI_COMPATIBLE_KIND, settings: openAICompatibleSettings },
  module: OpenAICompatibleModule,
  service: OpenAICompatibleProviders,
};
