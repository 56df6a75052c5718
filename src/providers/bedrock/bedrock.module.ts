import { Injectable, Module } from '@nestjs/common';
import type { Provider, ProviderKind } from '../../contract/provider.js';
import { TransportModule } from '../../transport/transport.module.js';
import { Transport } from '../../transport/transport.js';
import type { ProviderKindRegistration } from '../provider-kind.registration.js';
import { BedrockClient } from './bedrock.client.js';
import { bedrockSettings, type BedrockSettings } from './bedrock.config.js';
import { BedrockProvider } from './bedrock.provider.js';
import { KIND } from './bedrock.wire.js';

/** Creates providers of AWS Bedrock. */
@Injectable()
export class BedrockService implements ProviderKind<BedrockSettings> {
  readonly kind = KIND;

  constructor(private readonly transport: Transport) {}

  create(name: string, settings: BedrockSettings): Provider {
    const client = new BedrockClient(settings, this.transport);
    return new BedrockProvider(name, { settings, client, transport: this.transport });
  }
}

/** Provides the service of the kind, on the shared transport. */
@Module({ imports: [TransportModule], providers: [BedrockService], exports: [BedrockService] })
export class BedrockModule {}

/** What the composition root needs to offer the kind. */
export const bedrockKind: ProviderKindRegistration = {
  descriptor: { kind: KIND, settings: bedrockSettings },
  module: BedrockModule,
  service: BedrockService,
};
