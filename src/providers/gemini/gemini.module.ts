import { Injectable, Module } from '@nestjs/common';
import type { Provider, ProviderKind } from '../../contract/provider.js';
import { Transport } from '../../transport/transport.js';
import { TransportModule } from '../../transport/transport.module.js';
import type { ProviderKindRegistration } from '../provider-kind.registration.js';
import { GEMINI_KIND, GeminiClient } from './gemini.client.js';
import { geminiSettings, type GeminiSettings } from './gemini.config.js';
import { GeminiProvider } from './gemini.provider.js';

/** Creates providers for accounts of the Gemini API. */
@Injectable()
export class GeminiProviders implements ProviderKind<GeminiSettings> {
  readonly kind = GEMINI_KIND;

  constructor(private readonly transport: Transport) {}

  create(name: string, settings: GeminiSettings): Provider {
    return new GeminiProvider(name, new GeminiClient(settings, this.transport));
  }
}

/** Provides the service of the kind, on the shared transport. */
@Module({ imports: [TransportModule], providers: [GeminiProviders], exports: [GeminiProviders] })
export class GeminiModule {}

/** What the composition root names to offer this kind. */
export const geminiKind: ProviderKindRegistration = {
  descriptor: { kind: GEMINI_KIND, settings: geminiSettings },
  module: GeminiModule,
  service: GeminiProviders,
};
