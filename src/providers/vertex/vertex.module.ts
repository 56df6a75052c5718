import { Injectable, Module } from '@nestjs/common';
import type { Provider, ProviderKind } from '../../contract/provider.js';
import { Transport } from '../../transport/transport.js';
import { TransportModule } from '../../transport/transport.module.js';
import type { ProviderKindRegistration } from '../provider-kind.registration.js';
import { VERTEX_KIND, VertexClient } from './vertex.client.js';
import { vertexSettings, type VertexSettings } from './vertex.config.js';
import { GoogleToken, googleTokenSource } from './vertex.credential.js';
import { VertexProvider } from './vertex.provider.js';

/** Creates providers for projects at Vertex AI. */
@Injectable()
export class VertexProviders implements ProviderKind<VertexSettings> {
  readonly kind = VERTEX_KIND;

  constructor(private readonly transport: Transport) {}

  create(name: string, settings: VertexSettings): Provider {
    const { transport } = this;
    const token = new GoogleToken(googleTokenSource(transport, settings.credentials));
    const client = new VertexClient(settings, token, transport);
    return new VertexProvider(name, { client, transport, location: settings.location });
  }
}

/** Provides the service of the kind, on the shared transport. */
@Module({ imports: [TransportModule], providers: [VertexProviders], exports: [VertexProviders] })
export class VertexModule {}

/** What the composition root names to offer this kind. */
export const vertexKind: ProviderKindRegistration = {
  descriptor: { kind: VERTEX_KIND, settings: vertexSettings },
  module: VertexModule,
  service: VertexProviders,
};
