import { Module, type DynamicModule } from '@nestjs/common';
import type { ProviderKind } from '../contract/provider.js';
import type { ProviderKindRegistration } from './provider-kind.registration.js';
import { PROVIDER_KIND_SERVICES, ProviderRegistry } from './provider.registry.js';

/** Holds the configured providers; the composition root tells it the kinds. */
@Module({})
export class ProvidersModule {
  /** A module with these kinds. Pass the same object wherever the registry is needed: each call makes another. */
  static register(kinds: readonly ProviderKindRegistration[]): DynamicModule {
    return {
      module: ProvidersModule,
      imports: kinds.map(({ module }) => module),
      providers: [
        ProviderRegistry,
        {
          provide: PROVIDER_KIND_SERVICES,
          useFactory: (...services: ProviderKind<never>[]) => services,
          inject: kinds.map(({ service }) => service),
        },
      ],
      exports: [ProviderRegistry],
    };
  }
}
