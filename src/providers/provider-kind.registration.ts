import type { Type } from '@nestjs/common';
import type { ProviderKindDescriptor } from '../config/config.schema.js';
import type { ProviderKind } from '../contract/provider.js';

/** All the composition root needs to know of a provider kind: one line there names one of these. */
export interface ProviderKindRegistration {
  /** Its name and the schema of its settings, for the configuration. */
  readonly descriptor: ProviderKindDescriptor;
  /** The Nest module that provides and exports `service`. */
  readonly module: Type;
  /** Creates providers from checked settings. */
  readonly service: Type<ProviderKind<never>>;
}
